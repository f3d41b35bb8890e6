/* The public API of models, on forests that were really trained. */
#include "scratch.h"

#include <math.h>

#include <bramble/bramble.h>

#include "base/mem.h"

enum { N = 400, F = 3 };

/* Three classes named 10, 20 and 30 by x0 + noise, or a value; x1 is missing at times, x2 is noise. */
static void fill(float x[N * F], double y[N], bool regression)
{
    uint32_t state = 12345;
    for (int r = 0; r < N; r++) {
        for (int f = 0; f < F; f++) {
            state = state * 1664525 + 1013904223;
            x[r * F + f] = (float)(state >> 8) / (1 << 24);
        }
        double value = x[r * F] + 0.2 * x[r * F + 1];
        y[r] = regression ? value : 10 + 10 * floor(fmin(2.9, value * 2.5));
        if (r % 7 == 0) x[r * F + 1] = NAN;
    }
}

static bramble_table *new_table(bool regression)
{
    static float x[N * F];
    static double y[N];
    fill(x, y, regression);
    bramble_table *table;
    bramble_task task = regression ? BRAMBLE_TASK_REGRESSION : BRAMBLE_TASK_CLASSIFICATION;
    assert_int_equal(bramble_table_from_arrays(&table, N, F, x, y, NULL, task, NULL), BRAMBLE_OK);
    return table;
}

static bramble_model *new_model(const bramble_table *table)
{
    bramble_forest_options options = BRAMBLE_FOREST_OPTIONS_INIT;
    bramble_error error;
    options.trees = 20;
    options.min_samples_leaf = 4;
    options.threads = 1;
    bramble_model *model;
    if (bramble_forest_train(&model, table, &options, NULL, &error)) fail_msg("%s", error.message);
    return model;
}

/* Through a table, through rows, with any number of threads, and after a file: the same predictions. */
static void test_predictions_agree(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    static float x[N * F], proba[3][N * 3];
    static double y[N], out[3][N];
    fill(x, y, false);
    bramble_table *table = new_table(false);
    bramble_model *model = new_model(table), *loaded;
    assert_int_equal(bramble_model_save(model, scratch_path(&scratch, "m.onnx"), NULL), BRAMBLE_OK);
    assert_int_equal(bramble_model_load(&loaded, scratch.path, NULL), BRAMBLE_OK);
    assert_int_equal(bramble_model_predict(model, table, 1, out[0], NULL), BRAMBLE_OK);
    assert_int_equal(bramble_model_predict_rows(model, x, N, 3, out[1], NULL), BRAMBLE_OK);
    assert_int_equal(bramble_model_predict(loaded, table, 0, out[2], NULL), BRAMBLE_OK);
    assert_int_equal(bramble_model_predict_proba(model, table, 1, proba[0], NULL), BRAMBLE_OK);
    assert_int_equal(bramble_model_predict_proba_rows(model, x, N, 3, proba[1], NULL), BRAMBLE_OK);
    assert_int_equal(bramble_model_predict_proba(loaded, table, 2, proba[2], NULL), BRAMBLE_OK);
    for (int i = 1; i < 3; i++) {
        assert_memory_equal(out[0], out[i], sizeof out[0]);
        assert_memory_equal(proba[0], proba[i], sizeof proba[0]);
    }
    for (int r = 0; r < N; r++) {
        const float *p = proba[0] + 3 * r;
        int best = (int)out[0][r];
        assert_true(p[best] >= p[0] && p[best] >= p[1] && p[best] >= p[2]);
        assert_true(fabsf(p[0] + p[1] + p[2] - 1) < 1e-5f);
    }
    bramble_model_free(loaded);
    bramble_model_free(model);
    bramble_table_free(table);
    scratch_remove(&scratch);
}

