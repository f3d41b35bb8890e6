/* Journals under kill -9, a second writer, a full disk and failing allocations. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "journals.h"

#define KEY "faults"

/* Appends from `task` on until it is killed; each append that returned is told to `told`. */
static void append_until_killed(const char *path, uint32_t task, int told)
{
    struct journal *journal;
    if (journal_append_open(&journal, path, KEY, NULL)) _exit(1);
    for (; task < 4096; task++) {
        if (record_append(journal, task, NULL)) _exit(1);
        if (task % 16 == 0 && journal_sync(journal, NULL)) _exit(1);
        if (write(told, &task, sizeof task) != sizeof task) _exit(1);
    }
    _exit(0);
}

/* Starts a writer, kills it after `patience` of its appends and some more time; returns the last it told. */
static uint32_t kill_a_writer(const char *path, uint32_t next, unsigned patience, unsigned spins)
{
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) append_until_killed(path, next, pipe_ends[1]);
    close(pipe_ends[1]);
    uint32_t task, last = next - 1;
    for (unsigned i = 0; i < patience && read(pipe_ends[0], &task, sizeof task) == sizeof task; i++)
        last = task;
    for (volatile unsigned i = 0; i < spins; i++) continue;
    kill(child, SIGKILL);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) assert_int_equal(WEXITSTATUS(status), 0);
    while (read(pipe_ends[0], &task, sizeof task) == sizeof task) last = task;
    close(pipe_ends[0]);
    return last;
}

static void test_kill_loses_nothing(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    const char *path = scratch_path(&s, "journal");
    struct records *records = malloc(sizeof *records);
    assert_non_null(records);
    uint32_t next = 1, random = 12345;
    for (unsigned round = 0; round < 40 && next < 4000; round++) {
        random = random * 1664525u + 1013904223u;
        uint32_t told = kill_a_writer(path, next, random >> 28, random >> 8 & 0xffff);
        records_read(records, path, KEY);
        for (uint32_t task = 1; task <= told; task++)
            if (records->times[task] != 1)
                fail_msg("round %u: task %u came %u times", round, task, records->times[task]);
        next = (records->n ? records->last : 0) + 1;
        assert_true(next == told + 1 || next == told + 2); /* one was written and not yet told */
    }
    assert_true(next > 40);
    free(records);
    scratch_remove(&s);
}

static void test_second_writer_is_refused(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    const char *path = scratch_path(&s, "journal");
    struct journal *first = journal_opened(path, KEY), *second = NULL;
    bramble_error error = {0};
    assert_int_equal(journal_append_open(&second, path, KEY, &error), BRAMBLE_ERR_IO);
    assert_null(second);
    assert_non_null(strstr(error.message, "another bramble"));
    assert_int_equal(record_append(first, 1, NULL), BRAMBLE_OK);
    assert_int_equal(records_count(path, KEY), 1); /* readers need no lock */
    journal_close(first);
    journal_made(path, KEY, 2, 2);
    assert_int_equal(records_count(path, KEY), 2);
    scratch_remove(&s);
}

/* A limit on the file's size stands for the full disk: the write that crosses it is cut short or refused. */
static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    const char *path = scratch_path(&s, "journal");
    signal(SIGXFSZ, SIG_IGN);
    struct journal *journal = journal_opened(path, KEY);
    uint32_t task = 1, done;
    limit_file_size(100000);
    bramble_error error = {0};
    while (!record_append(journal, task, &error)) task++;
    assert_non_null(strstr(error.message, "cannot write"));
    done = task;
    assert_int_equal(records_count(path, KEY), done - 1);
    assert_int_equal(record_append(journal, task, &error), BRAMBLE_ERR_IO);
    assert_int_equal(journal_append(journal, 7, NULL, 0, &error), BRAMBLE_OK); /* a small one still fits */
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(record_append(journal, task, &error), BRAMBLE_OK);
    journal_close(journal);
    assert_int_equal(records_count(path, KEY), done + 1);
    scratch_remove(&s);
}

/* No room for the head: no journal, and none that a later start could not use. */
static void test_full_disk_at_the_start(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    const char *path = scratch_path(&s, "journal");
    signal(SIGXFSZ, SIG_IGN);
    struct journal *journal = NULL;
    bramble_error error = {0};
    limit_file_size(10);
    assert_int_equal(journal_append_open(&journal, path, KEY, &error), BRAMBLE_ERR_IO);
    limit_file_size(RLIM_INFINITY);
    assert_null(journal);
    assert_int_equal(records_count(path, KEY), 0);
    journal_made(path, KEY, 1, 3);
    assert_int_equal(records_count(path, KEY), 3);
    scratch_remove(&s);
}

static void test_where_nothing_can_be_written(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct journal *journal = NULL;
    bramble_error error = {0};
    assert_int_equal(journal_append_open(&journal, scratch_path(&s, "no/journal"), KEY, &error),
                     BRAMBLE_ERR_IO);
    assert_non_null(strstr(error.message, "no/journal"));
    assert_int_equal(journal_append_open(&journal, s.folder, KEY, &error), BRAMBLE_ERR_IO);
    assert_null(journal);
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
    journal_made(path, KEY, 1, 20);
    for (size_t n = 1;; n++) {
        struct journal *journal = NULL;
        struct records records = {0};
        bramble_error error = {0};
        mem_fail_at(n, 0);
        bramble_status status = journal_append_open(&journal, path, KEY, &error);
        if (!status) status = journal_read(path, KEY, record_visit, &records, &error);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        journal_close(journal);
        assert_int_equal(status, reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK);
        if (!reached) break;
    }
    assert_int_equal(records_count(path, KEY), 20);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_loses_nothing),
        cmocka_unit_test(test_second_writer_is_refused),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_full_disk_at_the_start),
        cmocka_unit_test(test_where_nothing_can_be_written),
        cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
