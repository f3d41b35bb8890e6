/* Two runs side by side, and their curves as text and pictures. */
#include "program.h"

static void train(const struct scratch *s, const char *trees, const char *depth)
{
    struct said said =
        DONE(s, "train", "forest", "kinds.csv", "--trees", trees, "--max-depth", depth, "--holdout", "0.2");
    said_fini(&said);
}

/* What a network's training logs at the end of an epoch. */
static void add_epoch(struct scratch *s, const char *run, unsigned epoch, double loss, const char *validation)
{
    char name[128];
    snprintf(name, sizeof name, ".bramble/runs/%s/events.jsonl", run);
    FILE *file = fopen(scratch_path(s, name), "a");
    assert_non_null(file);
    fprintf(file,
            "{\"time\":\"2024-05-01T12:00:00.000Z\",\"seconds\":%u,\"event\":\"epoch\",\"epoch\":%u,"
            "\"loss\":%g,\"validation_loss\":%s,\"accuracy\":%g}\n",
            epoch, epoch, loss, validation, 1 - loss);
    fclose(file);
}

static struct scratch two_runs(void)
{
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 200, 1);
    train(&s, "3", "0");
    train(&s, "7", "4");
    return s;
}

static double figure(const json_t *compared, const char *key, unsigned run)
{
    const json_t *pair = json_object_get(json_object_get(compared, "figures"), key);
    assert_int_equal(json_array_size(pair), 2);
    return json_number_value(json_array_get(pair, run));
}

static void test_what_differs(void **state)
{
    (void)state;
    struct scratch s = two_runs();
    json_t *compared = JSON(&s, "compare", "forest-1", "last", "--json");
    const json_t *settings = json_object_get(compared, "settings");
    assert_int_equal(json_object_size(settings), 2);
    const json_t *trees = json_object_get(settings, "trees"), *depth = json_object_get(settings, "max-depth");
    assert_string_equal(json_string_value(json_array_get(trees, 0)), "3");
    assert_string_equal(json_string_value(json_array_get(trees, 1)), "7");
    assert_string_equal(json_string_value(json_array_get(depth, 1)), "4");
    assert_true(figure(compared, "trees", 0) == 3 && figure(compared, "trees", 1) == 7);
    assert_true(figure(compared, "accuracy", 0) > 0);
    const json_t *runs = json_object_get(compared, "runs");
    assert_string_equal(json_string_value(json_array_get(runs, 0)), "forest-1");
    assert_string_equal(json_string_value(json_array_get(runs, 1)), "forest-2");
    json_decref(compared);
    struct said said = DONE(&s, "compare", "forest-1", "forest-2");
    assert_non_null(
        strstr(said.out, "settings that differ\n  trees               3                         7\n"));
    assert_non_null(strstr(said.out, "\nfigures\n"));
    assert_null(strstr(said.out, "over epochs"));
    said_fini(&said);
    said = DONE(&s, "compare", "last", "last");
    assert_non_null(strstr(said.out, "all settings are the same\n"));
    said_fini(&said);
    scratch_remove(&s);
}

static void test_curves(void **state)
{
    (void)state;
    struct scratch s = two_runs();
    for (unsigned e = 1; e <= 4; e++) add_epoch(&s, "forest-1", e, 1.0 / e, "null");
    for (unsigned e = 1; e <= 3; e++) add_epoch(&s, "forest-2", e, 0.5 / e, "0.25");
    for (unsigned e = 2; e <= 3; e++) add_epoch(&s, "forest-2", e, 0.4 / e, "0.125"); /* gone on with */
    json_t *compared = JSON(&s, "compare", "forest-1", "forest-2", "--json");
    const json_t *curve = json_array_get(json_object_get(compared, "curves"), 1);
    assert_int_equal(json_array_size(json_object_get(curve, "epoch")), 3);
    assert_true(json_number_value(json_array_get(json_object_get(curve, "loss"), 0)) == 0.5);
    assert_true(json_number_value(json_array_get(json_object_get(curve, "loss"), 1)) == 0.2);
    assert_true(json_is_null(json_array_get(json_object_get(curve, "validation_accuracy"), 1)));
    json_decref(compared);
    struct said said = DONE(&s, "compare", "forest-1", "forest-2", "--plot", "both.svg");
    assert_non_null(strstr(said.out, "\nloss over epochs: a: forest-1, b: forest-2 (validation)\n"));
    assert_non_null(strstr(said.out, "\naccuracy over epochs: a: forest-1, b: forest-2\n"));
    said_fini(&said);
    size_t n;
    char *svg = (char *)scratch_slurp(scratch_path(&s, "both.svg"), &n);
    svg[n] = 0;
    assert_non_null(strstr(svg, ">forest-2, validation</text>"));
    assert_null(strstr(svg, ">forest-1, validation</text>"));
    free(svg);
    said = DONE(&s, "show", "forest-1", "--plot", "one.svg");
    assert_non_null(strstr(said.out, "\nloss over epochs: a: forest-1\n"));
    said_fini(&said);
    assert_int_equal(access(scratch_path(&s, "one.svg"), F_OK), 0);
    scratch_remove(&s);
}

static void test_usage(void **state)
{
    (void)state;
    struct scratch s = two_runs();
    FAILS(2, "no run \"forest-9\"", &s, "compare", "forest-1", "forest-9");
    FAILS(2, ".svg or .png", &s, "compare", "forest-1", "forest-2", "--plot", "curves.pdf");
    FAILS(2, "no curve to draw", &s, "show", "forest-1", "--plot", "curve.svg");
    FAILS(1, "/nowhere", &s, "show", "forest-1", "--plot", "/nowhere/curve.svg");
    FAILS(2, "", &s, "compare", "forest-1");
    assert_int_not_equal(access(scratch_path(&s, "curve.svg"), F_OK), 0);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_differs),
        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
