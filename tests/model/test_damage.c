/* Files that are no sound models: refused in one line, whatever was done to them. */
#include "hand_forest.h"
#include "scratch.h"

#include "model/onnx.pb-c.h"
#include "model/tree_print.h"

static struct bramble_model *some_model(bramble_task task)
{
    return hand_model(3, &(struct hand_options){.task = task,
                                                .n_classes = task == BRAMBLE_TASK_REGRESSION ? 0 : 3,
                                                .n_features = 4,
                                                .n_trees = 4,
                                                .depth = 4});
}

static uint8_t *some_file(bramble_task task, size_t *n)
{
    struct scratch scratch = scratch_new();
    struct bramble_model *model = some_model(task);
    assert_int_equal(model_save(model, scratch_path(&scratch, "model.onnx"), NULL), BRAMBLE_OK);
    uint8_t *bytes = scratch_slurp(scratch.path, n);
    model_free(model);
    scratch_remove(&scratch);
    return bytes;
}

static void assert_one_line(const bramble_error *error)
{
    assert_non_null(strstr(error->message, "m.onnx: "));
    assert_null(strchr(error->message, '\n'));
    assert_non_null(strchr(error->message, ';')); /* what is wrong; what to do */
}

/* Loads or is refused, and what loads can be used. */
static bool try_bytes(const uint8_t *bytes, size_t n)
{
    bramble_error error = {0};
    struct bramble_model *model = NULL;
    uint8_t *exact = malloc(n ? n : 1); /* so that reading beyond the end is seen */
    memcpy(exact, bytes, n);
    bramble_status status = model_decode(&model, exact, n, "m.onnx", &error);
    free(exact);
    if (status) {
        assert_null(model);
        assert_int_equal(status, BRAMBLE_ERR_DATA);
        assert_one_line(&error);
        return false;
    }
    float *x = hand_rows(model, 3, 1), *out = mem_alloc(3, (model->forest->n_classes + 1) * sizeof *out);
    forest_predict_rows(model->forest, x, 3, out);
    char *text;
    for (uint32_t t = 0; t < model->forest->n_trees; t++) {
        assert_int_equal(tree_print(&text, model, t, BRAMBLE_TREE_DOT, NULL), BRAMBLE_OK);
        mem_free(text);
    }
    mem_free(x);
    mem_free(out);
    model_free(model);
    return true;
}

static void flip_bits(bramble_task task)
{
    size_t n, loaded = 0;
    uint8_t *bytes = some_file(task, &n);
    struct rng rng;
    rng_init(&rng, 77, RNG_HOLDOUT, 0, 0);
    assert_true(try_bytes(bytes, n));
    for (size_t i = 0; i < n; i++) {
        uint8_t bit = (uint8_t)(1 << rng_below(&rng, 8));
        bytes[i] ^= bit;
        loaded += try_bytes(bytes, n);
        bytes[i] ^= bit;
    }
    assert_true(loaded < n * 6 / 10); /* harmless: bits of covers, names and thresholds */
    free(bytes);
}

static void test_flipped_bits(void **state)
{
    (void)state;
    flip_bits(BRAMBLE_TASK_CLASSIFICATION);
    flip_bits(BRAMBLE_TASK_REGRESSION);
}

static void test_truncated(void **state)
{
    (void)state;
    size_t n;
    uint8_t *bytes = some_file(BRAMBLE_TASK_CLASSIFICATION, &n);
    for (size_t cut = 0; cut < n; cut++) assert_false(try_bytes(bytes, cut));
    free(bytes);
}

/* Graphs within attributes within nodes within graphs: a small file that would take an unwary reader
 * megabytes of stack. */
static void test_nested_deeply(void **state)
{
    (void)state;
    enum { LEVELS = 30000 };
    static const uint8_t tags[] = {0x32, 0x2a, 0x0a}; /* attribute.g, node.attribute, graph.node */
    static uint8_t bytes[5 * LEVELS];
    size_t end = sizeof bytes, at = end;
    for (int level = 0; level <= LEVELS; level++) {
        uint8_t head[8] = {level < LEVELS ? tags[level % 3] : 0x3a /* model.graph */}, n = 1;
        size_t length = end - at;
        for (; length >= 0x80; length >>= 7) head[n++] = (uint8_t)(length | 0x80);
        head[n++] = (uint8_t)length;
        at -= n;
        memcpy(bytes + at, head, n);
    }
    assert_false(try_bytes(bytes + at, end - at));
}

static void refused(const uint8_t *bytes, size_t n, const char *part)
{
    bramble_error error = {0};
    struct bramble_model *model = NULL;
    assert_int_equal(model_decode(&model, bytes, n, "m.onnx", &error), BRAMBLE_ERR_DATA);
    if (!strstr(error.message, part)) fail_msg("\"%s\" does not say \"%s\"", error.message, part);
    assert_one_line(&error);
}

