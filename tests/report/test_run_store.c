/* The run store: what is entered is found, by several programs at once, and whatever became of them. */
#include <math.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "run_stores.h"

static void test_a_run_from_begin_to_end(void **state)
{
    (void)state;
    struct scratch s = store_new();
    struct run_place place = run_begun("train forest", WORDS("train", "forest", "b\xff\".csv", ""));
    assert_string_equal(place.id, "forest-1");
    assert_int_equal(access(place.folder, W_OK), 0);
    assert_int_equal(state_of_run("forest-1"), BRAMBLE_RUN_RUNNING);
    run_ended(&place, BRAMBLE_RUN_FINISHED, "{\"accuracy\": 0.5, \"model_hash\": \"abc\"}");
    struct bramble_run_list *list = runs_read("last");
    const bramble_run_info *run = list->runs;
    assert_int_equal(list->n, 1);
    assert_string_equal(run->kind, "train forest");
    assert_int_equal(run->n_words, 4);
    assert_string_equal(run->words[2], "b\xff\".csv");
    assert_string_equal(run->words[3], "");
    assert_null(run->words[4]);
    assert_int_equal(run->state, BRAMBLE_RUN_FINISHED);
    assert_true(run->started > 1.6e9 && run->ended >= run->started);
    assert_true(run->seconds == 1.5);
    assert_string_equal(run->summary, "{\"accuracy\": 0.5, \"model_hash\": \"abc\"}");
    assert_string_equal(run->model_hash, "abc");
    assert_null(run->message);
    char here[4096];
    assert_string_equal(run->directory, getcwd(here, sizeof here));
    run_list_free(list);
    scratch_remove(&s);
}

static void test_numbers_count_by_kind_and_never_come_again(void **state)
{
    (void)state;
    struct scratch s = store_new();
    const char *const kinds[] = {"train forest", "train net", "train forest", "bench"};
    const char *const ids[] = {"forest-1", "net-1", "forest-2", "bench-1"};
    for (unsigned i = 0; i < 4; i++) {
        struct run_place place = run_begun(kinds[i], WORDS("x"));
        assert_string_equal(place.id, ids[i]);
        run_ended(&place, BRAMBLE_RUN_FAILED, NULL);
    }
    assert_int_equal(run_store_remove("forest-2", NULL), BRAMBLE_OK);
    struct run_place place = run_begun("train forest", WORDS("x"));
    assert_string_equal(place.id, "forest-3");
    run_place_fini(&place);
    struct bramble_run_list *list = runs_read(NULL);
    assert_int_equal(list->n, 4);
    assert_string_equal(list->runs[0].id, "forest-3");
    assert_string_equal(list->runs[3].id, "forest-1");
    assert_true(isnan(list->runs[0].ended) && isnan(list->runs[0].seconds));
    run_list_free(list);
    assert_int_equal(run_store_begin(&place, "../up", WORDS("x"), NULL), BRAMBLE_ERR_USAGE);
    scratch_remove(&s);
}

static void mode_is(const char *path, mode_t mode)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, mode);
}

static void test_all_is_private(void **state)
{
    (void)state;
    struct scratch s = store_new();
    struct run_place place = run_begun("train forest", WORDS("x"));
    mode_is(place.home, 0700);
    mode_is(place.folder, 0700);
    mode_is(scratch_path(&s, "home/runs"), 0700);
    mode_is(scratch_path(&s, "home/runs.db"), 0600);
    run_place_fini(&place);
    scratch_remove(&s);
}

static void test_no_store_is_an_empty_list(void **state)
{
    (void)state;
    struct scratch s = store_new();
    struct bramble_run_list *list = runs_read(NULL);
    assert_int_equal(list->n, 0);
    run_list_free(list);
    bramble_error error = {0};
    assert_int_equal(runs_try(&list, "forest-1", &error), BRAMBLE_ERR_USAGE);
    assert_non_null(strstr(error.message, "no run \"forest-1\""));
    assert_int_equal(runs_try(&list, "last", &error), BRAMBLE_ERR_USAGE);
    assert_int_equal(run_store_remove("last", &error), BRAMBLE_ERR_USAGE);
    assert_int_not_equal(access(scratch_path(&s, "home"), F_OK), 0); /* looking makes nothing */
    scratch_remove(&s);
}

/* Children that begin and finish runs at once: every id is given once. */
static void test_several_programs_at_once(void **state)
{
    (void)state;
    enum { PROGRAMS = 6, RUNS = 5 };
    struct scratch s = store_new();
    pid_t children[PROGRAMS];
    for (unsigned i = 0; i < PROGRAMS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i]) continue;
        for (unsigned n = 0; n < RUNS; n++) {
            struct run_place place;
            if (run_store_begin(&place, "train forest", WORDS("x"), NULL)) _exit(1);
            if (run_store_finish(&place, BRAMBLE_RUN_FINISHED, 1, "{}", NULL, NULL)) _exit(2);
            run_place_fini(&place);
        }
        _exit(0);
    }
    for (unsigned i = 0; i < PROGRAMS; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    struct bramble_run_list *list = runs_read(NULL);
    assert_int_equal(list->n, PROGRAMS * RUNS);
    for (size_t i = 0; i < list->n; i++) {
        char id[32];
        snprintf(id, sizeof id, "forest-%zu", list->n - i);
        assert_string_equal(list->runs[i].id, id);
        assert_int_equal(list->runs[i].state, BRAMBLE_RUN_FINISHED);
    }
    run_list_free(list);
    scratch_remove(&s);
}

