/* The run store where it cannot be written, is damaged, locked or from another time: one line, nothing lost.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "run_stores.h"

static void begin_fails(bramble_status wanted, const char *part)
{
    struct run_place place = {0};
    bramble_error error = {0};
    bramble_status status = run_store_begin(&place, "train forest", WORDS("x"), &error);
    if (status != wanted || !strstr(error.message, part) || strchr(error.message, '\n'))
        fail_msg("status %d, wanted %d and \"%s\": %s", (int)status, (int)wanted, part, error.message);
    assert_null(place.id);
}

static void execute(struct scratch *s, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(scratch_path(s, "home/runs.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void make_run(void)
{
    struct run_place place = run_begun("train forest", WORDS("train", "forest", "a.csv"));
    run_ended(&place, BRAMBLE_RUN_FINISHED, "{\"model_hash\": \"abc\"}");
}

static void test_where_it_is(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    char folder[400], before[4096];
    struct run_place place;
    unsetenv("BRAMBLE_HOME");
    snprintf(folder, sizeof folder, "%s/data/deep", s.folder);
    setenv("XDG_DATA_HOME", folder, 1);
    setenv("HOME", s.folder, 1);
    make_run();
    assert_int_equal(access(scratch_path(&s, "data/deep/bramble/runs/forest-1"), F_OK), 0);
    setenv("XDG_DATA_HOME", "not/absolute", 1); /* does not count, says its specification */
    make_run();
    assert_int_equal(access(scratch_path(&s, ".local/share/bramble/runs/forest-1"), F_OK), 0);
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(s.folder), 0);
    setenv("BRAMBLE_HOME", "here", 1);
    place = run_begun("train forest", WORDS("x"));
    assert_int_equal(chdir(before), 0);
    run_ended(&place, BRAMBLE_RUN_FINISHED, NULL);
    assert_int_equal(access(scratch_path(&s, "here/runs/forest-1"), F_OK), 0);
    unsetenv("XDG_DATA_HOME");
    scratch_remove(&s);
}

static void test_a_place_that_cannot_be_written(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    scratch_write(&s, "file", "1", 1);
    setenv("BRAMBLE_HOME", s.path, 1);
    begin_fails(BRAMBLE_ERR_IO, "BRAMBLE_HOME");
    setenv("BRAMBLE_HOME", scratch_path(&s, "file/in"), 1);
    begin_fails(BRAMBLE_ERR_IO, "file");
    setenv("BRAMBLE_HOME", "/proc/bramble", 1);
    begin_fails(BRAMBLE_ERR_IO, "/proc/bramble");
    scratch_remove(&s);
}

/* Damage at many places of the file: a clear error or the run as it was, and the file stays. */
static void test_damage(void **state)
{
    (void)state;
    struct scratch s = store_new();
    make_run();
    size_t n, after;
    uint8_t *bytes = scratch_slurp(scratch_path(&s, "home/runs.db"), &n);
    for (size_t at = 0; at < n; at += at < 200 ? 7 : 1009) {
        bytes[at] ^= 0xff;
        scratch_write(&s, "home/runs.db", bytes, n);
        struct bramble_run_list *list = NULL;
        bramble_error error = {0};
        bramble_status status = runs_try(&list, NULL, &error);
        if (status && (!strstr(error.message, "runs.db") || strchr(error.message, '\n')))
            fail_msg("byte %zu: %s", at, error.message);
        run_list_free(list);
        free(scratch_slurp(scratch_path(&s, "home/runs.db"), &after));
        assert_int_equal(after, n);
        bytes[at] ^= 0xff;
    }
    free(bytes);
    scratch_write(&s, "home/runs.db", "no database at all, but long enough to look at", 46);
    begin_fails(BRAMBLE_ERR_DATA, "damaged");
    free(scratch_slurp(scratch_path(&s, "home/runs.db"), &after));
    assert_int_equal(after, 46);
    scratch_remove(&s);
}

/* A store that was moved away leaves folders, whose names are not given again. */
static void test_folders_of_a_lost_database_stay(void **state)
{
    (void)state;
    struct scratch s = store_new();
    make_run();
    scratch_write(&s, "home/runs/forest-1/journal", "precious", 8);
    assert_int_equal(unlink(scratch_path(&s, "home/runs.db")), 0);
    struct run_place place = run_begun("train forest", WORDS("x"));
    assert_string_equal(place.id, "forest-2");
    assert_int_equal(access(scratch_path(&s, "home/runs/forest-1/journal"), F_OK), 0);
    assert_int_equal(unlink(scratch_path(&s, "home/runs.db")), 0);
    assert_int_equal(run_store_finish(&place, BRAMBLE_RUN_FINISHED, 1, NULL, NULL, NULL), BRAMBLE_ERR_IO);
    run_place_fini(&place);
    scratch_remove(&s);
}

