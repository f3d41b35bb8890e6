/* Training on a cluster of this machine alone, through real MPI: the same forest, also after the program was
 * killed. */
#include <signal.h>
#include <time.h>

#include "program.h"

static void write_cluster(struct scratch *s)
{
    char text[4096];
    snprintf(text, sizeof text, "[here]\nhost = localhost\nprogram = %s/bramble\n", getenv("BRAMBLE_BUILD"));
    scratch_write(s, "cluster.ini", text, strlen(text));
}

static json_t *run_called_last(struct scratch *s)
{
    return JSON(s, "show", "last", "--json", "--events");
}

static bool has_event(const json_t *run, const char *name)
{
    size_t i;
    json_t *event;
    json_array_foreach(json_object_get(run, "events"), i, event)
    {
        if (strcmp(json_text_of(event, "event"), name) == 0) return true;
    }
    return false;
}

static void test_the_same_forest(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 400, 1);
    write_cluster(&s);
    json_t *alone = JSON(&s, "train", "forest", "kinds.csv", "--trees", "40", "--oob-score", "--class-weight",
                         "balanced", "--json", "--out", "alone.onnx");
    json_t *cluster =
        JSON(&s, "train", "forest", "kinds.csv", "--trees", "40", "--oob-score", "--class-weight", "balanced",
             "--json", "--out", "cluster.onnx", "--cluster", "cluster.ini");
    assert_string_equal(json_text_of(alone, "model_hash"), json_text_of(cluster, "model_hash"));
    assert_true(json_number_of(alone, "oob_score") == json_number_of(cluster, "oob_score"));
    const json_t *member = json_array_get(json_object_get(cluster, "members"), 0);
    assert_string_equal(json_text_of(member, "name"), "here");
    assert_int_equal((int)json_number_of(member, "trees"), 40);
    json_t *run = run_called_last(&s);
    assert_true(has_event(run, "launched") && has_event(run, "working") && has_event(run, "finished"));
    json_decref(run);
    json_decref(alone);
    json_decref(cluster);
    scratch_remove(&s);
}

/* Waits until the run's journal holds something beside its head. */
static void wait_for_results(struct scratch *s)
{
    for (int i = 0; i < 6000; i++) {
        FILE *journal = fopen(scratch_path(s, ".bramble/runs/forest-1/journal"), "rb");
        long length = 0;
        if (journal && fseek(journal, 0, SEEK_END) == 0) length = ftell(journal);
        if (journal) fclose(journal);
        if (length > 20000) return;
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    fail_msg("no result came in");
}

static void test_killed_and_resumed(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 3000, 1);
    write_cluster(&s);
    const char *const words[] = {"train",  "forest",    "kinds.csv",   "--trees", "2000",
                                 "--json", "--cluster", "cluster.ini", NULL};
    struct running running = program_start(&s, "bramble", words, NULL, NULL);
    wait_for_results(&s);
    FAILS(2, "is no name", &s, "cluster", "add", "two words");
    kill(running.pid, SIGKILL);
    struct said end = program_wait(&running);
    assert_int_equal(end.signal, SIGKILL);
    said_fini(&end);
    FAILS(2, "machines can join only while it runs", &s, "cluster", "add", "pi4");
    json_t *resumed = JSON(&s, "resume", "last");
    json_t *undisturbed = JSON(&s, "train", "forest", "kinds.csv", "--trees", "2000", "--json");
    assert_string_equal(json_text_of(resumed, "model_hash"), json_text_of(undisturbed, "model_hash"));
    const json_t *member = json_array_get(json_object_get(resumed, "members"), 0);
    assert_true(json_number_of(member, "trees") < 2000); /* the others were there already */
    json_decref(resumed);
    json_decref(undisturbed);
    FAILS(2, "is finished", &s, "resume", "forest-1");
    scratch_remove(&s);
}

static void test_no_node_can_be_used(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 100, 1);
    const char *text = "[cluster]\nlocal = no\n\n[gone]\nhost = no-such-host.invalid\n";
    scratch_write(&s, "cluster.ini", text, strlen(text));
    struct said said = RUN(&s, "train", "forest", "kinds.csv", "--cluster", "cluster.ini", "--quiet");
    said_failed(said, 1, "gone");
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_forest),
        cmocka_unit_test(test_killed_and_resumed),
        cmocka_unit_test(test_no_node_can_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
