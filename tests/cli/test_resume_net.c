/* A network's training that is killed and gone on with, at any moment and as often as may be, comes to the
 * very network that an undisturbed one makes. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "program.h"

static const char *const words[] = {"train",
                                    "net",
                                    "kinds.csv",
                                    "--epochs",
                                    "12",
                                    "--batch-size",
                                    "16",
                                    "--out",
                                    "m.onnx",
                                    "--validation",
                                    "0.2",
                                    "--sample-weight",
                                    "weight",
                                    "--optimiser",
                                    "adam",
                                    "--schedule",
                                    "cosine",
                                    "--quiet",
                                    "--checkpoint-seconds",
                                    "0",
                                    NULL};

static void hash_of(struct scratch *s, char hash[64])
{
    json_t *run = JSON(s, "show", "last", "--json");
    assert_string_equal(json_text_of(run, "state"), "finished");
    snprintf(hash, 64, "%s", json_text_of(run, "model_hash"));
    json_decref(run);
}

static void undisturbed(struct scratch *s, char hash[64])
{
    struct said said = said_done(program_run(s, words));
    said_fini(&said);
    hash_of(s, hash);
    unlink(scratch_path(s, "m.onnx"));
}

static void wait_ms(unsigned ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000}, NULL);
}

/* Starts it, or goes on with it, and ends it by this signal after some time (0: never). True: it came to its
 * end. */
static bool run_for(struct scratch *s, bool begun, unsigned ms, int signal_number)
{
    const char *const resume[] = {"resume", "last", NULL};
    struct running running = program_start(s, "bramble", begun ? resume : words, NULL, NULL);
    while (!begun && access(scratch_path(s, ".bramble/runs/net-2/events.jsonl"), F_OK) != 0) wait_ms(1);
    wait_ms(ms);
    if (ms) kill(running.pid, signal_number);
    struct said said = program_wait(&running);
    bool done = said.code == 0 || strstr(said.err, "is finished"); /* killed when all was done */
    if (!done && said.signal != signal_number) fail_msg("exit code %d: %s", said.code, said.err);
    said_fini(&said);
    return done;
}

/* Kills at ever other moments until it is done. */
static void disturbed(struct scratch *s, int signal_number, unsigned seed)
{
    bool done = run_for(s, false, 20, signal_number);
    for (unsigned kills = 0; !done; kills++) {
        seed = seed * 1103515245u + 12345u;
        done = run_for(s, true, kills < 12 ? 10 + seed / 65536 % 120 : 0, signal_number);
    }
}

static void compare(int signal_number, unsigned seed)
{
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 400, 1);
    char wanted[64], got[64];
    undisturbed(&s, wanted);
    disturbed(&s, signal_number, seed);
    hash_of(&s, got);
    assert_string_equal(got, wanted);
    assert_int_equal(access(scratch_path(&s, "m.onnx"), F_OK), 0);
    FAILS(2, "is finished", &s, "resume", "net-2");
    scratch_remove(&s);
}

static void test_killed(void **state)
{
    (void)state;
    compare(SIGKILL, 1);
}

static void test_interrupted(void **state)
{
    (void)state;
    compare(SIGINT, 7);
}

/* Leaves a run that was killed with a checkpoint in its folder. */
static void kill_one(struct scratch *s)
{
    const char *const long_words[] = {
        "train", "net", "kinds.csv", "--epochs", "100000", "--quiet", "--checkpoint-seconds", "0", NULL};
    struct running running = program_start(s, "bramble", long_words, NULL, NULL);
    const char *checkpoint = scratch_path(s, ".bramble/runs/net-1/checkpoint");
    for (unsigned tries = 0; access(checkpoint, F_OK) != 0 && tries < 1000; tries++) wait_ms(20);
    kill(running.pid, SIGKILL);
    struct said said = program_wait(&running);
    said_fini(&said);
    assert_int_equal(access(checkpoint, F_OK), 0);
}

static void test_a_damaged_checkpoint(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 100, 1);
    kill_one(&s);
    FILE *file = fopen(scratch_path(&s, ".bramble/runs/net-1/checkpoint"), "r+");
    assert_non_null(file);
    fseek(file, 500, SEEK_SET);
    fputs("damage", file);
    fclose(file);
    FAILS(1, "this checkpoint is damaged", &s, "resume", "last");
    scratch_remove(&s);
}

static void test_other_data(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 100, 1);
    kill_one(&s);
    write_kinds_csv(&s, "kinds.csv", 100, 2);
    FAILS(1, "of another training", &s, "resume", "last");
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_a_damaged_checkpoint),
        cmocka_unit_test(test_other_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
