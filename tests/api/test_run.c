/* Runs through the public interface: begin, log, finish, find; resume what did not come to its end. */
#include "scratch.h"

#include <bramble/bramble.h>

static struct scratch store_new(void)
{
    struct scratch s = scratch_new();
    setenv("BRAMBLE_HOME", scratch_path(&s, "home"), 1);
    return s;
}

static bramble_run *begun(const char *kind)
{
    bramble_run *run;
    bramble_error error = {0};
    const char *const words[] = {"train", "forest", "a.csv", NULL};
    if (bramble_run_begin(&run, kind, words, &error)) fail_msg("%s", error.message);
    return run;
}

struct events {
    unsigned n;
    char last[512];
};

static bramble_status keep(void *context, const char *event, bramble_error *error)
{
    struct events *events = context;
    (void)error;
    events->n++;
    snprintf(events->last, sizeof events->last, "%s", event);
    return BRAMBLE_OK;
}

static void last_event(const char *folder, unsigned n, const char *part)
{
    struct events events = {0};
    assert_int_equal(bramble_run_events(folder, keep, &events, NULL), BRAMBLE_OK);
    assert_int_equal(events.n, n);
    if (!strstr(events.last, part)) fail_msg("%s", events.last);
}

static void test_the_life_of_a_run(void **state)
{
    (void)state;
    struct scratch s = store_new();
    bramble_run *run = begun("train forest");
    bramble_run_list *list;
    assert_string_equal(bramble_run_id(run), "forest-1");
    last_event(bramble_run_folder(run), 1, "\"event\":\"began\"");
    assert_int_equal(bramble_run_event(run, "joined", "{\"node\": \"pi4\"}", NULL), BRAMBLE_OK);
    assert_int_equal(bramble_run_event(run, "joined", "pi4", NULL), BRAMBLE_ERR_USAGE);
    last_event(bramble_run_folder(run), 2, "\"node\":\"pi4\"");
    assert_int_equal(bramble_run_finish(run, BRAMBLE_RUN_RUNNING, NULL, NULL, NULL), BRAMBLE_ERR_USAGE);
    assert_int_equal(bramble_run_finish(run, BRAMBLE_RUN_FINISHED, "{\"model_hash\": \"ab\"}", NULL, NULL),
                     BRAMBLE_OK);
    last_event(bramble_run_folder(run), 3, "\"event\":\"finished\"");
    assert_int_equal(bramble_run_list_one(&list, "last", NULL), BRAMBLE_OK);
    const bramble_run_info *info = bramble_run_list_at(list, 0);
    assert_string_equal(info->folder, bramble_run_folder(run));
    assert_string_equal(info->model_hash, "ab");
    assert_string_equal(bramble_run_state_name(info->state), "finished");
    assert_null(bramble_run_list_at(list, 1));
    bramble_run_list_free(list);
    bramble_run_free(run);
    scratch_remove(&s);
}

static void test_resume(void **state)
{
    (void)state;
    struct scratch s = store_new();
    bramble_run *run = begun("train forest");
    assert_int_equal(bramble_run_resume(&run, "last", NULL),
                     BRAMBLE_ERR_USAGE); /* this process still runs it */
    assert_int_equal(bramble_run_finish(run, BRAMBLE_RUN_FAILED, NULL, "no power", NULL), BRAMBLE_OK);
    bramble_run_free(run);
    assert_int_equal(bramble_run_resume(&run, "forest-1", NULL), BRAMBLE_OK);
    assert_string_equal(bramble_run_id(run), "forest-1");
    last_event(bramble_run_folder(run), 3, "\"event\":\"resumed\"");
    assert_int_equal(bramble_run_finish(run, BRAMBLE_RUN_FINISHED, NULL, NULL, NULL), BRAMBLE_OK);
    bramble_run_free(run);
    assert_int_equal(bramble_run_resume(&run, "forest-1", NULL), BRAMBLE_ERR_USAGE);
    scratch_remove(&s);
}

static void test_lists(void **state)
{
    (void)state;
    struct scratch s = store_new();
    bramble_run_list *list;
    assert_int_equal(bramble_run_list_all(&list, 0, NULL), BRAMBLE_OK);
    assert_int_equal(bramble_run_list_length(list), 0);
    bramble_run_list_free(list);
    bramble_run *runs[] = {begun("train forest"), begun("train net"), begun("train forest")};
    assert_int_equal(bramble_run_list_all(&list, 2, NULL), BRAMBLE_OK);
    assert_int_equal(bramble_run_list_length(list), 2);
    assert_string_equal(bramble_run_list_at(list, 0)->id, "forest-2");
    assert_string_equal(bramble_run_list_at(list, 1)->id, "net-1");
    bramble_run_list_free(list);
    assert_int_equal(bramble_run_remove("net-1", NULL), BRAMBLE_ERR_USAGE);
    assert_int_equal(bramble_run_finish(runs[1], BRAMBLE_RUN_INTERRUPTED, NULL, NULL, NULL), BRAMBLE_OK);
    assert_int_equal(bramble_run_remove("net-1", NULL), BRAMBLE_OK);
    bramble_error error = {0};
    assert_int_equal(bramble_run_list_one(&list, "net-1", &error), BRAMBLE_ERR_USAGE);
    assert_non_null(strstr(error.message, "net-1"));
    for (unsigned i = 0; i < 3; i++) bramble_run_free(runs[i]);
    bramble_run_free(NULL);
    bramble_run_list_free(NULL);
    scratch_remove(&s);
}

/* A run that cannot log is none: it fails, and is entered so. */
static void test_a_folder_that_cannot_be_written(void **state)
{
    (void)state;
    struct scratch s = store_new();
    bramble_run *run = begun("train forest");
    bramble_run_finish(run, BRAMBLE_RUN_FAILED, NULL, NULL, NULL);
    char path[512];
    snprintf(path, sizeof path, "%s/events.jsonl", bramble_run_folder(run));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    bramble_run_free(run);
    run = NULL;
    bramble_error error = {0};
    assert_int_equal(bramble_run_resume(&run, "last", &error), BRAMBLE_ERR_IO);
    assert_null(run);
    assert_non_null(strstr(error.message, "events.jsonl"));
    bramble_run_list *list;
    assert_int_equal(bramble_run_list_one(&list, "last", NULL), BRAMBLE_OK);
    assert_int_equal(bramble_run_list_at(list, 0)->state, BRAMBLE_RUN_FAILED);
    assert_string_equal(bramble_run_list_at(list, 0)->message, error.message);
    bramble_run_list_free(list);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_life_of_a_run),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_a_folder_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
