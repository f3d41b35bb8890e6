/* Encoders: what rows become, what comes back of it, and what a damaged one does. */
#include <math.h>

#include "base/mem.h"
#include "data/encoder.h"
#include "data/rows.h"
#include "tables.h"

static const char mixed[] = "size,colour,y\n"
                            "1,red,10\n"
                            "2.5,blue,20\n"
                            ",red,30\n"
                            "4,?,40\n";

static struct encoder learn(const bramble_table *table)
{
    struct encoder encoder;
    bramble_error error = {0};
    if (encoder_init(&encoder, table, NULL, &error)) fail_msg("%s", error.message);
    return encoder;
}

static bramble_table *read_regression(const char *text)
{
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.task = BRAMBLE_TASK_REGRESSION;
    return tables_read(text, &options);
}

/* N images of height x width x channels, byte i is (7 i) % 256; classes alternate. */
static bramble_table *images(size_t n, uint32_t height, uint32_t width, uint32_t channels)
{
    bramble_table *table = mem_zalloc(1, sizeof *table);
    uint32_t n_features = height * width * channels;
    *table = (bramble_table){.format = "array", .n_rows = n};
    table->schema = (struct bramble_schema){.n_features = n_features,
                                            .shape = {height, width},
                                            .task = BRAMBLE_TASK_CLASSIFICATION,
                                            .target_name = mem_strdup("label"),
                                            .n_classes = 2};
    table->schema.features = mem_zalloc(n_features, sizeof *table->schema.features);
    table->schema.classes = mem_zalloc(2, sizeof(char *));
    for (int c = 0; c < 2; c++) table->schema.classes[c] = mem_strdup(c ? "b" : "a");
    table->columns = mem_zalloc(n_features, sizeof *table->columns);
    assert_int_equal(spill_new(&table->spill, NULL), BRAMBLE_OK);
    table->classes = spill_resize(table->spill, NULL, n, sizeof *table->classes);
    for (uint32_t f = 0; f < n_features; f++) {
        table->schema.features[f].name = mem_strdup("pixel");
        table->columns[f].bytes = spill_resize(table->spill, NULL, n, 1);
        for (size_t r = 0; r < n; r++) table->columns[f].bytes[r] = (uint8_t)(7 * (r * n_features + f));
    }
    for (size_t r = 0; r < n; r++) table->classes[r] = r & 1;
    return table;
}

/* Categories are numbered through; the file's form brings the same back. */
static void encodes_places(void **state)
{
    (void)state;
    bramble_table *table = tables_read("n,colour,b,shape,y\n3,red,7,round,p\n,blue,8,flat,q\n12,?,9,round,p\n"
                                       "300,green,0,?,q\n",
                                       NULL);
    struct encoder e, back;
    bramble_error error = {0};
    char *json;
    float x[4 * 4], again[4 * 4];
    static const float wanted[4 * 4] = {3, 3, 7, 5, 0, 1, 8, 4, 12, 0, 9, 5, 300, 2, 0, 0};
    assert_int_equal(encoder_init_places(&e, table, NULL, (uint32_t[]){3, 3, 3, 3}, &error), BRAMBLE_OK);
    assert_int_equal(e.n_inputs, 4);
    encoder_encode(&e, table, 0, 4, x);
    assert_memory_equal(x, wanted, sizeof wanted);
    assert_int_equal(encoder_to_json(&json, &e, &error), BRAMBLE_OK);
    assert_int_equal(encoder_from_json(&back, json, "m.onnx", &table->schema, &error), BRAMBLE_OK);
    encoder_encode(&back, table, 0, 4, again);
    assert_memory_equal(again, wanted, sizeof wanted);
    mem_free(json);
    encoder_fini(&back);
    encoder_fini(&e);
    /* Tables of their own begin with 1 each; a number that is not looked up is scaled. */
    const uint32_t tables[] = {ENCODER_NO_TABLE, 4, 4, 5};
    static const float own[4 * 4] = {0, 3, 7, 2, 0, 1, 8, 1, 0, 0, 9, 2, 0, 2, 0, 0};
    assert_int_equal(encoder_init_places(&e, table, NULL, tables, &error), BRAMBLE_OK);
    encoder_encode(&e, table, 0, 4, x);
    assert_true(x[0] < x[8] && x[8] < x[12] && x[4] == 0 && fabsf(x[0] + x[8] + x[12]) < 1e-6f);
    for (int i = 0; i < 16; i += 4) x[i] = 0;
    assert_memory_equal(x, own, sizeof own);
    encoder_fini(&e);
    bramble_table_free(table);
    table = images(2, 2, 2, 1);
    assert_int_equal(encoder_init_places(&e, table, NULL, tables, &error), BRAMBLE_ERR_DATA);
    assert_non_null(strstr(error.message, "embedding"));
    bramble_table_free(table);
}

