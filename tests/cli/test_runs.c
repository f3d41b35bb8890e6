/* Runs are kept, listed, shown and removed; and a store that cannot be written stops no training. */
#include <signal.h>

#include "program.h"

static void train(const struct scratch *s, const char *trees)
{
    struct said said = DONE(s, "train", "forest", "kinds.csv", "--trees", trees, "--holdout", "0.2");
    said_fini(&said);
}

static void test_a_run_is_kept(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 200, 1);
    json_t *result = JSON(&s, "train", "forest", "kinds.csv", "--trees", "3", "--json", "--out", "a b.onnx");
    assert_string_equal(json_text_of(result, "run"), "forest-1");
    json_t *run = JSON(&s, "show", "last", "--json", "--events");
    assert_string_equal(json_text_of(run, "run"), "forest-1");
    assert_string_equal(json_text_of(run, "state"), "finished");
    assert_string_equal(json_text_of(run, "kind"), "train forest");
    assert_true(json_equal(json_object_get(run, "summary"), result));
    assert_string_equal(json_text_of(run, "model_hash"), json_text_of(result, "model_hash"));
    json_t *words = json_object_get(run, "command"), *events = json_object_get(run, "events");
    assert_int_equal(json_array_size(words), 8);
    assert_string_equal(json_string_value(json_array_get(words, 7)), "a b.onnx");
    assert_string_equal(json_text_of(json_array_get(events, 0), "event"), "began");
    assert_string_equal(json_text_of(json_array_get(events, 1), "event"), "finished");
    assert_true(json_number_of(run, "seconds") >= 0);
    json_decref(run);
    json_decref(result);
    struct said said = DONE(&s, "show", "forest-1", "--events");
    assert_non_null(
        strstr(said.out, "command     bramble train forest kinds.csv --trees 3 --json --out 'a b.onnx'\n"));
    assert_non_null(strstr(said.out, "forest-1: train forest, finished\n"));
    assert_non_null(strstr(said.out, "began"));
    said_fini(&said);
    scratch_remove(&s);
}

static void test_the_list(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 100, 1);
    struct said said = DONE(&s, "runs");
    assert_non_null(strstr(said.out, "no runs yet"));
    said_fini(&said);
    assert_int_not_equal(access(scratch_path(&s, ".bramble"), F_OK), 0);
    const char *const trees[] = {"1", "2", "3"};
    for (unsigned i = 0; i < 3; i++) train(&s, trees[i]);
    said = DONE(&s, "runs", "--limit", "2");
    const char *third = strstr(said.out, "forest-3      finished"), *second = strstr(said.out, "forest-2");
    assert_true(third && second && third < second);
    assert_null(strstr(said.out, "forest-1"));
    assert_non_null(strstr(said.out, "train forest kinds.csv --trees 3 --holdout 0.2\n"));
    said_fini(&said);
    json_t *list = JSON(&s, "runs", "--json", "--limit", "0");
    assert_int_equal(json_array_size(json_object_get(list, "runs")), 3);
    json_decref(list);
    scratch_remove(&s);
}

static void test_removing(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 100, 1);
    train(&s, "1");
    train(&s, "1");
    struct said said = DONE(&s, "runs", "--remove", "last");
    assert_string_equal(said.out, "removed forest-2\n");
    said_fini(&said);
    assert_int_not_equal(access(scratch_path(&s, ".bramble/runs/forest-2"), F_OK), 0);
    assert_int_equal(access(scratch_path(&s, "model.onnx"), F_OK), 0);
    FAILS(2, "no run \"forest-2\"", &s, "show", "forest-2");
    FAILS(2, "no run \"forest-2\"", &s, "runs", "--remove", "forest-2");
    FAILS(2, "no run \"../x?\"", &s, "show", "../x\n");
    scratch_remove(&s);
}

static void test_a_failed_run(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    FAILS(1, "absent.csv", &s, "train", "forest", "absent.csv");
    json_t *run = JSON(&s, "show", "last", "--json");
    assert_string_equal(json_text_of(run, "state"), "failed");
    assert_non_null(strstr(json_text_of(run, "message"), "absent.csv"));
    json_decref(run);
    scratch_remove(&s);
}

