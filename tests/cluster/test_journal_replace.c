/* Journals whose last record is replaced: the first one stays, and there is always a whole file. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "journals.h"

#define KEY "a network of a.csv"

static bramble_status replace(struct journal *journal, uint32_t task, bramble_error *error)
{
    uint8_t bytes[RECORD_BYTES_MAX];
    record_fill(task, bytes);
    return journal_replace(journal, task, bytes, record_length(task), error);
}

/* The journal has these two records, or one when they are the same, and no other. */
static void check_records(const char *path, uint32_t first, uint32_t last)
{
    struct records *records = malloc(sizeof *records);
    assert_int_equal(records_read(records, path, KEY), first == last ? 1 : 2);
    assert_int_equal(records->times[first], 1);
    assert_int_equal(records->times[last], 1);
    assert_int_equal(records->last, last);
    free(records);
}

static void check_nothing_beside(struct scratch *s, const char *path)
{
    char name[400];
    snprintf(name, sizeof name, "%s.new", path);
    assert_int_not_equal(access(name, F_OK), 0);
    assert_int_equal(scratch_count(s), 1);
}

static void test_the_first_stays(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    const char *path = scratch_path(&s, "journal");
    journal_made(path, KEY, 1, 5);
    struct journal *journal = journal_opened(path, KEY);
    for (uint32_t task = 6; task < 200; task++) {
        assert_int_equal(replace(journal, task, NULL), BRAMBLE_OK);
        check_records(path, 1, task);
    }
    assert_int_equal(record_append(journal, 200, NULL), BRAMBLE_OK);
    assert_int_equal(records_count(path, KEY), 3);
    journal_close(journal);
    for (uint32_t task = 201; task < 240; task++) {
        journal = journal_opened(path, KEY);
        assert_int_equal(replace(journal, task, NULL), BRAMBLE_OK);
        journal_close(journal);
        check_records(path, 1, task);
    }
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    check_nothing_beside(&s, path);
    scratch_remove(&s);
}

/* With no record before it the new one is the first, and stays. */
static void test_where_there_is_none_yet(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    for (int reopened = 0; reopened < 2; reopened++) {
        const char *path = scratch_path(&s, reopened ? "reopened" : "journal");
        struct journal *journal = journal_opened(path, KEY);
        assert_int_equal(replace(journal, 8, NULL), BRAMBLE_OK);
        check_records(path, 8, 8);
        if (reopened) {
            journal_close(journal);
            journal = journal_opened(path, KEY);
        }
        for (uint32_t task = 9; task < 12; task++) {
            assert_int_equal(replace(journal, task, NULL), BRAMBLE_OK);
            check_records(path, 8, task);
        }
        journal_close(journal);
    }
    scratch_remove(&s);
}

/* A file of PATH.new that a crash left is no obstacle, nor is what it has taken over. */
static void test_what_a_crash_left(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    scratch_write(&s, "journal.new", "half a journal", 14);
    const char *path = scratch_path(&s, "journal");
    journal_made(path, KEY, 1, 2);
    struct journal *journal = journal_opened(path, KEY);
    assert_int_equal(replace(journal, 3, NULL), BRAMBLE_OK);
    journal_close(journal);
    check_records(path, 1, 3);
    check_nothing_beside(&s, path);
    scratch_remove(&s);
}

/* A thread that replaces until it is told to stop; two records at all times. */
struct replacing {
    struct journal *journal;
    atomic_bool stop;
    atomic_uint n;
    pthread_t thread;
};

static void *replace_on(void *context)
{
    struct replacing *replacing = context;
    for (uint32_t task = 2; !atomic_load(&replacing->stop); task = task < 4000 ? task + 1 : 2)
        if (!replace(replacing->journal, task, NULL)) atomic_fetch_add(&replacing->n, 1);
    return NULL;
}

static void start_replacing(struct replacing *replacing, const char *path)
{
    journal_made(path, KEY, 1, 2);
    *replacing = (struct replacing){.journal = journal_opened(path, KEY)};
    assert_int_equal(pthread_create(&replacing->thread, NULL, replace_on, replacing), 0);
}

static void stop_replacing(struct replacing *replacing)
{
    atomic_store(&replacing->stop, true);
    pthread_join(replacing->thread, NULL);
    journal_close(replacing->journal);
}

static void test_reading_beside_it(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct replacing replacing;
    struct records *records = malloc(sizeof *records);
    const char *path = scratch_path(&s, "journal");
    start_replacing(&replacing, path);
    for (int i = 0; i < 50 || (atomic_load(&replacing.n) < 20 && i < 1000000); i++) {
        assert_int_equal(records_read(records, path, KEY), 2);
        assert_int_equal(records->times[1], 1);
    }
    stop_replacing(&replacing);
    assert_true(atomic_load(&replacing.n) >= 20);
    free(records);
    scratch_remove(&s);
}

/* It is refused although each file that it waits at is let go of soon, and may begin once the first is gone.
 */