/* Many rows go down the trees as codes, one alone as it is; the answers are the same. */
static void test_rows_together_and_alone(void **state)
{
    (void)state;
    enum { ROWS = 5000 };
    static float x[ROWS * F];
    static double y[ROWS], together[ROWS], alone;
    for (int r = 0; r < ROWS; r++) {
        for (int f = 0; f < F; f++) x[r * F + f] = (float)((r * 37 + f * 101 + r * r % 97) % 256);
        y[r] = sin(x[r * F] / 20) + x[r * F + 1] / 100;
    }
    bramble_table *table;
    assert_int_equal(bramble_table_from_arrays(&table, ROWS, F, x, y, NULL, BRAMBLE_TASK_REGRESSION, NULL),
                     BRAMBLE_OK);
    bramble_model *model = new_model(table);
    const float odd[] = {0, 17.5f, -1, 255.5f, 256, 1e30f, NAN, -0.0f};
    for (int r = 1; r < ROWS; r += 700) x[r * F] = odd[r / 700];
    for (int first = 0; first < 2; first++) {
        if (first) x[0] = 0.25f; /* and now not all are whole numbers */
        assert_int_equal(bramble_model_predict_rows(model, x, ROWS, 2, together, NULL), BRAMBLE_OK);
        for (int r = 0; r < ROWS; r += 7 - 6 * (r % 700 < 3)) {
            assert_int_equal(bramble_model_predict_rows(model, x + r * F, 1, 1, &alone, NULL), BRAMBLE_OK);
            assert_true(together[r] == alone);
        }
    }
    bramble_model_free(model);
    bramble_table_free(table);
}

static void test_info_and_settings(void **state)
{
    (void)state;
    bramble_table *table = new_table(false);
    bramble_model *model = new_model(table);
    bramble_model_info info;
    bramble_model_info_get(model, &info);
    assert_string_equal(info.kind, "forest");
    assert_int_equal(info.task, BRAMBLE_TASK_CLASSIFICATION);
    assert_int_equal(info.n_features, F);
    assert_int_equal(info.n_classes, 3);
    assert_int_equal(info.n_trees, 20);
    assert_int_equal(info.n_nodes + info.n_trees, 2 * info.n_leaves);
    assert_true(info.max_depth >= 2 && info.max_depth < 100);
    assert_int_equal(strlen(info.hash), 32);
    assert_string_equal(bramble_schema_class_name(bramble_model_schema(model), 1), "20");
    const char *key, *value;
    uint32_t n = 0;
    bool version = false;
    for (; bramble_model_setting(model, n, &key, &value); n++)
        version |= strcmp(key, "bramble.version") == 0 && strcmp(value, bramble_version()) == 0;
    assert_true(n > 5 && version);
    const double *importances = bramble_model_importances(model);
    assert_true(fabs(importances[0] + importances[1] + importances[2] - 1) < 1e-9);
    assert_true(importances[0] > importances[2]);
    bramble_model_free(model);
    bramble_table_free(table);
}

static void test_evaluation(void **state)
{
    (void)state;
    bramble_table *table = new_table(false);
    bramble_model *model = new_model(table);
    bramble_evaluation evaluation;
    static double predicted[N], y[N];
    static float x[N * F];
    fill(x, y, false);
    assert_int_equal(bramble_model_predict(model, table, 1, predicted, NULL), BRAMBLE_OK);
    assert_int_equal(bramble_model_evaluate(model, table, 2, &evaluation, NULL), BRAMBLE_OK);
    int right = 0;
    double confused = 0;
    for (int r = 0; r < N; r++) right += y[r] == 10 + 10 * predicted[r];
    for (int i = 0; i < 9; i++) confused += evaluation.confusion[i];
    assert_true(evaluation.accuracy == (double)right / N && right > N * 9 / 10);
    assert_int_equal(evaluation.n_rows, N);
    assert_int_equal(evaluation.n_classes, 3);
    assert_true(confused == N);
    assert_true(evaluation.log_loss > 0 && evaluation.log_loss < 1);
    assert_true(evaluation.macro_f1 > 0.8 && evaluation.macro_f1 <= 1);
    assert_true(isnan(evaluation.rmse) && isnan(evaluation.mae) && isnan(evaluation.r2));
    bramble_evaluation_fini(&evaluation);
    bramble_model_free(model);
    bramble_table_free(table);
}

