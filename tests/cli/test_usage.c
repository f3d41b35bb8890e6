/* Wrong usage: exit code 2, one line that says what is wrong, nothing done. */
#include "program.h"

static void test_no_command(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    said_failed(program_run(&s, (const char *const[]){NULL}), 2, "no command given");
    FAILS(2, "did you mean 'predict'?", &s, "perdict");
    FAILS(2, "'bramble --help' lists them", &s, "fly");
    FAILS(2, "unknown command \"\"", &s, "");
    FAILS(2, "a command comes first", &s, "--json", "data");
    FAILS(2, "train what?", &s, "train");
    FAILS(2, "did you mean 'train forest'?", &s, "train", "forrest");
    FAILS(2, "no command \"fly\"", &s, "help", "fly");
    FAILS(2, "no command \"data forest\"", &s, "help", "data", "forest");
    FAILS(2, "one word too many", &s, "help", "train", "forest", "oak");
    assert_int_equal(scratch_count(&s), 0);
    scratch_remove(&s);
}

static void test_every_command_wants_its_words(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    FAILS(2, "DATA is missing; usage: bramble data DATA [options]", &s, "data");
    FAILS(2, "DATA is missing", &s, "train", "forest", "--json");
    FAILS(2, "MODEL is missing", &s, "predict");
    FAILS(2, "DATA is missing", &s, "evaluate", "model.onnx");
    FAILS(2, "MODEL is missing", &s, "inspect");
    FAILS(2, "RUN is missing", &s, "show");
    FAILS(2, "RUN is missing", &s, "resume");
    FAILS(2, "one word too many", &s, "data", "a.csv", "b.csv");
    FAILS(2, "unknown option --max-dept; did you mean --max-depth?", &s, "train", "forest", "a.csv",
          "--max-dept", "3");
    FAILS(2, "--max-depth: \"deep\" is not a whole number", &s, "train", "forest", "a.csv", "--max-depth",
          "deep");
    FAILS(2, "--holdout: \"1\" is not a number above 0 and below 1", &s, "train", "forest", "a.csv",
          "--holdout", "1");
    FAILS(2, "did you mean gini?", &s, "train", "forest", "a.csv", "--criterion=ginni");
    scratch_remove(&s);
}

static void test_options_that_contradict(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    FAILS(2, "--test and --holdout", &s, "train", "forest", "a.csv", "--test", "b.csv", "--holdout", "0.2");
    FAILS(2, "ends neither with .csv nor with .npy", &s, "predict", "m.onnx", "a.csv", "--out", "a.txt");
    FAILS(2, "--tree N", &s, "inspect", "m.onnx", "--dot");
    FAILS(2, "--hash", &s, "inspect", "m.onnx", "--hash", "--json");
    write_kinds_csv(&s, "a.csv", 20, 1);
    FAILS(2, "would overwrite its own input", &s, "train", "forest", "a.csv", "--out", "./a.csv");
    FAILS(2, "would overwrite its own input", &s, "predict", "m.onnx", "a.csv", "--out", "a.csv");
    assert_int_equal(scratch_count(&s), 1);
    scratch_remove(&s);
}

static void test_hostile_words_stay_on_one_line(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    char word[4000];
    memset(word, 'x', sizeof word);
    word[sizeof word - 1] = 0;
    FAILS(2, "unknown command", &s, word);
    FAILS(2, "unknown command \"a?b?[31m\"", &s, "a\nb\033[31m");
    memcpy(word, "--", 2);
    FAILS(2, "unknown option", &s, "data", word);
    FAILS(2, "unknown option --a?b", &s, "data", "--a\nb");
    FAILS(2, "--trees: \"?\"", &s, "train", "forest", "a.csv", "--trees", "\033");
    scratch_remove(&s);
}

static void test_version(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct said said = DONE(&s, "--version");
    assert_string_equal(said.out, "bramble " BRAMBLE_VERSION "\n");
    assert_string_equal(said.err, "");
    said_fini(&said);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_command),
        cmocka_unit_test(test_every_command_wants_its_words),
        cmocka_unit_test(test_options_that_contradict),
        cmocka_unit_test(test_hostile_words_stay_on_one_line),
        cmocka_unit_test(test_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
