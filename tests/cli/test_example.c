/* The examples do what they say, on classes and on numbers, and their models are everybody's. */
#include "program.h"

static struct said run_example(struct scratch *s, const char *data, const char *model)
{
    struct running running =
        program_start(s, "examples/forest", (const char *const[]){data, model, NULL}, NULL, NULL);
    return program_wait(&running);
}

static void test_example(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 500, 1);
    write_numbers_csv(&s, "numbers.csv", 500, 1);
    struct said said = said_done(run_example(&s, "kinds.csv", "kinds.onnx"));
    double accuracy;
    unsigned rows;
    assert_int_equal(sscanf(said.out, "accuracy %lf on %u rows", &accuracy, &rows), 2);
    assert_true(accuracy > 0.8 && rows > 50);
    assert_non_null(strstr(said.out, "a row of missing values is "));
    said_fini(&said);
    said = said_done(run_example(&s, "numbers.csv", "numbers.onnx"));
    assert_int_equal(sscanf(said.out, "R2 %lf", &accuracy), 1);
    assert_true(accuracy > 0.8);
    said_fini(&said);
    json_t *inspected = JSON(&s, "inspect", "kinds.onnx", "--json");
    assert_true(json_number_of(inspected, "trees") == 50);
    json_decref(inspected);
    scratch_remove(&s);
}

static void test_example_of_networks(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 500, 1);
    struct running running =
        program_start(&s, "examples/net", (const char *const[]){"kinds.csv", "net.onnx", NULL}, NULL, NULL);
    struct said said = said_done(program_wait(&running));
    const char *figures = strstr(said.out, "accuracy ");
    assert_non_null(figures);
    assert_non_null(strstr(said.out, "epoch 10: loss "));
    assert_true(strtod(figures + 9, NULL) > 0.7);
    assert_non_null(strstr(said.out, "0.5 and -0.5 have not the same sign\n"));
    said_fini(&said);
    json_t *inspected = JSON(&s, "inspect", "net.onnx", "--json");
    assert_string_equal(json_text_of(inspected, "kind"), "network");
    json_decref(inspected);
    scratch_remove(&s);
}

static void test_example_fails_politely(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct said said = run_example(&s, "absent.csv", "m.onnx");
    assert_int_equal(said.code, 1);
    assert_int_equal(strncmp(said.err, "forest: absent.csv", 18), 0);
    assert_int_equal(scratch_count(&s), 0);
    said_fini(&said);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_example_of_networks),
        cmocka_unit_test(test_example_fails_politely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
