/* ONNX files that others exported: layouts that mean the same, and all that is refused. */
#include "hand_net.h"
#include "scratch.h"

#include "model/net_proto.h"
#include "model/onnx_net_read.h"

enum { FLOAT = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT };

/* A file being made: x -> ... -> y. */
struct foreign {
    struct proto_builder builder;
    float numbers[64];
    bool two_open_axes, two_outputs;
    int64_t opset;
};

static void begin(struct foreign *f, const int64_t *dims, size_t n)
{
    *f = (struct foreign){.opset = 13};
    proto_init(&f->builder);
    proto_add_value(&f->builder, true, "x", FLOAT, dims, n);
    for (int i = 0; i < 64; i++) f->numbers[i] = (float)(i % 7 - 3) / 4;
}

static char *weight(struct foreign *f, const char *name, const int64_t *dims, size_t n)
{
    return proto_floats(&f->builder, name, f->numbers, dims, n);
}

/* Packs it; the bytes are the caller's. */
static uint8_t *finish(struct foreign *f, size_t *size)
{
    Onnx__ModelProto file = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto set = ONNX__OPERATOR_SET_ID_PROTO__INIT, *sets = &set;
    int64_t one = 1;
    proto_add_value(&f->builder, false, "y", FLOAT, &one, 1);
    if (f->two_outputs) proto_add_value(&f->builder, false, "x", FLOAT, &one, 1);
    if (f->two_open_axes)
        f->builder.graph.input[0]->type->tensor_type->shape->dim[1]->value_case =
            ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE__NOT_SET;
    set.domain = "";
    set.has_version = 1;
    set.version = f->opset;
    file.opset_import = &sets;
    file.n_opset_import = 1;
    file.graph = &f->builder.graph;
    assert_false(f->builder.failed);
    *size = onnx__model_proto__get_packed_size(&file);
    uint8_t *bytes = malloc(*size);
    assert_non_null(bytes);
    onnx__model_proto__pack(&file, bytes);
    proto_fini(&f->builder);
    return bytes;
}

/* Reads it and runs a sample. */
static void assert_says(struct foreign *f, const float *x, const float *wanted)
{
    size_t size;
    uint8_t *bytes = finish(f, &size);
    struct net_graph *graph;
    bramble_error error = {0};
    float out[16];
    if (onnx_net_decode(&graph, NULL, true, bytes, size, "f.onnx", &error)) fail_msg("%s", error.message);
    assert_true(graph->values[graph->output].size <= 16);
    assert_int_equal(net_run(graph, x, 1, 1, out, NULL), BRAMBLE_OK);
    for (size_t i = 0; i < graph->values[graph->output].size; i++)
        if (!(fabsf(out[i] - wanted[i]) < 1e-5f))
            fail_msg("%zu: %g, not %g", i, (double)out[i], (double)wanted[i]);
    graph_fini(graph);
    mem_free(graph);
    free(bytes);
}

static void add(struct foreign *f, const char *op, const char *a, const char *b, const char *out)
{
    proto_add_node(&f->builder, op, (const char *[]){a, b}, b ? 2 : 1, (const char *[]){out}, 1);
}

/* Keras: images come channels last and are turned for a convolution; dense layers are MatMul and Add. */
static void test_channels_last(void **state)
{
    (void)state;
    static const int64_t first[4] = {0, 3, 1, 2}, last[4] = {0, 2, 3, 1};
    struct foreign f;
    begin(&f, (int64_t[]){2, 3, 2}, 3);
    add(&f, "Transpose", "x", NULL, "t");
    proto_ints(&f.builder, proto_last(&f.builder), "perm", first, 4);
    add(&f, "Conv", "t", weight(&f, "w", (int64_t[]){1, 2, 1, 1}, 4), "c");
    add(&f, "Transpose", "c", NULL, "l");
    proto_ints(&f.builder, proto_last(&f.builder), "perm", last, 4);
    add(&f, "Reshape", "l", proto_integers(&f.builder, (int64_t[]){-1, 6}, 2), "r");
    add(&f, "MatMul", "r", weight(&f, "m", (int64_t[]){6, 2}, 2), "p");
    add(&f, "Add", "p", weight(&f, "b", (int64_t[]){2}, 1), "y");
    float x[12], pixels[6], wanted[2], numbers[12];
    memcpy(numbers, f.numbers, sizeof numbers);
    for (int i = 0; i < 12; i++) x[i] = (float)(i * i % 5) / 2;
    for (int i = 0; i < 6; i++) pixels[i] = numbers[0] * x[2 * i] + numbers[1] * x[2 * i + 1];
    for (int o = 0; o < 2; o++) {
        wanted[o] = numbers[o];
        for (int k = 0; k < 6; k++) wanted[o] += pixels[k] * numbers[2 * k + o];
    }
    assert_says(&f, x, wanted);
}