static void test_rows_that_would_lead_elsewhere(void **state)
{
    (void)state;
    struct scratch s = store_new();
    make_run();
    execute(&s, "UPDATE runs SET id = '../..'");
    bramble_error error = {0};
    assert_int_equal(run_store_remove("../..", &error), BRAMBLE_ERR_DATA);
    assert_int_equal(access(scratch_path(&s, "home/runs/forest-1"), F_OK), 0);
    execute(&s, "UPDATE runs SET id = 'forest-1', state = 'odd'");
    struct bramble_run_list *list;
    assert_int_equal(runs_try(&list, NULL, &error), BRAMBLE_ERR_DATA);
    execute(&s, "UPDATE runs SET state = 'failed', words = x'41420043'");
    list = runs_read(NULL);
    assert_int_equal(list->runs[0].n_words, 0);
    run_list_free(list);
    scratch_remove(&s);
}

static void test_a_newer_store(void **state)
{
    (void)state;
    struct scratch s = store_new();
    make_run();
    execute(&s, "PRAGMA user_version = 7");
    begin_fails(BRAMBLE_ERR_UNSUPPORTED, "version 7");
    execute(&s, "PRAGMA user_version = 1");
    make_run();
    struct bramble_run_list *list = runs_read(NULL);
    assert_int_equal(list->n, 2);
    run_list_free(list);
    scratch_remove(&s);
}

/* Locks the store in a child, which lets go after a while. */
static pid_t lock_for_a_while(struct scratch *s)
{
    int ends[2];
    char ready;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        sqlite3 *db;
        bool locked = sqlite3_open(scratch_path(s, "home/runs.db"), &db) == SQLITE_OK &&
                      sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
        if (!locked || write(ends[1], "r", 1) != 1) _exit(1);
        usleep(200000);
        _exit(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    return child;
}

/* Another program that writes is waited for; readers need not wait. */
static void test_a_locked_store(void **state)
{
    (void)state;
    struct scratch s = store_new();
    make_run();
    pid_t child = lock_for_a_while(&s);
    struct bramble_run_list *list = runs_read(NULL);
    assert_int_equal(list->n, 1);
    run_list_free(list);
    make_run();
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    scratch_remove(&s);
}

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
    struct scratch s = store_new();
    signal(SIGXFSZ, SIG_IGN);
    make_run();
    for (rlim_t bytes = 0; bytes < 20000; bytes += 1000) {
        struct run_place place;
        bramble_error error = {0};
        limit_file_size(bytes);
        bramble_status status = run_store_begin(&place, "train forest", WORDS("x"), &error);
        limit_file_size(RLIM_INFINITY);
        if (status && !strstr(error.message, "runs.db")) fail_msg("%s", error.message);
        if (!status) run_ended(&place, BRAMBLE_RUN_FINISHED, NULL);
    }
    struct bramble_run_list *list = runs_read("forest-1");
    assert_string_equal(list->runs[0].model_hash, "abc");
    run_list_free(list);
    scratch_remove(&s);
}

/* A program killed at any moment amid its entries leaves a store that works. */
static void test_kill_amid_writing(void **state)
{
    (void)state;
    struct scratch s = store_new();
    unsigned random = 1;
    for (unsigned round = 0; round < 20; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct run_place place;
            while (!run_store_begin(&place, "train forest", WORDS("x"), NULL)) run_place_fini(&place);
            _exit(1);
        }
        random = random * 1664525u + 1013904223u;
        usleep(1000 + (random >> 18));
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        make_run();
        assert_int_equal(state_of_run("last"), BRAMBLE_RUN_FINISHED);
    }
    scratch_remove(&s);
}

static void test_every_allocation(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct scratch s = store_new();
    make_run();
    for (size_t n = 1;; n++) {
        struct run_place place = {0};
        struct bramble_run_list *list = NULL;
        bramble_error error = {0};
        mem_fail_at(n, 0);
        bramble_status status = run_store_begin(&place, "train forest", WORDS("x"), &error);
        if (!status) status = run_store_finish(&place, BRAMBLE_RUN_FAILED, 1, "{}", "why", &error);
        if (!status) status = runs_try(&list, "last", &error);
        if (!status) status = run_store_remove("last", &error);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        run_place_fini(&place);
        run_list_free(list);
        if (status != (reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK))
            fail_msg("allocation %zu: %s", n, error.message);
        if (!reached) break;
    }
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_it_is),
        cmocka_unit_test(test_a_place_that_cannot_be_written),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_folders_of_a_lost_database_stay),
        cmocka_unit_test(test_rows_that_would_lead_elsewhere),
        cmocka_unit_test(test_a_newer_store),
        cmocka_unit_test(test_a_locked_store),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_kill_amid_writing),
        cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