static void encodes_numbers_categories_and_target(void **state)
{
    (void)state;
    bramble_table *table = read_regression(mixed);
    struct encoder e = learn(table);
    assert_int_equal(e.n_inputs, 5); /* size, its indicator; blue, red, their indicator */
    assert_int_equal(e.n_outputs, 1);
    float x[4][5];
    encoder_encode(&e, table, 0, 4, x[0]);
    double mean = 2.5, deviation = sqrt(1.5);
    for (int r = 0; r < 4; r++) {
        double size = (double[]){1, 2.5, mean, 4}[r];
        assert_true(fabs((double)x[r][0] - (size - mean) / deviation) < 1e-6);
        assert_true(x[r][1] == (r == 2));
        assert_true(x[r][2] == (r == 1));
        assert_true(x[r][3] == (r == 0 || r == 2));
        assert_true(x[r][4] == (r == 3));
    }
    float y[4];
    encoder_targets(&e, table, 0, 4, y);
    for (int r = 0; r < 4; r++) assert_true(fabs(encoder_target_value(&e, y[r]) - 10 * (r + 1)) < 1e-5);
    assert_true(fabs((double)(y[0] + y[1] + y[2] + y[3])) < 1e-6);
    encoder_fini(&e);
    bramble_table_free(table);
}

static void learns_from_the_rows_it_is_told(void **state)
{
    (void)state;
    bramble_table *table = read_regression(mixed);
    struct encoder e;
    struct encoder_rows rows = {(const uint32_t[]){1, 3}, 2};
    assert_int_equal(encoder_init(&e, table, &rows, NULL), BRAMBLE_OK);
    assert_true(e.features[0].mean == 3.25f && e.features[0].deviation == 0.75f);
    assert_false(e.features[0].indicator); /* missing in another row only */
    assert_true(e.features[1].indicator);
    assert_true(e.target_mean == 30 && e.target_deviation == 10);
    encoder_fini(&e);
    bramble_table_free(table);
}

static void constant_features_become_zero(void **state)
{
    (void)state;
    bramble_table *table = read_regression("a,b,c,y\n0.1,7,,1\n0.1,7,,1\n0.1,7,,1\n");
    struct encoder e = learn(table);
    float x[4], y;
    assert_int_equal(e.n_inputs, 4);
    encoder_encode(&e, table, 1, 1, x);
    for (int i = 0; i < 3; i++) assert_true(x[i] == 0);
    assert_true(x[3] == 1);
    encoder_targets(&e, table, 2, 1, &y);
    assert_true(y == 0 && encoder_target_value(&e, y) == 1);
    encoder_encode_value(&e, 0, 1.1f, x); /* another value at prediction stays finite */
    assert_true(fabsf(x[0] - 1) < 1e-6f);
    encoder_fini(&e);
    bramble_table_free(table);
}

static void rows_encode_as_columns_do(const bramble_table *table, const struct encoder *e)
{
    struct rows rows;
    struct row_encoder *coder;
    assert_int_equal(rows_init(&rows, table, e, NULL), BRAMBLE_OK);
    assert_int_equal(row_encoder_new(&coder, e, &rows, NULL), BRAMBLE_OK);
    size_t n = table->n_rows, bytes = e->n_inputs * sizeof(float);
    float *all = mem_alloc(n, bytes), *one = mem_alloc(1, bytes);
    encoder_encode(e, table, 0, n, all);
    for (size_t r = 0; r < n; r++) {
        row_encoder_encode(coder, r, one);
        assert_memory_equal(one, all + r * e->n_inputs, bytes);
    }
    mem_free(one);
    mem_free(all);
    row_encoder_free(coder);
    rows_fini(&rows);
}

