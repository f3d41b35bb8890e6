/* From data to a model and back, as a user would go: train, predict, evaluate, inspect. */
#include <math.h>

#include "program.h"

static size_t array_size(const json_t *object, const char *key)
{
    const json_t *array = json_object_get(object, key);
    if (!json_is_array(array)) fail_msg("no list \"%s\"", key);
    return json_array_size(array);
}

static const json_t *at(const json_t *object, const char *key, size_t i)
{
    return json_array_get(json_object_get(object, key), i);
}

static void test_data(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 500, 1);
    json_t *data = JSON(&s, "data", "kinds.csv", "--sample-weight", "weight", "--json");
    assert_string_equal(json_text_of(data, "format"), "csv");
    assert_string_equal(json_text_of(data, "target"), "kind");
    assert_string_equal(json_text_of(data, "task"), "classification");
    assert_true(json_number_of(data, "rows") == 500);
    assert_true(json_number_of(data, "features") == 2);
    assert_true(json_is_true(json_object_get(data, "weighted")));
    assert_true(json_is_false(json_object_get(data, "has_test")));
    double missing = 0, rows = 0;
    for (size_t f = 0; f < 2; f++) missing += json_number_of(at(data, "feature_list", f), "missing");
    assert_true(missing > 50 && missing == json_number_of(data, "missing"));
    assert_string_equal(json_text_of(at(data, "feature_list", 0), "type"), "number");
    assert_string_equal(json_text_of(at(data, "feature_list", 1), "type"), "category");
    assert_int_equal(array_size(at(data, "feature_list", 1), "categories"), 3);
    assert_int_equal(array_size(data, "classes"), 3);
    for (size_t c = 0; c < 3; c++) rows += json_number_value(at(data, "class_counts", c));
    assert_true(rows == 500);
    json_decref(data);

    struct said said = DONE(&s, "data", "kinds.csv", "--target", "weight");
    assert_non_null(strstr(said.out, "rows        500\n"));
    assert_non_null(strstr(said.out, "target      weight, classification, 3 classes\n"));
    said_fini(&said);
    scratch_remove(&s);
}

/* Predictions of the model as text and numbers, held against each other and against the evaluation. */
static void check_predictions(struct scratch *s, const json_t *evaluation, size_t n_rows)
{
    json_t *plain = JSON(s, "predict", "m.onnx", "test.csv", "--json");
    json_t *proba = JSON(s, "predict", "m.onnx", "test.csv", "--json", "--proba");
    struct said csv = DONE(s, "predict", "m.onnx", "test.csv", "--threads", "1");
    assert_int_equal(strncmp(csv.out, "prediction\n", 11), 0);
    const char *line = csv.out + 11;
    assert_int_equal(array_size(plain, "predictions"), n_rows);
    double predicted[3] = {0};
    for (size_t row = 0; row < n_rows; row++) {
        const char *name = json_string_value(at(plain, "predictions", row));
        const json_t *shares = at(proba, "probabilities", row);
        double sum = 0, best = -1;
        size_t class = 0;
        for (size_t c = 0; c < 3; c++) {
            double share = json_number_value(json_array_get(shares, c));
            sum += share;
            if (share > best) class = c;
            if (share > best) best = share;
        }
        assert_true(fabs(sum - 1) < 1e-5);
        assert_string_equal(name, json_string_value(at(proba, "classes", class)));
        size_t length = strcspn(line, "\n"), quotes = line[0] == '"';
        assert_int_equal(quotes, strchr(name, ',') != NULL);
        assert_int_equal(length - 2 * quotes, strlen(name));
        assert_int_equal(strncmp(line + quotes, name, strlen(name)), 0);
        line += length + 1;
        predicted[class]++;
    }
    assert_int_equal(*line, 0);
    for (size_t c = 0; c < 3; c++) {
        double sum = 0;
        for (size_t t = 0; t < 3; t++)
            sum += json_number_value(json_array_get(at(evaluation, "confusion", t), c));
        assert_true(sum == predicted[c]);
    }
    said_fini(&csv);
    json_decref(plain);
    json_decref(proba);
}

static void check_inspection(struct scratch *s, const char *hash)
{
    struct said said = DONE(s, "inspect", "m.onnx", "--hash");
    assert_int_equal(strncmp(said.out, hash, 32), 0);
    assert_string_equal(said.out + 32, "\n");
    said_fini(&said);
    said = DONE(s, "inspect", "m.onnx", "--tree", "3");
    assert_non_null(strstr(said.out, "colour"));
    said_fini(&said);
    said = DONE(s, "inspect", "m.onnx", "--tree", "3", "--dot");
    assert_int_equal(strncmp(said.out, "digraph", 7), 0);
    said_fini(&said);
    said = DONE(s, "inspect", "m.onnx");
    assert_non_null(strstr(said.out, hash));
    assert_non_null(strstr(said.out, "importances\n"));
    said_fini(&said);
    said_failed(RUN(s, "inspect", "m.onnx", "--tree", "30"), 2, "30");
}