static void test_regression(void **state)
{
    (void)state;
    bramble_table *table = new_table(true);
    bramble_model *model = new_model(table);
    bramble_evaluation evaluation;
    assert_int_equal(bramble_model_evaluate(model, table, 1, &evaluation, NULL), BRAMBLE_OK);
    assert_true(evaluation.r2 > 0.9 && evaluation.r2 < 1);
    assert_true(evaluation.rmse >= evaluation.mae && evaluation.mae > 0);
    assert_true(isnan(evaluation.accuracy) && isnan(evaluation.log_loss) && isnan(evaluation.macro_f1));
    assert_null(evaluation.confusion);
    bramble_evaluation_fini(&evaluation);
    bramble_error error = {0};
    float proba[N];
    assert_int_equal(bramble_model_predict_proba(model, table, 1, proba, &error), BRAMBLE_ERR_USAGE);
    assert_non_null(strstr(error.message, "no probabilities"));
    bramble_model_free(model);
    bramble_table_free(table);
}

/* Classes are matched by name, whatever number the table gives them; unknown ones are refused. */
static void test_classes_match_by_name(void **state)
{
    (void)state;
    static float x[N * F];
    static double y[N], predicted[N];
    bramble_table *table = new_table(false), *few, *unknown;
    bramble_model *model = new_model(table);
    fill(x, y, false);
    size_t n = 0;
    for (int r = 0; r < N; r++) {
        if (y[r] == 10) continue;
        memmove(x + n * F, x + r * F, F * sizeof *x);
        y[n++] = y[r];
    }
    assert_int_equal(bramble_table_from_arrays(&few, n, F, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION, NULL),
                     BRAMBLE_OK);
    bramble_evaluation evaluation;
    assert_int_equal(bramble_model_evaluate(model, few, 1, &evaluation, NULL), BRAMBLE_OK);
    assert_int_equal(bramble_model_predict(model, few, 1, predicted, NULL), BRAMBLE_OK);
    size_t right = 0;
    for (size_t r = 0; r < n; r++) right += y[r] == 10 + 10 * predicted[r];
    assert_true(evaluation.accuracy == (double)right / (double)n && right > n / 2);
    assert_true(evaluation.confusion[0] + evaluation.confusion[1] + evaluation.confusion[2] == 0);
    bramble_evaluation_fini(&evaluation);
    y[3] = 77;
    assert_int_equal(bramble_table_from_arrays(&unknown, n, F, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION, NULL),
                     BRAMBLE_OK);
    bramble_error error = {0};
    assert_int_equal(bramble_model_evaluate(model, unknown, 1, &evaluation, &error), BRAMBLE_ERR_DATA);
    assert_non_null(strstr(error.message, "class \"77\""));
    bramble_table_free(unknown);
    bramble_table_free(few);
    bramble_model_free(model);
    bramble_table_free(table);
}

static void assert_refused(bramble_status status, const bramble_error *error, bramble_status expected,
                           const char *part)
{
    assert_int_equal(status, expected);
    assert_int_equal(error->status, expected);
    if (!strstr(error->message, part)) fail_msg("\"%s\" does not say \"%s\"", error->message, part);
    assert_null(strchr(error->message, '\n'));
}

static void test_tables_that_do_not_fit(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    bramble_error error = {0};
    bramble_evaluation evaluation;
    static float x[N * F];
    static double y[N], out[N];
    fill(x, y, false);
    bramble_table *table = new_table(false), *narrow, *bare, *numbers, *words;
    bramble_model *model = new_model(table);
    assert_int_equal(bramble_table_from_arrays(&narrow, N, 2, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION, NULL),
                     0);
    assert_int_equal(bramble_table_from_arrays(&bare, N, F, x, NULL, NULL, BRAMBLE_TASK_AUTO, NULL), 0);
    assert_int_equal(bramble_table_from_arrays(&numbers, N, F, x, y, NULL, BRAMBLE_TASK_REGRESSION, NULL), 0);
    static const char csv[] = "a,b,c,y\n1,red,2,10\n3,blue,4,20\n5,red,1,10\n";
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    assert_int_equal(bramble_table_read(&words, scratch_write(&scratch, "words.csv", csv, sizeof csv - 1),
                                        &options, &error),
                     BRAMBLE_OK);
    assert_refused(bramble_model_predict(model, narrow, 1, out, &error), &error, BRAMBLE_ERR_DATA,
                   "has 2 features and the model was trained on 3");
    assert_refused(bramble_model_predict(model, words, 1, out, &error), &error, BRAMBLE_ERR_DATA,
                   "feature 1 (\"b\") is a category in the table and a number in the model");
    assert_refused(bramble_model_evaluate(model, bare, 1, &evaluation, &error), &error, BRAMBLE_ERR_DATA,
                   "no target");
    assert_refused(bramble_model_evaluate(model, numbers, 1, &evaluation, &error), &error, BRAMBLE_ERR_DATA,
                   "target is a number and the model predicts classes");
    assert_int_equal(bramble_model_predict(model, bare, 1, out, &error), BRAMBLE_OK);
    bramble_table_free(words);
    bramble_table_free(numbers);
    bramble_table_free(bare);
    bramble_table_free(narrow);
    bramble_model_free(model);
    bramble_table_free(table);
    scratch_remove(&scratch);
}