/* Applies `change` to what the file says and expects to be refused. */
static void refused_after(bramble_task task, void (*change)(Onnx__ModelProto *file), const char *part)
{
    size_t n;
    uint8_t *bytes = some_file(task, &n);
    Onnx__ModelProto *file = onnx__model_proto__unpack(NULL, n, bytes);
    free(bytes);
    change(file);
    uint8_t *changed = malloc(onnx__model_proto__get_packed_size(file));
    n = onnx__model_proto__pack(file, changed);
    onnx__model_proto__free_unpacked(file, NULL);
    refused(changed, n, part);
    free(changed);
}

static Onnx__AttributeProto *attribute(Onnx__ModelProto *file, const char *name)
{
    Onnx__NodeProto *node = file->graph->node[0];
    for (size_t a = 0; a < node->n_attribute; a++)
        if (strcmp(node->attribute[a]->name, name) == 0) return node->attribute[a];
    fail_msg("no attribute %s", name);
    return NULL;
}

static void drop_metadata(Onnx__ModelProto *file)
{
    strcpy(file->metadata_props[0]->key, "somebody's");
}

static void drop_importances(Onnx__ModelProto *file)
{
    strcpy(file->metadata_props[1]->key, "somebody's");
}

static void other_operator(Onnx__ModelProto *file)
{
    strcpy(file->graph->node[1]->op_type, "Mul");
}

static void other_divisor(Onnx__ModelProto *file)
{
    file->graph->initializer[0]->float_data[0] = 5;
}

static void other_aggregate(Onnx__ModelProto *file)
{
    memcpy(attribute(file, "aggregate_function")->s.data, "MINIMUM", 7);
}

static void feature_out_of_range(Onnx__ModelProto *file)
{
    Onnx__AttributeProto *features = attribute(file, "nodes_featureids");
    features->ints[0] = 4;
}

static void shorter_array(Onnx__ModelProto *file)
{
    attribute(file, "nodes_values")->n_floats--;
}

static void child_is_itself(Onnx__ModelProto *file)
{
    attribute(file, "nodes_falsenodeids")->ints[0] = 0;
}

static void child_is_elsewhere(Onnx__ModelProto *file)
{
    attribute(file, "nodes_falsenodeids")->ints[0]++;
}

static void child_is_negative(Onnx__ModelProto *file)
{
    attribute(file, "nodes_falsenodeids")->ints[0] = INT64_MIN;
}

static void threshold_is_nan(Onnx__ModelProto *file)
{
    Onnx__AttributeProto *values = attribute(file, "nodes_values");
    for (size_t i = 0; i < values->n_floats; i++) values->floats[i] = NAN;
}

static void share_is_two(Onnx__ModelProto *file)
{
    attribute(file, "class_weights")->floats[0] = 2;
}

static void class_out_of_range(Onnx__ModelProto *file)
{
    attribute(file, "class_ids")->ints[0] = 3;
}

static void value_is_infinite(Onnx__ModelProto *file)
{
    attribute(file, "target_weights")->floats[0] = INFINITY;
}

static void trees_out_of_order(Onnx__ModelProto *file)
{
    attribute(file, "nodes_treeids")->ints[0] = 1;
}

static void value_too_many(Onnx__ModelProto *file)
{
    Onnx__AttributeProto *nodes = attribute(file, "target_nodeids");
    nodes->ints[nodes->n_ints - 1]++;
}

static void unknown_mode(Onnx__ModelProto *file)
{
    Onnx__AttributeProto *modes = attribute(file, "nodes_modes");
    memcpy(modes->strings[modes->n_strings - 1].data, "LEEF", 4);
}

static void missing_is_two(Onnx__ModelProto *file)
{
    Onnx__AttributeProto *missing = attribute(file, "nodes_missing_value_tracks_true");
    for (size_t i = 0; i < missing->n_ints; i++) missing->ints[i] = 2;
}