static void scales_pixels(void **state)
{
    (void)state;
    for (uint32_t channels = 1; channels <= 3; channels += 2) {
        bramble_table *table = images(70, 4, 5, channels);
        struct encoder e = learn(table);
        assert_true(e.pixels);
        assert_int_equal(e.n_outputs, 2);
        assert_int_equal(e.shape[0], 4);
        assert_int_equal(e.shape[1], 5);
        assert_int_equal(e.shape[2], channels);
        float x[60];
        encoder_encode(&e, table, 69, 1, x);
        for (uint32_t i = 0; i < 20 * channels; i++)
            assert_true(x[i] == (float)(uint8_t)(7 * (69 * 20 * channels + i)) / 255.0f);
        rows_encode_as_columns_do(table, &e);
        encoder_fini(&e);
        bramble_table_free(table);
    }
}

static void rows_hold_mixed_tables(void **state)
{
    (void)state;
    bramble_table *table = read_regression(mixed);
    struct encoder e = learn(table);
    rows_encode_as_columns_do(table, &e);
    encoder_fini(&e);
    bramble_table_free(table);
}

static void assert_same(const struct encoder *a, const struct encoder *b)
{
    assert_int_equal(a->n_inputs, b->n_inputs);
    assert_int_equal(a->n_outputs, b->n_outputs);
    assert_int_equal(a->pixels, b->pixels);
    assert_int_equal(a->one_vs_rest, b->one_vs_rest);
    assert_memory_equal(a->shape, b->shape, sizeof a->shape);
    assert_true(a->target_mean == b->target_mean && a->target_deviation == b->target_deviation);
    assert_int_equal(!a->features, !b->features);
    for (uint32_t f = 0; a->features && f < a->n_features; f++) {
        const struct encoded_feature *p = &a->features[f], *q = &b->features[f];
        assert_int_equal(p->encoding, q->encoding);
        assert_int_equal(p->indicator, q->indicator);
        assert_int_equal(p->n_categories, q->n_categories);
        assert_int_equal(p->first, q->first);
        assert_true(p->mean == q->mean && p->deviation == q->deviation);
    }
}

static void comes_back_from_json(void **state)
{
    (void)state;
    bramble_table *tables[] = {read_regression(mixed), images(50, 3, 3, 3)};
    for (int t = 0; t < 2; t++) {
        struct encoder e = learn(tables[t]), back, copy;
        char *json;
        e.one_vs_rest = e.task == BRAMBLE_TASK_CLASSIFICATION;
        assert_int_equal(encoder_to_json(&json, &e, NULL), BRAMBLE_OK);
        assert_int_equal(encoder_from_json(&back, json, "m", &tables[t]->schema, NULL), BRAMBLE_OK);
        assert_int_equal(encoder_copy(&copy, &back, NULL), BRAMBLE_OK);
        assert_same(&e, &back);
        assert_same(&e, &copy);
        mem_free(json);
        encoder_fini(&copy);
        encoder_fini(&back);
        encoder_fini(&e);
    }
    for (int t = 0; t < 2; t++) bramble_table_free(tables[t]);
}

#define TARGET "\"target\":{\"mean\":0,\"deviation\":1}"
#define NUMBER "{\"encoding\":\"number\",\"indicator\":false,\"mean\":0,\"deviation\":1}"
#define COLOUR "{\"encoding\":\"one-hot\",\"indicator\":false}"