static void test_other_categories(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    bramble_error error = {0};
    static const char train[] = "c,y\nred,10\nblue,20\nred,10\nblue,20\n",
                      other[] = "c,y\nred,10\ngreen,20\n";
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    bramble_table *table, *apart, *together;
    options.task = BRAMBLE_TASK_CLASSIFICATION;
    assert_int_equal(bramble_table_read(&table, scratch_write(&scratch, "train.csv", train, sizeof train - 1),
                                        &options, NULL),
                     BRAMBLE_OK);
    assert_int_equal(bramble_table_read(&apart, scratch_write(&scratch, "other.csv", other, sizeof other - 1),
                                        &options, NULL),
                     BRAMBLE_OK);
    bramble_model *model = new_model(table);
    options.schema = bramble_model_schema(model);
    assert_int_equal(bramble_table_read(&together, scratch.path, &options, NULL), BRAMBLE_OK);
    double out[2];
    assert_refused(bramble_model_predict(model, apart, 1, out, &error), &error, BRAMBLE_ERR_DATA,
                   "feature 0 (\"c\") has other categories");
    assert_int_equal(bramble_model_predict(model, together, 1, out, &error), BRAMBLE_OK);
    bramble_model_free(model);
    bramble_table_free(together);
    bramble_table_free(apart);
    bramble_table_free(table);
    scratch_remove(&scratch);
}

static void test_tree_print(void **state)
{
    (void)state;
    bramble_table *table = new_table(false);
    bramble_model *model = new_model(table);
    bramble_error error = {0};
    char *text;
    assert_int_equal(bramble_model_tree_print(model, 19, BRAMBLE_TREE_TEXT, &text, &error), BRAMBLE_OK);
    assert_non_null(strstr(text, "x0 <= "));
    bramble_string_free(text);
    assert_refused(bramble_model_tree_print(model, 20, BRAMBLE_TREE_DOT, &text, &error), &error,
                   BRAMBLE_ERR_USAGE, "no tree 20");
    bramble_model_free(model);
    bramble_table_free(table);
}

/* Evaluating with the n-th allocation failing: an error and no leak, until nothing fails. */
static void test_out_of_memory(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    for (int regression = 0; regression < 2; regression++) {
        bramble_table *table = new_table(regression);
        bramble_model *model = new_model(table);
        bramble_status status = BRAMBLE_ERR_MEMORY;
        for (size_t n = 1; status; n++) {
            bramble_evaluation evaluation = {.n_rows = 77};
            bramble_error error = {0};
            mem_fail_at(n, 0);
            status = bramble_model_evaluate(model, table, 1, &evaluation, &error);
            mem_fail_at(0, 0);
            if (status) assert_refused(status, &error, BRAMBLE_ERR_MEMORY, "out of memory");
            assert_int_equal(evaluation.n_rows, status ? 77 : N);
            if (!status) bramble_evaluation_fini(&evaluation);
        }
        bramble_model_free(model);
        bramble_table_free(table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predictions_agree),
        cmocka_unit_test(test_rows_together_and_alone),
        cmocka_unit_test(test_info_and_settings),
        cmocka_unit_test(test_evaluation),
        cmocka_unit_test(test_regression),
        cmocka_unit_test(test_classes_match_by_name),
        cmocka_unit_test(test_tables_that_do_not_fit),
        cmocka_unit_test(test_other_categories),
        cmocka_unit_test(test_tree_print),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