static void test_classes(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "train.csv", 800, 1);
    write_kinds_csv(&s, "test.csv", 300, 2);
    json_t *trained = JSON(&s, "train", "forest", "train.csv", "--test", "test.csv", "--trees", "30",
                           "--seed=7", "--oob-score", "--out", "m.onnx", "--json", "--threads", "2");
    assert_true(json_number_of(trained, "trees") == 30);
    assert_true(json_number_of(trained, "seed") == 7);
    assert_true(json_number_of(trained, "threads") == 2);
    assert_true(json_number_of(trained, "rows") == 800);
    assert_true(json_number_of(trained, "test_rows") == 300);
    assert_true(json_number_of(trained, "accuracy") > 0.8);
    assert_true(json_number_of(trained, "oob_score") > 0.8);
    assert_true(json_number_of(trained, "leaves") < json_number_of(trained, "nodes"));
    assert_true(json_number_of(trained, "peak_rss_bytes") > 1e6);
    assert_true(json_number_of(trained, "fit_seconds") >= json_number_of(trained, "bin_seconds"));
    assert_string_equal(json_text_of(trained, "model"), "m.onnx");
    json_t *evaluation = JSON(&s, "evaluate", "m.onnx", "test.csv", "--json");
    assert_true(json_number_of(evaluation, "accuracy") == json_number_of(trained, "accuracy"));
    assert_true(json_number_of(evaluation, "log_loss") == json_number_of(trained, "log_loss"));
    assert_true(json_number_of(evaluation, "macro_f1") == json_number_of(trained, "macro_f1"));
    check_predictions(&s, evaluation, 300);
    check_inspection(&s, json_text_of(trained, "model_hash"));
    json_t *inspected = JSON(&s, "inspect", "m.onnx", "--json", "--tree", "0");
    double importance = 0;
    for (size_t f = 0; f < 3; f++) importance += json_number_of(at(inspected, "features", f), "importance");
    assert_true(fabs(importance - 1) < 1e-9);
    assert_string_equal(json_text_of(json_object_get(inspected, "settings"), "seed"), "7");
    json_decref(inspected);
    json_decref(evaluation);
    json_decref(trained);
    assert_int_equal(scratch_count(&s), 3);
    scratch_remove(&s);
}

static void test_numbers(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_numbers_csv(&s, "train.csv", 1000, 1);
    json_t *trained =
        JSON(&s, "train", "forest", "train.csv", "--holdout", "0.25", "--trees", "20", "--json");
    assert_string_equal(json_text_of(trained, "task"), "regression");
    assert_string_equal(json_text_of(trained, "model"), "model.onnx");
    assert_true(json_number_of(trained, "rows") + json_number_of(trained, "test_rows") == 1000);
    assert_true(json_number_of(trained, "r2") > 0.9);
    assert_true(json_number_of(trained, "mae") <= json_number_of(trained, "rmse"));
    json_t *evaluation = JSON(&s, "evaluate", "model.onnx", "train.csv", "--json");
    assert_true(json_number_of(evaluation, "r2") > json_number_of(trained, "r2"));
    assert_null(json_object_get(evaluation, "confusion"));
    FAILS(2, "--proba", &s, "predict", "model.onnx", "train.csv", "--proba");
    struct said csv = DONE(&s, "predict", "model.onnx", "train.csv");
    json_t *same = JSON(&s, "predict", "model.onnx", "train.csv", "--json");
    char *rest = strchr(csv.out, '\n') + 1;
    for (size_t row = 0; row < 1000; row++, rest++) {
        double value = strtod(rest, &rest);
        assert_true((float)value == (float)json_number_value(at(same, "predictions", row)));
        assert_int_equal(*rest, '\n');
    }
    said_fini(&csv);
    json_decref(same);
    json_decref(evaluation);
    json_decref(trained);
    scratch_remove(&s);
}

static void train_quietly(struct scratch *s, const char *data, const char *option, const char *other)
{
    struct said said = DONE(s, "train", "forest", data, option, other, "--quiet");
    assert_string_equal(said.out, "");
    assert_string_equal(said.err, "");
    said_fini(&said);
}