/* A flattened image's rows of a weight go where its numbers lie; Gemm's factors are in the weights. */
static void test_flattened_image(void **state)
{
    (void)state;
    struct foreign f;
    begin(&f, (int64_t[]){2, 2, 3}, 3);
    add(&f, "Flatten", "x", NULL, "r");
    Onnx__NodeProto *gemm = proto_add_node(
        &f.builder, "Gemm",
        (const char *[]){"r", weight(&f, "w", (int64_t[]){2, 12}, 2), weight(&f, "b", (int64_t[]){2}, 1)}, 3,
        (const char *[]){"y"}, 1);
    proto_int(&f.builder, gemm, "transB", 1);
    proto_float(&f.builder, gemm, "alpha", 2);
    proto_float(&f.builder, gemm, "beta", 3);
    float x[12], wanted[2];
    for (int i = 0; i < 12; i++) x[i] = (float)(i * i % 5) / 2;
    for (int o = 0; o < 2; o++) {
        wanted[o] = 3 * f.numbers[o];
        for (int k = 0; k < 12; k++) /* k: channel, height, width; x: height, width, channel */
            wanted[o] += 2 * f.numbers[o * 12 + k] * x[k % 6 * 2 + k / 6];
    }
    assert_says(&f, x, wanted);
}

/* What a graph says of its batch where the shape is put together while it runs. */
static void test_computed_shape(void **state)
{
    (void)state;
    struct foreign f;
    begin(&f, (int64_t[]){4, 3}, 2);
    struct proto_builder *b = &f.builder;
    char *batch =
        proto_add_binary(b, "Gather", proto_add_unary(b, "Shape", "x"), proto_integers(b, (int64_t[]){0}, 1));
    char *shape = proto_add_binary(b, "Concat", batch, proto_integers(b, (int64_t[]){2, -1}, 2));
    proto_int(b, proto_last(b), "axis", 0);
    add(&f, "Reshape", "x", shape, "r");
    add(&f, "Gather", "r", proto_integers(b, (int64_t[]){1}, 1), "g");
    proto_int(b, proto_last(b), "axis", 1);
    add(&f, "Tanh", "g", NULL, "y");
    float x[12], wanted[6];
    for (int i = 0; i < 12; i++) x[i] = (float)i / 8;
    for (int i = 0; i < 6; i++) wanted[i] = tanhf(x[6 + i]);
    assert_says(&f, x, wanted);
}

typedef void make_fn(struct foreign *f);

static void make_unknown_operator(struct foreign *f)
{
    add(f, "Einsum", "x", NULL, "y");
}

static void make_other_domain(struct foreign *f)
{
    add(f, "Relu", "x", NULL, "y");
    proto_last(&f->builder)->domain = "com.example";
}

static void make_cycle(struct foreign *f)
{
    add(f, "Add", "x", "later", "y");
    add(f, "Relu", "y", NULL, "later");
}

static void make_two_names(struct foreign *f)
{
    add(f, "Relu", "x", NULL, "a");
    add(f, "Tanh", "x", NULL, "a");
    add(f, "Relu", "a", NULL, "y");
}

static void make_two_weights(struct foreign *f)
{
    weight(f, "w", (int64_t[]){4}, 1);
    add(f, "Add", "x", weight(f, "w", (int64_t[]){4}, 1), "y");
}

static void make_two_inputs(struct foreign *f)
{
    proto_add_value(&f->builder, true, "z", FLOAT, (int64_t[]){4}, 1);
    add(f, "Add", "x", "z", "y");
}

static void make_no_input(struct foreign *f)
{
    add(f, "Relu", weight(f, "w", (int64_t[]){4}, 1), NULL, "y");
}

static void make_two_outputs(struct foreign *f)
{
    add(f, "Relu", "x", NULL, "y");
    f->two_outputs = true;
}

static void make_open_axes(struct foreign *f)
{
    add(f, "Relu", "x", NULL, "y");
    f->two_open_axes = true;
}

static void make_short_weight(struct foreign *f)
{
    add(f, "Add", "x", weight(f, "w", (int64_t[]){4}, 1), "y");
    f->builder.graph.initializer[0]->raw_data.len = 12;
}

static void make_huge_weight(struct foreign *f)
{
    add(f, "Add", "x", weight(f, "w", (int64_t[]){4, 1, 1}, 3), "y");
    for (int d = 0; d < 3; d++) f->builder.graph.initializer[0]->dims[d] = INT32_MAX;
}

