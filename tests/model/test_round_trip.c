/* A model that went through its file is the model it was, and so is the file that went through a model. */
#include "hand_forest.h"
#include "scratch.h"

static void assert_same_text(const char *a, const char *b)
{
    if (!a || !b)
        assert_ptr_equal(a, b);
    else
        assert_string_equal(a, b);
}

static void assert_same_schema(const struct bramble_schema *a, const struct bramble_schema *b)
{
    assert_int_equal(a->n_features, b->n_features);
    assert_int_equal(a->named, b->named);
    assert_int_equal(a->task, b->task);
    assert_int_equal(a->n_classes, b->n_classes);
    assert_memory_equal(a->shape, b->shape, sizeof a->shape);
    assert_same_text(a->target_name, b->target_name);
    for (uint32_t c = 0; c < a->n_classes; c++) assert_string_equal(a->classes[c], b->classes[c]);
    for (uint32_t f = 0; f < a->n_features; f++) {
        const struct feature *p = &a->features[f], *q = &b->features[f];
        assert_string_equal(p->name, q->name);
        assert_int_equal(p->type, q->type);
        assert_int_equal(p->n_categories, q->n_categories);
        assert_int_equal(p->has_other, q->has_other);
        for (uint32_t c = 0; c < p->n_categories; c++)
            assert_string_equal(p->categories[c], q->categories[c]);
    }
}

static void assert_same_model(const struct bramble_model *a, const struct bramble_model *b)
{
    char p[33], q[33];
    forest_hash(a->forest, p);
    forest_hash(b->forest, q);
    assert_string_equal(p, q);
    assert_memory_equal(a->forest->importances, b->forest->importances,
                        a->forest->n_features * sizeof *a->forest->importances);
    if (isnan(a->forest->oob_score))
        assert_true(isnan(b->forest->oob_score));
    else
        assert_true(a->forest->oob_score == b->forest->oob_score);
    assert_same_schema(&a->schema, &b->schema);
    assert_int_equal(a->n_settings, b->n_settings);
    for (uint32_t i = 0; i < a->n_settings; i++) {
        assert_string_equal(a->settings[i].key, b->settings[i].key);
        assert_string_equal(a->settings[i].value, b->settings[i].value);
    }
}

/* Saves, loads, compares; saves what was loaded and compares the files. Frees the model. */
static void round_trip(struct bramble_model *model)
{
    struct scratch scratch = scratch_new();
    bramble_error error = {0};
    char first[400], second[400];
    strcpy(first, scratch_path(&scratch, "first.onnx"));
    strcpy(second, scratch_path(&scratch, "second.onnx"));
    struct bramble_model *loaded = NULL;
    if (model_save(model, first, &error) || model_load(&loaded, first, &error)) fail_msg("%s", error.message);
    assert_same_model(model, loaded);
    assert_int_equal(model_save(loaded, second, &error), BRAMBLE_OK);
    size_t n, m;
    uint8_t *a = scratch_slurp(first, &n), *b = scratch_slurp(second, &m);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    free(a);
    free(b);
    model_free(loaded);
    model_free(model);
    scratch_remove(&scratch);
}

static void test_classification(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++)
        round_trip(hand_model(seed, &(struct hand_options){.task = BRAMBLE_TASK_CLASSIFICATION,
                                                           .n_classes = 2 + (uint32_t)seed % 9,
                                                           .n_features = 1 + (uint32_t)seed % 13,
                                                           .n_trees = 1 + (uint32_t)seed % 12,
                                                           .depth = (uint32_t)seed % 8,
                                                           .pure = seed % 5 == 0,
                                                           .number_labels = seed % 3 == 0}));
}

static void test_regression(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++)
        round_trip(hand_model(seed, &(struct hand_options){.task = BRAMBLE_TASK_REGRESSION,
                                                           .n_features = 1 + (uint32_t)seed % 13,
                                                           .n_trees = 1 + (uint32_t)seed % 12,
                                                           .depth = (uint32_t)seed % 8}));
}

/* Depth costs no stack. */
static void test_deep_chain(void **state)
{
    (void)state;
    round_trip(hand_chain(200000));
}

static void test_schema_without_target_name(void **state)
{
    (void)state;
    struct bramble_model *model = hand_chain(1);
    mem_free(model->schema.target_name);
    model->schema.target_name = NULL;
    model->schema.shape[0] = 2;
    model->schema.shape[1] = 1;
    round_trip(model);
}

static void test_schema_of_coloured_pixels(void **state)
{
    (void)state;
    struct bramble_model *model = hand_chain(1);
    assert_int_equal(model->schema.n_features, 2);
    model->schema.shape[0] = model->schema.shape[1] = 1;
    round_trip(model);
}

/* A file from here and one from there are told apart by their bytes alone, so they must not vary. */
static void test_same_bytes_for_same_model(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    struct hand_options options = {BRAMBLE_TASK_CLASSIFICATION, 3, 4, 5, 4, false, false};
    size_t n[2];
    uint8_t *bytes[2];
    for (int i = 0; i < 2; i++) {
        struct bramble_model *model = hand_model(9, &options);
        assert_int_equal(model_save(model, scratch_path(&scratch, "model.onnx"), NULL), BRAMBLE_OK);
        bytes[i] = scratch_slurp(scratch.path, &n[i]);
        model_free(model);
    }
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(bytes[0], bytes[1], n[0]);
    free(bytes[0]);
    free(bytes[1]);
    scratch_remove(&scratch);
}

/* Files of the fuzzer's corpus, made long ago, mean what they meant: loaded and saved they are the same. */
static void test_files_made_before(void **state)
{
    (void)state;
    static const char *const names[] = {"categories", "chain", "leaf", "pure", "regression", "three", "two"};
    struct scratch scratch = scratch_new();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[1024];
        bramble_error error;
        struct bramble_model *model;
        snprintf(path, sizeof path, "%s/fuzz/corpus/model/%s", getenv("BRAMBLE_SOURCE"), names[i]);
        if (model_load(&model, path, &error)) fail_msg("%s", error.message);
        assert_int_equal(model_save(model, scratch_path(&scratch, "again.onnx"), NULL), BRAMBLE_OK);
        size_t n, m;
        uint8_t *a = scratch_slurp(path, &n), *b = scratch_slurp(scratch.path, &m);
        assert_int_equal(n, m);
        assert_memory_equal(a, b, n);
        free(a);
        free(b);
        model_free(model);
    }
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classification),
        cmocka_unit_test(test_regression),
        cmocka_unit_test(test_deep_chain),
        cmocka_unit_test(test_schema_without_target_name),
        cmocka_unit_test(test_schema_of_coloured_pixels),
        cmocka_unit_test(test_same_bytes_for_same_model),
        cmocka_unit_test(test_files_made_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
