/* Journals: what goes in comes out, whatever was cut off or flipped in between. */
#include <sys/stat.h>

#include "journals.h"

#define KEY "forest of a.csv, seed 7"

static void refused(const char *path, const char *key, bramble_status wanted, const char *part)
{
    bramble_error error = {0};
    struct journal *journal = NULL;
    assert_int_equal(journal_append_open(&journal, path, key, &error), wanted);
    assert_null(journal);
    if (!strstr(error.message, part) || !strstr(error.message, path)) fail_msg("%s", error.message);
    struct records records = {0};
    error = (bramble_error){0};
    assert_int_equal(journal_read(path, key, record_visit, &records, &error), wanted);
    if (!strstr(error.message, part)) fail_msg("%s", error.message);
}

static void test_records_come_back(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    const char *path = scratch_path(&s, "journal");
    assert_int_equal(records_count(path, KEY), 0);
    assert_int_not_equal(access(path, F_OK), 0);
    journal_made(path, KEY, 1, 100);
    assert_int_equal(records_count(path, KEY), 100);
    journal_made(path, KEY, 101, 150);
    struct records records;
    assert_int_equal(records_read(&records, path, KEY), 150);
    assert_int_equal(records.last, 150);
    for (uint32_t task = 1; task <= 150; task++) assert_int_equal(records.times[task], 1);
    journal_close(NULL);
    scratch_remove(&s);
}

