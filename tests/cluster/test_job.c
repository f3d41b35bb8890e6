/* Jobs as JSON, and back; from others' hands they are hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cluster/job.h"

#define HASH "0123456789abcdef0123456789abcdef"
#define HEAD                                                                                                 \
    "{\"number\":1,\"members\":0,\"tasks\":2,\"program\":\"p\",\"text\":\"t\",\"journal\":\"/"               \
    "j\",\"key\":\"k\""

static bool reads(const char *text)
{
    struct job job;
    bramble_error error = {0};
    bramble_status status = job_from_json(&job, text, strlen(text), &error);
    if (!status) job_fini(&job);
    assert_true(!status == !*error.message);
    return !status;
}

static void test_there_and_back(void **state)
{
    (void)state;
    struct job same, job = {.number = 7,
                            .n_tasks = 300,
                            .n_members = 2,
                            .program = "farm",
                            .text = "a\n\"text\"",
                            .journal = "/tmp/\xc3\xa9",
                            .key = "key",
                            .data = "/data",
                            .hash = HASH,
                            .data_bytes = 1u << 31};
    bramble_error error;
    char *text = job_to_json(&job);
    assert_non_null(text);
    assert_null(strchr(text, '\n'));
    assert_int_equal(job_from_json(&same, text, strlen(text), &error), BRAMBLE_OK);
    assert_true(same.number == 7 && same.n_tasks == 300 && same.n_members == 2 &&
                same.data_bytes == 1u << 31);
    assert_string_equal(same.text, job.text);
    assert_string_equal(same.journal, job.journal);
    assert_string_equal(same.data, job.data);
    assert_string_equal(same.hash, HASH);
    mem_free(text);
    job_fini(&same);
    job.journal = "/tmp/\xff";
    assert_null(job_to_json(&job));
}

static void test_hostile(void **state)
{
    (void)state;
    assert_true(reads(HEAD ",\"hash\":\"\",\"data_bytes\":0}"));
    assert_true(reads(HEAD ",\"data\":\"/d\",\"hash\":\"" HASH "\",\"data_bytes\":5}"));
    static const char *const bad[] = {
        "",
        "{}",
        "[1]",
        HEAD ",\"hash\":\"\",\"data_bytes\":-1}",
        HEAD ",\"data\":\"/d\",\"hash\":\"\",\"data_bytes\":5}",
        HEAD ",\"data\":\"/d\",\"hash\":\"" HASH "\",\"data_bytes\":0}",
        HEAD ",\"data\":\"/d\",\"hash\":\"../../../../../../etc/passwd\",\"data_bytes\":5}",
        HEAD ",\"data\":\"/d\",\"hash\":\"" HASH "0\",\"data_bytes\":5}",
        HEAD ",\"hash\":\"" HASH "\",\"data_bytes\":0}",
        HEAD ",\"members\":99999999999,\"hash\":\"\",\"data_bytes\":0}",
        HEAD ",\"tasks\":3,\"hash\":\"\",\"data_bytes\":0}",
        HEAD ",\"hash\":\"\",\"data_bytes\":0",
        "{\"number\":0,\"members\":0,\"tasks\":2,\"program\":\"p\",\"text\":\"t\",\"journal\":\"/"
        "j\",\"key\":\"k\",\"hash\":\"\","
        "\"data_bytes\":0}",
        "{\"number\":1,\"members\":0,\"tasks\":0,\"program\":\"p\",\"text\":\"t\",\"journal\":\"/"
        "j\",\"key\":\"k\",\"hash\":\"\","
        "\"data_bytes\":0}",
        "{\"number\":1,\"members\":0,\"tasks\":99999999999,\"program\":\"p\",\"text\":\"t\",\"journal\":\"/"
        "j\",\"key\":\"k\","
        "\"hash\":\"\",\"data_bytes\":0}",
        "{\"number\":1,\"members\":0,\"tasks\":2,\"program\":7,\"text\":\"t\",\"journal\":\"/"
        "j\",\"key\":\"k\",\"hash\":\"\","
        "\"data_bytes\":0}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (reads(bad[i])) fail_msg("taken: %s", bad[i]);
}

static void test_no_memory(void **state)
{
    (void)state;
    const char *text = HEAD ",\"data\":\"/d\",\"hash\":\"" HASH "\",\"data_bytes\":5}";
    for (size_t n = 1; n < 20; n++) {
        mem_fail_at(n, 0);
        reads(text);
        mem_fail_at(0, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