static void test_what_is_refused(void **state)
{
    (void)state;
    const bramble_task classes = BRAMBLE_TASK_CLASSIFICATION, numbers = BRAMBLE_TASK_REGRESSION;
    refused((const uint8_t *)"this is no ONNX file", 20, "not an ONNX file");
    refused((const uint8_t *)"", 0, "no model of bramble's");
    refused_after(classes, drop_metadata, "no model of bramble's");
    refused_after(classes, drop_importances, "importances");
    refused_after(classes, other_operator, "its graph is not as bramble writes it");
    refused_after(classes, other_divisor, "its graph is not as bramble writes it");
    refused_after(numbers, other_aggregate, "its graph is not as bramble writes it");
    refused_after(classes, feature_out_of_range, "tree 0, node 0: asks for a feature that is not there");
    refused_after(classes, shorter_array, "lack a property");
    refused_after(classes, child_is_itself, "tree 0, node 0: ");
    refused_after(numbers, child_is_elsewhere, "not where its parent looks for it");
    refused_after(classes, child_is_negative, "tree 0, node 0: ");
    refused_after(numbers, threshold_is_nan, "tree 0, node ");
    refused_after(classes, share_is_two, "share outside 0 to 1");
    refused_after(classes, class_out_of_range, "has a class that is not there");
    refused_after(numbers, value_is_infinite, "without one finite value");
    refused_after(classes, trees_out_of_order, "not numbered in order");
    refused_after(numbers, value_too_many, "without one finite value");
    refused_after(numbers, unknown_mode, "a mode other than");
    refused_after(classes, missing_is_two, "neither left nor right");
}

/* Replaces the schema in the metadata. */
static void refused_schema(const char *schema, const char *part)
{
    size_t n;
    uint8_t *bytes = some_file(BRAMBLE_TASK_REGRESSION, &n);
    Onnx__ModelProto *file = onnx__model_proto__unpack(NULL, n, bytes);
    free(bytes);
    char *kept = file->metadata_props[0]->value;
    file->metadata_props[0]->value = (char *)schema;
    uint8_t *changed = malloc(onnx__model_proto__get_packed_size(file));
    n = onnx__model_proto__pack(file, changed);
    file->metadata_props[0]->value = kept;
    onnx__model_proto__free_unpacked(file, NULL);
    refused(changed, n, part);
    free(changed);
}

#define FEATURE "{\"features\":[{\"name\":\"a\",\"type\":\"number\"}],"

static void test_schemas_that_are_refused(void **state)
{
    (void)state;
    refused_schema("{", "not JSON");
    refused_schema("[]", "0 features");
    refused_schema("{\"features\":[]}", "0 features");
    refused_schema("{\"features\":[3]}", "lacks a text");
    refused_schema("{\"features\":[{\"name\":\"a\",\"type\":\"colour\"}]}", "no known kind");
    refused_schema("{\"features\":[{\"name\":{\"hex\":\"0\"},\"type\":\"byte\"}]}", "lacks a text");
    refused_schema("{\"features\":[{\"name\":{\"hex\":\"6x\"},\"type\":\"byte\"}]}", "not hexadecimal");
    refused_schema("{\"features\":[{\"name\":{\"hex\":\"6100\"},\"type\":\"byte\"}]}", "not hexadecimal");
    refused_schema("{\"features\":[{\"name\":\"a\",\"type\":\"category\",\"categories\":[\"b\",\"a\"]}]}",
                   "not in order");
    refused_schema("{\"features\":[{\"name\":\"a\",\"type\":\"category\",\"categories\":[],\"other\":true}]}",
                   "not in order");
    refused_schema("{\"features\":[{\"name\":\"a\",\"type\":\"category\"}]}", "a list that is missing");
    refused_schema(FEATURE "\"shape\":[2,2]}", "image shape");
    refused_schema(FEATURE "\"shape\":[1,0]}", "image shape");
    refused_schema(FEATURE "\"shape\":[4294967296,0]}", "image shape");
    refused_schema(FEATURE "\"shape\":[0,0],\"target\":null,\"task\":\"none\"}", "what the target is");
    refused_schema(FEATURE "\"shape\":[0,0],\"target\":7,\"task\":\"regression\"}", "lacks a text");
    refused_schema(FEATURE "\"shape\":[0,0],\"target\":null,\"task\":\"classification\",\"classes\":[\"a\"]}",
                   "1 classes");
    refused_schema(FEATURE "\"shape\":[0,0],\"target\":null,\"task\":\"regression\",\"classes\":[\"a\"]}",
                   "1 classes");
    refused_schema(FEATURE "\"shape\":[0,0],\"target\":null,\"task\":\"regression\",\"classes\":[]}",
                   "1 numbers and do not");
}

static void test_no_file(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    bramble_error error = {0};
    struct bramble_model *model = NULL;
    assert_int_equal(model_load(&model, scratch_path(&scratch, "m.onnx"), &error), BRAMBLE_ERR_IO);
    assert_one_line(&error);
    assert_non_null(strstr(error.message, "cannot open"));
    assert_int_equal(model_load(&model, scratch.folder, &error), BRAMBLE_ERR_IO);
    assert_non_null(strstr(error.message, "not a regular file"));
    assert_int_equal(model_load(&model, scratch_write(&scratch, "m.onnx", "", 0), &error), BRAMBLE_ERR_DATA);
    assert_one_line(&error);
    assert_null(model);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_nested_deeply),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_schemas_that_are_refused),
        cmocka_unit_test(test_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