/* Begins a run in a child and kills that at once, or leaves it a zombie. */
static pid_t begin_in_child(bool kill_it)
{
    int ends[2];
    char ready;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct run_place place;
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* nor outlives a test that fails */
        if (run_store_begin(&place, "train forest", WORDS("x"), NULL) || write(ends[1], "r", 1) != 1)
            _exit(1);
        for (;;) pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    if (kill_it) {
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    return child;
}

static void test_a_killed_program_leaves_an_interrupted_run(void **state)
{
    (void)state;
    struct scratch s = store_new();
    begin_in_child(true);
    assert_int_equal(state_of_run("forest-1"), BRAMBLE_RUN_INTERRUPTED);
    struct run_place place;
    bramble_error error = {0};
    if (run_store_resume(&place, "last", &error)) fail_msg("%s", error.message);
    assert_string_equal(place.id, "forest-1");
    assert_int_equal(state_of_run("forest-1"), BRAMBLE_RUN_RUNNING);
    run_ended(&place, BRAMBLE_RUN_FINISHED, NULL);
    assert_int_equal(run_store_resume(&place, "forest-1", &error), BRAMBLE_ERR_USAGE);
    assert_non_null(strstr(error.message, "finished"));
    scratch_remove(&s);
}

static void test_a_running_run_is_left_alone(void **state)
{
    (void)state;
    struct scratch s = store_new();
    pid_t child = begin_in_child(false);
    struct run_place place;
    bramble_error error = {0};
    assert_int_equal(state_of_run("last"), BRAMBLE_RUN_RUNNING);
    assert_int_equal(run_store_resume(&place, "last", &error), BRAMBLE_ERR_USAGE);
    assert_non_null(strstr(error.message, "still runs"));
    assert_int_equal(run_store_remove("forest-1", &error), BRAMBLE_ERR_USAGE);
    assert_int_equal(access(scratch_path(&s, "home/runs/forest-1"), F_OK), 0);
    kill(child, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(state_of_run("last"), BRAMBLE_RUN_INTERRUPTED); /* also before its parent looked */
    assert_int_equal(waitpid(child, NULL, 0), child);
    scratch_remove(&s);
}

static void test_time_adds_up_over_resumes(void **state)
{
    (void)state;
    struct scratch s = store_new();
    struct run_place place = run_begun("train forest", WORDS("x"));
    run_ended(&place, BRAMBLE_RUN_INTERRUPTED, NULL);
    assert_int_equal(run_store_resume(&place, "forest-1", NULL), BRAMBLE_OK);
    assert_int_equal(run_store_finish(&place, BRAMBLE_RUN_FAILED, 2, NULL, "no power", NULL), BRAMBLE_OK);
    struct bramble_run_list *list = runs_read("forest-1");
    assert_true(list->runs[0].seconds == 3.5);
    assert_string_equal(list->runs[0].message, "no power");
    run_list_free(list);
    run_place_fini(&place);
    scratch_remove(&s);
}

static void test_removing(void **state)
{
    (void)state;
    struct scratch s = store_new();
    struct run_place place = run_begun("train forest", WORDS("x"));
    char path[400];
    snprintf(path, sizeof path, "%s/data", place.folder);
    assert_int_equal(mkdir(path, 0700), 0);
    scratch_write(&s, "home/runs/forest-1/data/one", "1", 1);
    scratch_write(&s, "precious", "2", 1);
    snprintf(path, sizeof path, "%s/link", place.folder);
    assert_int_equal(symlink(s.path, path), 0);
    run_ended(&place, BRAMBLE_RUN_FINISHED, NULL);
    bramble_error error = {0};
    if (run_store_remove("forest-1", &error)) fail_msg("%s", error.message);
    assert_int_not_equal(access(scratch_path(&s, "home/runs/forest-1"), F_OK), 0);
    assert_int_equal(access(scratch_path(&s, "precious"), F_OK), 0);
    assert_int_equal(run_store_remove("forest-1", &error), BRAMBLE_ERR_USAGE);
    scratch_remove(&s);
}

static void test_a_bad_summary_is_refused(void **state)
{
    (void)state;
    struct scratch s = store_new();
    struct run_place place = run_begun("train forest", WORDS("x"));
    const char *const bad[] = {"", "7", "[1]", "{\"a\": }", "{} {}"};
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(run_store_finish(&place, BRAMBLE_RUN_FINISHED, 1, bad[i], NULL, NULL),
                         BRAMBLE_ERR_USAGE);
    assert_int_equal(state_of_run("last"), BRAMBLE_RUN_RUNNING);
    run_ended(&place, BRAMBLE_RUN_FINISHED, "{\"model_hash\": 7}");
    assert_int_equal(state_of_run("last"), BRAMBLE_RUN_FINISHED);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_from_begin_to_end),
        cmocka_unit_test(test_numbers_count_by_kind_and_never_come_again),
        cmocka_unit_test(test_all_is_private),
        cmocka_unit_test(test_no_store_is_an_empty_list),
        cmocka_unit_test(test_several_programs_at_once),
        cmocka_unit_test(test_a_killed_program_leaves_an_interrupted_run),
        cmocka_unit_test(test_a_running_run_is_left_alone),
        cmocka_unit_test(test_time_adds_up_over_resumes),
        cmocka_unit_test(test_removing),
        cmocka_unit_test(test_a_bad_summary_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