/* Ended by a signal while it waits for data: by one it hears, and by one it cannot. */
static void stop_a_run(int signal_number, bool training)
{
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 300, 1);
    const char *const words[] = {"train", "forest", "kinds.csv", "--trees", "1000000", NULL};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    FILE *err = fdopen(ends[1], "w");
    struct running running = program_start(&s, "bramble", words, NULL, err);
    fclose(err);
    running.err = tmpfile();
    char said[64];
    assert_true(read(ends[0], said, sizeof said) > 0); /* the first line of progress */
    json_t *run = JSON(&s, "show", "last", "--json");
    assert_string_equal(json_text_of(run, "state"), "running");
    json_decref(run);
    FAILS(2, "still runs", &s, "resume", "last");
    FAILS(2, "still runs", &s, "runs", "--remove", "last");
    kill(running.pid, signal_number);
    struct said end = program_wait(&running);
    assert_int_equal(end.signal, signal_number);
    said_fini(&end);
    close(ends[0]);
    run = JSON(&s, "show", "last", "--json", "--events");
    assert_string_equal(json_text_of(run, "state"), "interrupted");
    assert_int_equal(json_array_size(json_object_get(run, "events")), training ? 2 : 1);
    json_decref(run);
    FAILS(2, "nothing to resume", &s, "resume", "last");
    scratch_remove(&s);
}

static void test_ctrl_c_leaves_an_interrupted_run(void **state)
{
    (void)state;
    stop_a_run(SIGINT, true);
}

static void test_a_killed_run_is_interrupted(void **state)
{
    (void)state;
    stop_a_run(SIGKILL, false);
}

static void test_what_cannot_be_resumed(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 100, 1);
    FAILS(2, "there is no run yet", &s, "resume", "last");
    train(&s, "1");
    FAILS(2, "forest-1 is finished", &s, "resume", "last");
    FAILS(1, "absent.csv", &s, "train", "forest", "absent.csv");
    FAILS(2, "forest-2 has nothing to resume", &s, "resume", "forest-2");
    scratch_remove(&s);
}

/* Trains with a file where the store should be: a warning, and the model. */
static void test_a_store_that_cannot_be_written(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 100, 1);
    scratch_write(&s, ".bramble", "", 0);
    struct said said = DONE(&s, "train", "forest", "kinds.csv", "--trees", "2", "--quiet");
    assert_non_null(strstr(said.err, "warning: this run is not kept: "));
    assert_ptr_equal(strchr(said.err, '\n'), said.err + strlen(said.err) - 1);
    said_fini(&said);
    assert_int_equal(access(scratch_path(&s, "model.onnx"), F_OK), 0);
    json_t *result = JSON(&s, "train", "forest", "kinds.csv", "--trees", "2", "--json");
    assert_null(json_object_get(result, "run"));
    json_decref(result);
    scratch_remove(&s);
}

static void test_a_damaged_store(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 100, 1);
    train(&s, "1");
    scratch_write(&s, ".bramble/runs.db", "nothing that was ever a database, whatever one hopes", 52);
    FAILS(1, "damaged", &s, "runs");
    FAILS(1, "damaged", &s, "show", "last", "--json");
    FAILS(1, "damaged", &s, "resume", "last");
    train(&s, "1");
    struct stat info;
    assert_int_equal(stat(scratch_path(&s, ".bramble/runs.db"), &info), 0);
    assert_int_equal(info.st_size, 52);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_is_kept),
        cmocka_unit_test(test_the_list),
        cmocka_unit_test(test_removing),
        cmocka_unit_test(test_a_failed_run),
        cmocka_unit_test(test_ctrl_c_leaves_an_interrupted_run),
        cmocka_unit_test(test_a_killed_run_is_interrupted),
        cmocka_unit_test(test_what_cannot_be_resumed),
        cmocka_unit_test(test_a_store_that_cannot_be_written),
        cmocka_unit_test(test_a_damaged_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