static void test_a_second_writer_beside_it(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct replacing replacing;
    struct journal *second = NULL;
    bramble_error error = {0};
    const char *path = scratch_path(&s, "journal");
    start_replacing(&replacing, path);
    assert_int_equal(journal_append_open(&second, path, KEY, &error), BRAMBLE_ERR_IO);
    assert_non_null(strstr(error.message, "another bramble"));
    stop_replacing(&replacing);
    journal_made(path, KEY, 4001, 4001);
    assert_int_equal(records_count(path, KEY), 3);
    scratch_remove(&s);
}

struct waiting {
    const char *path;
    struct journal *journal;
    bramble_status status;
};

static void *open_waiting(void *context)
{
    struct waiting *waiting = context;
    waiting->status = journal_append_open(&waiting->journal, waiting->path, KEY, NULL);
    return NULL;
}

/* A writer that waited at the file that was replaced goes on with the one that has its name. */
static void test_who_waited_has_the_new_one(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    const char *path = scratch_path(&s, "journal");
    journal_made(path, KEY, 1, 2);
    for (uint32_t i = 0; i < 20; i++) {
        pthread_t thread;
        struct journal *first = journal_opened(path, KEY);
        struct waiting waiting = {.path = path};
        assert_int_equal(pthread_create(&thread, NULL, open_waiting, &waiting), 0);
        for (volatile uint32_t spin = 0; spin < i * 200000; spin++) continue;
        assert_int_equal(replace(first, 100 + i, NULL), BRAMBLE_OK);
        journal_close(first);
        pthread_join(thread, NULL);
        assert_int_equal(waiting.status, BRAMBLE_OK);
        assert_int_equal(record_append(waiting.journal, 200 + i, NULL), BRAMBLE_OK);
        assert_int_equal(records_count(path, KEY), 3);
        assert_int_equal(replace(waiting.journal, 300 + i, NULL), BRAMBLE_OK);
        journal_close(waiting.journal);
        check_records(path, 1, 300 + i);
    }
    scratch_remove(&s);
}

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A limit on files' sizes stands for the full disk, at every length that the new file may stop at. */
static void test_full_disk(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    const char *path = scratch_path(&s, "journal");
    struct stat info;
    signal(SIGXFSZ, SIG_IGN);
    journal_made(path, KEY, 1, 2);
    struct journal *journal = journal_opened(path, KEY);
    assert_int_equal(replace(journal, 5, NULL), BRAMBLE_OK);
    assert_int_equal(stat(path, &info), 0);
    for (rlim_t room = 0; room < (rlim_t)info.st_size + 3; room++) {
        bramble_error error = {0};
        limit_file_size(room);
        bramble_status status = replace(journal, 6, &error);
        limit_file_size(RLIM_INFINITY);
        assert_int_equal(status, BRAMBLE_ERR_IO);
        assert_non_null(strstr(error.message, "cannot write"));
        check_records(path, 1, 5);
        check_nothing_beside(&s, path);
    }
    assert_int_equal(record_append(journal, 7, NULL), BRAMBLE_OK);
    assert_int_equal(records_count(path, KEY), 3);
    assert_int_equal(replace(journal, 6, NULL), BRAMBLE_OK);
    journal_close(journal);
    check_records(path, 1, 6);
    scratch_remove(&s);
}

/* A name that cannot be had, for the file beside it or for the journal itself: a folder has it. */
static void test_names_that_cannot_be_had(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    char beside[400];
    const char *path = scratch_path(&s, "journal");
    snprintf(beside, sizeof beside, "%s.new", path);
    journal_made(path, KEY, 1, 2);
    struct journal *journal = journal_opened(path, KEY);
    assert_int_equal(mkdir(beside, 0700), 0);
    assert_int_equal(replace(journal, 3, NULL), BRAMBLE_ERR_IO);
    assert_int_equal(rmdir(beside), 0);
    check_records(path, 1, 2);

    char moved[400];
    snprintf(moved, sizeof moved, "%s.moved", path);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(replace(journal, 3, NULL), BRAMBLE_ERR_IO);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rename(moved, path), 0);
    check_nothing_beside(&s, path);
    assert_int_equal(record_append(journal, 3, NULL), BRAMBLE_OK);
    assert_int_equal(records_count(path, KEY), 3);
    assert_int_equal(replace(journal, 4, NULL), BRAMBLE_OK);
    journal_close(journal);
    check_records(path, 1, 4);
    scratch_remove(&s);
}

static void test_every_allocation(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct scratch s = scratch_new();
    const char *path = scratch_path(&s, "journal");
    journal_made(path, KEY, 1, 2);
    struct journal *journal = journal_opened(path, KEY);
    mem_fail_at(1, 0);
    assert_int_equal(replace(journal, 3, NULL), BRAMBLE_ERR_MEMORY);
    mem_fail_at(0, 0);
    check_records(path, 1, 2);
    assert_int_equal(replace(journal, 3, NULL), BRAMBLE_OK);
    journal_close(journal);
    check_records(path, 1, 3);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_stays),
        cmocka_unit_test(test_where_there_is_none_yet),
        cmocka_unit_test(test_what_a_crash_left),
        cmocka_unit_test(test_reading_beside_it),
        cmocka_unit_test(test_a_second_writer_beside_it),
        cmocka_unit_test(test_who_waited_has_the_new_one),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_names_that_cannot_be_had),
        cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