static void make_outside_weight(struct foreign *f)
{
    add(f, "Add", "x", weight(f, "w", (int64_t[]){4}, 1), "y");
    f->builder.graph.initializer[0]->has_data_location = 1;
    f->builder.graph.initializer[0]->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
}

static void make_infinite_weight(struct foreign *f)
{
    add(f, "Add", "x", weight(f, "w", (int64_t[]){4}, 1), "y");
    f->numbers[2] = INFINITY;
}

static void make_wrong_matrix(struct foreign *f)
{
    add(f, "MatMul", "x", weight(f, "w", (int64_t[]){5, 2}, 2), "y");
}

static void make_wrong_reshape(struct foreign *f)
{
    add(f, "Reshape", "x", proto_integers(&f->builder, (int64_t[]){-1, 3}, 2), "y");
}

static void make_gather_beyond(struct foreign *f)
{
    add(f, "Gather", "x", proto_integers(&f->builder, (int64_t[]){4}, 1), "y");
    proto_int(&f->builder, proto_last(&f->builder), "axis", 1);
}

static void make_expansion(struct foreign *f)
{
    add(f, "Expand", weight(f, "w", (int64_t[]){4}, 1),
        proto_integers(&f->builder, (int64_t[]){100000, 100000, 4}, 3), "e");
    add(f, "Add", "x", "e", "y");
}

static void make_wrong_padding(struct foreign *f)
{
    add(f, "Conv", "x", weight(f, "w", (int64_t[]){1, 4, 1, 1}, 4), "y");
    proto_ints(&f->builder, proto_last(&f->builder), "pads", (int64_t[]){-1, 0, 0, 0}, 4);
}

static const struct {
    make_fn *make;
    const char *said;
} refusals[] = {
    {make_unknown_operator, "(Einsum): there is no such operator here; there are "},
    {make_other_domain, "there is no such operator here"},
    {make_cycle, "uses \"later\", which nothing before it makes"},
    {make_two_names, "two tensors are called \"a\""},
    {make_two_weights, "two tensors are called \"w\""},
    {make_two_inputs, "has two inputs"},
    {make_no_input, "depends on no input"},
    {make_two_outputs, "has 2 outputs"},
    {make_open_axes, "leaves the sizes of axes 0 and 1 open"},
    {make_short_weight, "not as many numbers"},
    {make_huge_weight, "dimensions that no tensor has"},
    {make_outside_weight, "in another file"},
    {make_infinite_weight, "infinite"},
    {make_wrong_matrix, "rows of 4 numbers by a matrix of 5 rows"},
    {make_wrong_reshape, "to another number of numbers"},
    {make_gather_beyond, "place 4 of 4"},
    {make_expansion, "too many numbers"},
    {make_wrong_padding, "\"pads\" is -1, not 0 to"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct foreign f;
        struct net_graph *graph = NULL;
        bramble_error error = {0};
        size_t size;
        begin(&f, (int64_t[]){4}, 1);
        refusals[i].make(&f);
        uint8_t *bytes = finish(&f, &size);
        bramble_status status = onnx_net_decode(&graph, NULL, true, bytes, size, "f.onnx", &error);
        assert_true(status == BRAMBLE_ERR_DATA || status == BRAMBLE_ERR_UNSUPPORTED);
        assert_null(graph);
        assert_int_equal(strncmp(error.message, "f.onnx: ", 8), 0);
        if (!strstr(error.message, refusals[i].said))
            fail_msg("\"%s\" does not say \"%s\"", error.message, refusals[i].said);
        free(bytes);
    }
}

/* Each allocation failing once, on files that PyTorch wrote. */
static void test_faults(void **state)
{
    static const char *const names[] = {"attention_11", "branches_13", "lstm_two_layers_13", "multihead_13"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[600];
        bramble_status status = BRAMBLE_ERR_MEMORY;
        struct net_graph *graph = NULL;
        snprintf(path, sizeof path, "%s/fuzz/corpus/onnx_net/%s", getenv("BRAMBLE_SOURCE"), names[i]);
        for (size_t n = 1; status; n++) {
            bramble_error error = {0};
            mem_fail_at(n, 0);
            status = onnx_net_read(&graph, NULL, true, path, &error);
            mem_fail_at(0, 0);
            if (status && status != BRAMBLE_ERR_MEMORY) fail_msg("%s", error.message);
            if (status) assert_null(graph);
        }
        graph_fini(graph);
        mem_free(graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channels_last),  cmocka_unit_test(test_flattened_image),
        cmocka_unit_test(test_computed_shape), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