static void refuses_damaged_json(void **state)
{
    (void)state;
    bramble_table *table = read_regression(mixed);
    const char *fine = "{\"features\":[" NUMBER "," COLOUR "]," TARGET "}";
    const char *bad[] = {
        "",
        "[]",
        "{",
        "{\"features\":[" NUMBER "," COLOUR "]}",
        "{\"features\":[" NUMBER "]," TARGET "}",
        "{\"features\":[" NUMBER "," NUMBER "]," TARGET "}",
        "{\"features\":[" COLOUR "," COLOUR "]," TARGET "}",
        "{\"features\":[" NUMBER ",{\"encoding\":\"one-hot\"}]," TARGET "}",
        "{\"features\":[" NUMBER ",7]," TARGET "}",
        "{\"features\":7," TARGET "}",
        "{" TARGET "}",
        "{\"features\":[" NUMBER ",{\"encoding\":\"index\",\"indicator\":false}]," TARGET "}",
        "{\"features\":[{\"encoding\":\"number\",\"indicator\":false,\"mean\":0,\"deviation\":0}," COLOUR
        "]," TARGET "}",
        "{\"features\":[{\"encoding\":\"number\",\"indicator\":false,\"mean\":1e300,\"deviation\":1}," COLOUR
        "]," TARGET "}",
        "{\"features\":[{\"encoding\":\"number\",\"indicator\":false,\"mean\":0,\"deviation\":-1}," COLOUR
        "]," TARGET "}",
        "{\"features\":[" NUMBER "," COLOUR "],\"target\":{\"mean\":0,\"deviation\":1e-320}}",
        "{\"features\":[" NUMBER ",{\"encoding\":\"place\",\"indicator\":true,\"base\":1}]," TARGET "}",
        "{\"features\":[" NUMBER ",{\"encoding\":\"place\",\"indicator\":false,\"base\":-1}]," TARGET "}",
        "{\"features\":[" NUMBER ",{\"encoding\":\"place\",\"indicator\":false,\"base\":1e9}]," TARGET "}",
        "{\"features\":[" NUMBER ",{\"encoding\":\"place\",\"indicator\":false}]," TARGET "}",
        "{\"features\":[" NUMBER "," COLOUR
        "],\"target\":{\"mean\":0,\"deviation\":1,\"one_vs_rest\":true}}", /* a number is wanted */
    };
    struct encoder e;
    assert_int_equal(encoder_from_json(&e, fine, "m", &table->schema, NULL), BRAMBLE_OK);
    encoder_fini(&e);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bramble_error error = {0};
        if (encoder_from_json(&e, bad[i], "m.onnx", &table->schema, &error) != BRAMBLE_ERR_DATA)
            fail_msg("%s is taken", bad[i]);
        assert_non_null(strstr(error.message, "m.onnx: damaged model"));
        assert_null(e.features);
    }
    bramble_table_free(table);
}

static void outputs_become_probabilities(void **state)
{
    (void)state;
    struct encoder e = {.n_outputs = 3};
    float out[3];
    encoder_probabilities(&e, (float[]){0, (float)log(2), (float)log(5)}, out);
    for (int c = 0; c < 3; c++) assert_true(fabs((double)out[c] - (double[]){1, 2, 5}[c] / 8) < 1e-6);
    e.one_vs_rest = true;
    encoder_probabilities(&e, (float[]){0, (float)log(3), (float)-log(3)}, out); /* 1/2, 3/4, 1/4 */
    for (int c = 0; c < 3; c++) assert_true(fabs((double)out[c] - (double[]){2, 3, 1}[c] / 6) < 1e-6);
    encoder_probabilities(&e, (float[]){-2000, -2000, -3000}, out);
    assert_true(out[0] == 0.5f && out[1] == 0.5f && out[2] == 0);
    encoder_probabilities(&e, (float[]){2000, 2000, -2000}, out);
    assert_true(out[0] == 0.5f && out[1] == 0.5f && out[2] == 0);
}

static void survives_no_memory(void **state)
{
    (void)state;
    bramble_table *table = read_regression(mixed);
    for (size_t n = 1;; n++) {
        struct encoder e = {0};
        struct rows rows = {0};
        bramble_error error = {0};
        mem_fail_at(n, 1);
        bramble_status status = encoder_init(&e, table, NULL, &error);
        if (!status) status = rows_init(&rows, table, &e, &error);
        size_t count = mem_fail_count();
        mem_fail_at(0, 0);
        rows_fini(&rows);
        encoder_fini(&e);
        if (status == BRAMBLE_OK && count < n) break;
        if (status) assert_int_equal(status, BRAMBLE_ERR_MEMORY);
        assert_int_equal(error.status, status);
    }
    bramble_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_numbers_categories_and_target),
        cmocka_unit_test(encodes_places),
        cmocka_unit_test(learns_from_the_rows_it_is_told),
        cmocka_unit_test(constant_features_become_zero),
        cmocka_unit_test(scales_pixels),
        cmocka_unit_test(rows_hold_mixed_tables),
        cmocka_unit_test(comes_back_from_json),
        cmocka_unit_test(refuses_damaged_json),
        cmocka_unit_test(outputs_become_probabilities),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
