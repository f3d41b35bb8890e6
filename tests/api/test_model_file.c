/* Trained models through their files: the same trees, whatever way they were grown. */
#include "scratch.h"

#include <math.h>

#include <bramble/bramble.h>

enum { ROWS = 1500 };

/* Numbers, bytes, few and many categories, missing values, weights; a class or a number to predict. */
static bramble_table *new_table(struct scratch *scratch, bool regression)
{
    FILE *file = fopen(scratch_path(scratch, "data.csv"), "w");
    assert_non_null(file);
    fprintf(file, "a,b,\"c \"\"quoted\"\"\",d,w,y\n");
    uint32_t state = 4711;
    for (int r = 0; r < ROWS; r++) {
        uint32_t v[5];
        for (int i = 0; i < 5; i++) v[i] = (state = state * 1664525 + 1013904223) >> 10;
        double sum = v[0] % 100 * 0.37 + v[1] % 7 * 3 + v[2] % 60 % 9 * 5 + v[3] % 10;
        if (v[4] % 9) fprintf(file, "%.3f", v[0] % 100 * 0.37 + v[4] % 1000 * 1e-3);
        fprintf(file, ",%s%u,k%u,%u,%.2f,", v[4] % 11 ? "c" : "d", v[1] % 7, v[2] % 60, v[3] % 10,
                1 + v[4] % 4 * 0.37);
        if (regression)
            fprintf(file, "%.2f\n", sum);
        else
            fprintf(file, "%s\n", sum < 30 ? "low" : sum < 50 ? "mittelgro\xc3\x9f" : "high");
    }
    assert_int_equal(fclose(file), 0);
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    bramble_error error;
    bramble_table *table;
    options.sample_weight = "w";
    options.task = regression ? BRAMBLE_TASK_REGRESSION : BRAMBLE_TASK_CLASSIFICATION;
    if (bramble_table_read(&table, scratch->path, &options, &error)) fail_msg("%s", error.message);
    return table;
}

static void check(const bramble_table *table, struct scratch *scratch, bramble_forest_options options)
{
    bramble_error error;
    bramble_model *model, *loaded;
    options.trees = 7;
    options.seed = 5;
    options.threads = 1;
    if (bramble_forest_train(&model, table, &options, NULL, &error)) fail_msg("%s", error.message);
    if (bramble_model_save(model, scratch_path(scratch, "model.onnx"), &error) ||
        bramble_model_load(&loaded, scratch->path, &error))
        fail_msg("%s", error.message);
    bramble_model_info a, b;
    bramble_model_info_get(model, &a);
    bramble_model_info_get(loaded, &b);
    assert_string_equal(a.hash, b.hash);
    assert_true(a.oob_score == b.oob_score || (isnan(a.oob_score) && isnan(b.oob_score)));
    assert_int_equal(a.n_nodes, b.n_nodes);
    assert_true(a.n_nodes > a.n_trees);
    static double p[ROWS], q[ROWS];
    assert_int_equal(bramble_model_predict(model, table, 1, p, NULL), BRAMBLE_OK);
    assert_int_equal(bramble_model_predict(loaded, table, 1, q, NULL), BRAMBLE_OK);
    assert_memory_equal(p, q, sizeof p);
    bramble_model_free(loaded);
    bramble_model_free(model);
}

static void check_all(bool regression)
{
    struct scratch scratch = scratch_new();
    bramble_table *table = new_table(&scratch, regression);
    bramble_forest_options options = BRAMBLE_FOREST_OPTIONS_INIT;
    check(table, &scratch, options);
    options.oob_score = true;
    check(table, &scratch, options);
    options.max_leaf_nodes = 25;
    check(table, &scratch, options);
    options = (bramble_forest_options)BRAMBLE_FOREST_OPTIONS_INIT;
    options.splitter = BRAMBLE_SPLITTER_RANDOM;
    check(table, &scratch, options);
    options.min_samples_leaf = 8;
    options.max_features = "all";
    if (!regression) options.class_weight = "low=0.3,high=7";
    check(table, &scratch, options);
    options.splitter = BRAMBLE_SPLITTER_BEST;
    options.max_depth = 4;
    if (!regression) options.criterion = BRAMBLE_CRITERION_ENTROPY;
    check(table, &scratch, options);
    bramble_table_free(table);
    scratch_remove(&scratch);
}

static void test_classification(void **state)
{
    (void)state;
    check_all(false);
}

static void test_regression(void **state)
{
    (void)state;
    check_all(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classification),
        cmocka_unit_test(test_regression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