static void test_it_is_private(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    journal_made(scratch_path(&s, "journal"), KEY, 1, 1);
    struct stat info;
    assert_int_equal(stat(s.path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    scratch_remove(&s);
}

/* The documented bytes, so that no change of the code changes the format. */
static void test_the_format_is_the_documented_one(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct journal *journal = journal_opened(scratch_path(&s, "journal"), "key");
    assert_int_equal(journal_append(journal, 258, "abc", 3, NULL), BRAMBLE_OK);
    journal_close(journal);
    size_t n;
    uint8_t *bytes = scratch_slurp(s.path, &n);
    assert_int_equal(n, 8 + 4 + 3 + 8 + 4 + 4 + 8 + 3);
    assert_memory_equal(bytes, "BRJRNL01\3\0\0\0key", 15);
    assert_memory_equal(bytes + 23, "\2\1\0\0\3\0\0\0", 8);
    assert_memory_equal(bytes + 39, "abc", 3);
    free(bytes);
    scratch_remove(&s);
}

static bramble_status stop_at_three(void *context, uint32_t task, const void *bytes, uint32_t length,
                                    bramble_error *error)
{
    (void)bytes;
    (void)length;
    (void)error;
    ++*(unsigned *)context;
    return task == 3 ? BRAMBLE_ERR_CANCELLED : BRAMBLE_OK;
}

static void test_the_visitor_may_stop(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    unsigned visits = 0;
    journal_made(scratch_path(&s, "journal"), KEY, 1, 10);
    assert_int_equal(journal_read(s.path, KEY, stop_at_three, &visits, NULL), BRAMBLE_ERR_CANCELLED);
    assert_int_equal(visits, 3);
    scratch_remove(&s);
}

static void test_another_key_is_refused(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    journal_made(scratch_path(&s, "journal"), KEY, 1, 10);
    refused(s.path, KEY ".", BRAMBLE_ERR_DATA, "belongs to another run");
    refused(s.path, "forest of b.csv, seed 7", BRAMBLE_ERR_DATA, "belongs to another run");
    refused(s.path, "", BRAMBLE_ERR_DATA, "belongs to another run");
    assert_int_equal(records_count(s.path, KEY), 10);
    char *key = malloc(5001);
    memset(key, 'k', 5000);
    key[5000] = 0;
    bramble_error error = {0};
    struct journal *journal = NULL;
    assert_int_equal(journal_append_open(&journal, s.path, key, &error), BRAMBLE_ERR_USAGE);
    assert_non_null(strstr(error.message, "5000 bytes"));
    free(key);
    scratch_remove(&s);
}

static void test_other_files_are_refused(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    scratch_write(&s, "text", "precious text, no journal", 25);
    refused(s.path, KEY, BRAMBLE_ERR_DATA, "not a run's journal");
    scratch_write(&s, "short", "pre", 3);
    refused(s.path, KEY, BRAMBLE_ERR_DATA, "not a run's journal");
    size_t n;
    uint8_t *bytes = scratch_slurp(s.path, &n);
    assert_int_equal(n, 3);
    free(bytes);
    assert_int_equal(mkfifo(scratch_path(&s, "pipe"), 0600), 0);
    refused(s.path, KEY, BRAMBLE_ERR_DATA, "regular file");
    scratch_remove(&s);
}

/* A file cut off at every byte has the records that are whole, and takes new ones behind them. */
static void test_torn_at_every_byte(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    size_t n, whole_end = 0, records = 0;
    uint64_t ends[7] = {8 + 4 + strlen(KEY) + 8};
    for (uint32_t task = 1; task <= 6; task++) ends[task] = ends[task - 1] + 16 + record_length(task);
    journal_made(scratch_path(&s, "journal"), KEY, 1, 6);
    uint8_t *bytes = scratch_slurp(s.path, &n);
    assert_int_equal(n, ends[6]);
    for (size_t length = 0; length <= n; length++) {
        const char *path = scratch_write(&s, "torn", bytes, length);
        for (records = 0; records < 6 && ends[records + 1] <= length;) records++;
        whole_end = length < ends[0] ? ends[0] : ends[records];
        assert_int_equal(records_count(path, KEY), records);
        journal_close(journal_opened(path, KEY));
        struct stat info;
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_size, whole_end);
        journal_made(path, KEY, 7, 8);
        assert_int_equal(records_count(path, KEY), records + 2);
    }
    free(bytes);
    scratch_remove(&s);
}

/* A flipped bit never gives a wrong record: the head is refused, a record is left out, and one whose length
 * is wrong ends the file at worst. record_visit looks at every byte. */
static void test_flipped_bits(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    size_t n, head = 8 + 4 + strlen(KEY) + 8;
    journal_made(scratch_path(&s, "journal"), KEY, 15, 20);
    uint8_t *bytes = scratch_slurp(s.path, &n);
    struct records records;
    for (size_t bit = 0; bit < 8 * n; bit += bit < 8 * (head + 40) ? 1 : 97) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        const char *path = scratch_write(&s, "flipped", bytes, n);
        if (bit < 8 * head)
            refused(path, KEY, BRAMBLE_ERR_DATA, "journal");
        else
            assert_true(records_read(&records, path, KEY) < 6);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(bytes);
    scratch_remove(&s);
}

static void test_damage_amid_whole_records(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    size_t n, head = 8 + 4 + strlen(KEY) + 8;
    journal_made(scratch_path(&s, "journal"), KEY, 1, 10);
    uint8_t *bytes = scratch_slurp(s.path, &n);
    bytes[head + 16 + 1] ^= 1; /* the first record's bytes */
    const char *path = scratch_write(&s, "journal", bytes, n);
    free(bytes);
    struct records records;
    assert_int_equal(records_read(&records, path, KEY), 9);
    assert_int_equal(records.times[1], 0);
    journal_made(path, KEY, 11, 11);
    assert_int_equal(records_read(&records, path, KEY), 10);
    scratch_remove(&s);
}

/* What a power failure may leave: the file longer than what reached the disk, the rest zeros. */
static void test_a_tail_of_zeros(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct stat before, after;
    journal_made(scratch_path(&s, "journal"), KEY, 1, 10);
    assert_int_equal(stat(s.path, &before), 0);
    assert_int_equal(truncate(s.path, before.st_size + 100001), 0);
    assert_int_equal(records_count(s.path, KEY), 10);
    journal_close(journal_opened(s.path, KEY));
    assert_int_equal(stat(s.path, &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_come_back),
        cmocka_unit_test(test_it_is_private),
        cmocka_unit_test(test_the_format_is_the_documented_one),
        cmocka_unit_test(test_the_visitor_may_stop),
        cmocka_unit_test(test_another_key_is_refused),
        cmocka_unit_test(test_other_files_are_refused),
        cmocka_unit_test(test_torn_at_every_byte),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_damage_amid_whole_records),
        cmocka_unit_test(test_a_tail_of_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