/* The target may be absent, columns may be in another order, and others may stand between them. */
static void test_other_columns(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "train.csv", 400, 1);
    train_quietly(&s, "train.csv", "--trees=5", "--max-features=all");
    const char *plain = "size,colour,weight\n10,red,1\n900,red,2\n,green,3\n";
    const char *mixed = "weight,id,colour,size\n1,a,red,10\n2,b,red,900\n3,c,green,\n";
    scratch_write(&s, "plain.csv", plain, strlen(plain));
    scratch_write(&s, "mixed.csv", mixed, strlen(mixed));
    struct said first = DONE(&s, "predict", "model.onnx", "plain.csv");
    struct said second = DONE(&s, "predict", "model.onnx", "mixed.csv");
    assert_string_equal(first.out, "prediction\nsmall\nlarge\n\"odd, green\"\n");
    assert_string_equal(second.out, first.out);
    said_fini(&first);
    said_fini(&second);
    scratch_remove(&s);
}

/* Class names come out as they went in, quotes and all. */
static void test_quoted_names(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    const char *csv = "x,y\n0,\"a \"\"b\"\"\"\n1,\"d,e\"\n2,\"two\nlines\"\n3,plain\n";
    scratch_write(&s, "a.csv", csv, strlen(csv));
    train_quietly(&s, "a.csv", "--no-bootstrap", "--trees=1");
    struct said said = DONE(&s, "predict", "model.onnx", "a.csv");
    assert_string_equal(said.out, "prediction\n\"a \"\"b\"\"\"\n\"d,e\"\n\"two\nlines\"\nplain\n");
    said_fini(&said);
    scratch_remove(&s);
}

static void test_weights_count(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "train.csv", 400, 1);
    train_quietly(&s, "train.csv", "--sample-weight=weight", "--trees=5");
    json_t *without = JSON(&s, "evaluate", "model.onnx", "train.csv", "--json");
    json_t *with = JSON(&s, "evaluate", "model.onnx", "train.csv", "--sample-weight", "weight", "--json");
    assert_true(json_number_of(with, "log_loss") != json_number_of(without, "log_loss"));
    json_decref(with);
    json_decref(without);
    scratch_remove(&s);
}

static void put_be(FILE *file, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) fputc((int)(value >> shift & 255), file);
}

/* n images of 2 x 2 pixels and their labels, which are what the first pixel says. */
static void write_idx(struct scratch *s, const char *part, uint32_t n)
{
    char name[64];
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", part);
    FILE *images = fopen(scratch_path(s, name), "wb");
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", part);
    FILE *labels = fopen(scratch_path(s, name), "wb");
    assert_true(images && labels);
    put_be(images, 0x803);
    put_be(labels, 0x801);
    put_be(images, n);
    put_be(labels, n);
    put_be(images, 2);
    put_be(images, 2);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t label = i * 7 % 3;
        for (uint32_t p = 0; p < 4; p++)
            fputc((int)(p ? (i * 31 + p * 17) & 255 : label * 100 + i % 50), images);
        fputc((int)label, labels);
    }
    assert_int_equal(fclose(images) + fclose(labels), 0);
}

static void test_paths_with_two_parts(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_idx(&s, "train", 200);
    write_idx(&s, "t10k", 50);
    json_t *trained = JSON(&s, "train", "forest", ".", "--trees", "20", "--json");
    assert_true(json_number_of(trained, "rows") == 200);
    assert_true(json_number_of(trained, "test_rows") == 50);
    assert_true(json_number_of(trained, "accuracy") > 0.9);
    struct said said = DONE(&s, "evaluate", "model.onnx", ".");
    assert_non_null(strstr(said.err, "this is the test part"));
    assert_non_null(strstr(said.out, "50 rows"));
    said_fini(&said);
    said = DONE(&s, "evaluate", "model.onnx", ".", "--split", "train");
    assert_string_equal(said.err, "");
    assert_non_null(strstr(said.out, "200 rows"));
    said_fini(&said);
    json_t *predicted = JSON(&s, "predict", "model.onnx", ".", "--json");
    assert_string_equal(json_text_of(predicted, "split"), "test");
    assert_true(json_number_of(predicted, "rows") == 50);
    json_t *data = JSON(&s, "data", ".", "--json", "--split", "test");
    assert_true(json_is_true(json_object_get(data, "has_test")));
    assert_true(json_number_of(data, "rows") == 50);
    json_decref(data);
    json_decref(predicted);
    json_decref(trained);
    scratch_remove(&s);
}

static void test_text_for_people(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "train.csv", 200, 1);
    struct said said =
        DONE(&s, "train", "forest", "train.csv", "--trees", "5", "--holdout", "0.2", "--oob-score");
    assert_non_null(strstr(said.out, "trained     5 trees in "));
    assert_non_null(strstr(said.out, "test        accuracy "));
    assert_non_null(strstr(said.out, "out of bag  accuracy "));
    assert_non_null(strstr(said.out, "model       model.onnx ("));
    assert_string_equal(said.err, "");
    said_fini(&said);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_other_columns),
        cmocka_unit_test(test_quoted_names),
        cmocka_unit_test(test_weights_count),
        cmocka_unit_test(test_paths_with_two_parts),
        cmocka_unit_test(test_text_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
