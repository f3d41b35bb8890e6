/* Layer lists: what lines mean, and that whatever is wrong is said in one line that helps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/layer_list.h"
#include "net/operator.h"
#include "net/places.h"
#include "scratch.h"

#define SHAPE(...) ((struct net_shape){sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), {__VA_ARGS__}})

static bramble_status try_build(struct net_graph *graph, const char *text, struct net_shape input,
                                uint32_t n_outputs, bramble_error *error)
{
    const struct layer_list_options options = {
        .input = input, .n_outputs = n_outputs, .weights_max = 1000000};
    return layer_list_build(graph, text, strlen(text), "my.layers", &options, error);
}

static void build(struct net_graph *graph, const char *text, struct net_shape input, uint32_t n_outputs)
{
    bramble_error error = {0};
    if (try_build(graph, text, input, n_outputs, &error)) fail_msg("%s", error.message);
}

/* The whole message; what was in *graph stays. */
static void refused(const char *text, struct net_shape input, const char *message)
{
    struct net_graph graph = {.n_nodes = 77};
    bramble_error error = {0};
    bramble_status status = try_build(&graph, text, input, 10, &error);
    if (status != BRAMBLE_ERR_DATA || strcmp(error.message, message) != 0)
        fail_msg("%d, wanted: %s\n%s", (int)status, message, error.message);
    assert_int_equal(graph.n_nodes, 77);
}

/* "Conv(28 x 28 x 8) Relu(28 x 28 x 8) ..." */
static void check_nodes(const char *text, struct net_shape input, uint32_t n_outputs, const char *want)
{
    struct net_graph graph;
    char got[2000] = "", shape[64];
    size_t length = 0;
    build(&graph, text, input, n_outputs);
    for (uint32_t n = 0; n < graph.n_nodes; n++)
        length += (size_t)snprintf(got + length, sizeof got - length, "%s%s(%s)", n ? " " : "",
                                   graph.nodes[n].op->name,
                                   shape_text(&graph.values[graph.nodes[n].outputs[0]].shape, shape));
    if (strcmp(got, want) != 0) fail_msg("%s\nwanted %s", got, want);
    graph_fini(&graph);
}

static const struct net_attributes *attributes_of(const struct net_graph *graph, const char *name)
{
    uint32_t v = graph_find_value(graph, name);
    if (v == NET_NONE) fail_msg("there is no %s", name);
    return &graph->nodes[graph->values[v].producer].attributes;
}

static void test_dense(void **state)
{
    (void)state;
    check_nodes("dense 7\ndense outputs", SHAPE(4), 3, "Gemm(7) Gemm(3)");
    check_nodes("  dense\t7 nobias tanh # comment \xc3\xa4\r\n\n# another\ndense 3\n", SHAPE(4), 3,
                "Gemm(7) Tanh(7) Gemm(3)");
    struct net_graph graph;
    build(&graph, "dense 7 nobias\nleakyrelu 0.25\ndense outputs", SHAPE(4), 3);
    assert_int_equal(graph_find_value(&graph, "dense1.bias"), NET_NONE);
    const struct net_value *w = &graph.values[graph_find_value(&graph, "dense2.weight")];
    assert_true(shape_equal(&w->shape, &SHAPE(7, 3)) && w->fan_in == 7 && w->decays);
    assert_int_equal(w->filler, NET_FILL_KAIMING);
    const struct net_value *b = &graph.values[graph_find_value(&graph, "dense2.bias")];
    assert_true(b->size == 3 && b->fan_in == 7 && !b->decays);
    assert_true(attributes_of(&graph, "leakyrelu1")->alpha == 0.25f);
    graph_fini(&graph);
}

static void test_convolutions(void **state)
{
    (void)state;
    check_nodes("conv 8 3x3 relu\nmaxpool 2\nflatten\ndense outputs", SHAPE(28, 28, 1), 10,
                "Conv(26 x 26 x 8) Relu(26 x 26 x 8) MaxPool(13 x 13 x 8) Flatten(1352) Gemm(10)");
    check_nodes("conv 8 5 stride 2 pad same\nconv 6 3x1 dilation 2 pad 2x0 groups 2\ndepthwise 3x3 pad 1\n"
                "avgpool 3 stride 2 pad 1\nglobalavgpool\ndense outputs",
                SHAPE(28, 28, 3), 10,
                "Conv(14 x 14 x 8) Conv(14 x 14 x 6) Conv(14 x 14 x 6) AveragePool(7 x 7 x 6) "
                "GlobalAveragePool(1 x 1 x 6) Flatten(6) Gemm(10)");
    struct net_graph graph;
    build(&graph, "conv 8 4x3 pad same stride 3x2\nflatten\ndense outputs", SHAPE(9, 9, 2), 10);
    const struct net_attributes *a = attributes_of(&graph, "conv1");
    assert_int_equal(a->kernel[0], 4);
    assert_int_equal(a->stride[1], 2);
    assert_int_equal(a->pad[0], 1); /* 4 rows: one above, two below */
    assert_int_equal(a->pad[2], 2);
    assert_int_equal(a->pad[1], 1);
    assert_int_equal(a->pad[3], 1);
    const struct net_value *w = &graph.values[graph_find_value(&graph, "conv1.weight")];
    assert_true(shape_equal(&w->shape, &SHAPE(4, 3, 2, 8)) && w->fan_in == 24);
    graph_fini(&graph);
}

static void test_normalisations(void **state)
{
    (void)state;
    struct net_graph graph;
    build(&graph, "batchnorm momentum 0.25 epsilon 1e-3 relu\nlayernorm\ndropout 0.5\ndense outputs",
          SHAPE(6), 2);
    assert_true(attributes_of(&graph, "batchnorm1")->momentum == 0.75f);
    assert_true(attributes_of(&graph, "batchnorm1")->epsilon == 1e-3f);
    assert_true(attributes_of(&graph, "dropout1")->rate == 0.5f);
    assert_int_equal(graph.values[graph_find_value(&graph, "batchnorm1.running_var")].kind, NET_STATE);
    assert_int_equal(graph.values[graph_find_value(&graph, "batchnorm1.running_var")].filler, NET_FILL_ONE);
    assert_int_equal(graph.values[graph_find_value(&graph, "layernorm1.weight")].filler, NET_FILL_ONE);
    graph_fini(&graph);
}

static void test_sequences(void **state)
{
    (void)state;
    check_nodes("reshape 7x4\nlstm 5 bidirectional\ngru 3 last\ndense outputs", SHAPE(28), 2,
                "Reshape(7 x 4) LSTM(7 x 10) GRU(7 x 3) Flatten(3) Gemm(2)");
    check_nodes("lstm outputs last reverse", SHAPE(7, 4), 2, "LSTM(7 x 2) Flatten(2)");
    check_nodes(
        "embedding 100 8\nposition\nglobalavgpool\ndense outputs", SHAPE(12), 2,
        "Gather(12 x 8) Add(12 x 8) Reshape(12 x 1 x 8) GlobalAveragePool(1 x 1 x 8) Flatten(8) Gemm(2)");
}

static void test_places(void **state)
{
    (void)state;
    struct net_graph graph;
    struct net_place places[12];
    build(&graph, "embedding 100 8\nflatten\ndense outputs", SHAPE(12), 2);
    assert_true(net_places(&graph, places));
    for (int i = 0; i < 12; i++)
        assert_true(places[i].rows == 100 &&
                    places[i].table == graph_find_value(&graph, "embedding1.weight"));
    graph_fini(&graph);
    build(&graph, "dense 8\ndense outputs", SHAPE(12), 2);
    assert_false(net_places(&graph, places));
    for (int i = 0; i < 12; i++) assert_int_equal(places[i].table, NET_NONE);
    graph_fini(&graph);
}

static uint32_t add_node(struct net_graph *graph, const char *op, const uint32_t *inputs, uint32_t n_inputs,
                         uint32_t n_outputs, struct net_attributes attributes)
{
    uint32_t first;
    assert_false(graph_add_node(
        graph, &(struct net_node_new){op, NULL, inputs, n_inputs, n_outputs, attributes}, &first, NULL));
    return first;
}

static uint32_t add_table(struct net_graph *graph, uint32_t rows)
{
    uint32_t table;
    assert_false(graph_add_value(
        graph, &(struct net_value_new){.name = "t", .kind = NET_PARAMETER, .shape = SHAPE(rows, 4)}, &table,
        NULL));
    return table;
}

/* Six numbers as 2 x 3, turned to 3 x 2 and cut to lines of 1 and 2: {0, 3} and {1, 4, 2, 5}. */
static void test_places_behind_others(void **state)
{
    (void)state;
    struct net_graph graph;
    struct net_place places[6];
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    uint32_t x;
    graph_init(&graph);
    assert_false(graph_add_value(
        &graph, &(struct net_value_new){.name = "x", .kind = NET_INPUT, .shape = SHAPE(6)}, &x, NULL));
    uint32_t small = add_table(&graph, 7), large = add_table(&graph, 20), third = add_table(&graph, 3);
    attributes.shape = SHAPE(2, 3);
    attributes.perm[0] = 1;
    attributes.split[0] = 1;
    attributes.split[1] = 2;
    uint32_t node = add_node(&graph, "Reshape", &x, 1, 1, attributes);
    node = add_node(&graph, "Transpose", &node, 1, 1, attributes);
    node = add_node(&graph, "Split", &node, 1, 2, attributes);
    add_node(&graph, "Gather", (uint32_t[]){small, node}, 2, 1, attributes);
    assert_true(net_places(&graph, places));
    for (int i = 0; i < 6; i++) assert_int_equal(places[i].table, i % 3 ? NET_NONE : small);
    add_node(&graph, "Gather", (uint32_t[]){large, node + 1}, 2, 1, attributes);
    uint32_t computed = add_node(&graph, "Relu", &x, 1, 1, attributes);
    add_node(&graph, "Gather", (uint32_t[]){third, computed}, 2, 1, attributes);
    assert_true(net_places(&graph, places));
    for (int i = 0; i < 6; i++) {
        assert_int_equal(places[i].table, i % 3 ? large : small);
        assert_int_equal(places[i].rows, i % 3 ? 20 : 7);
    }
    attributes.axis = 1; /* of 2 x 3: {0, 3} again, and it is the smaller table that counts */
    node = add_node(&graph, "Reshape", &x, 1, 1, attributes);
    node = add_node(&graph, "Split", &node, 1, 2, attributes);
    add_node(&graph, "Gather", (uint32_t[]){third, node}, 2, 1, attributes);
    add_node(&graph, "Gather", (uint32_t[]){large, node}, 2, 1, attributes);
    assert_true(net_places(&graph, places));
    for (int i = 0; i < 6; i++) assert_int_equal(places[i].rows, i % 3 ? 20 : 3);
    graph_fini(&graph);
}

static void test_attention(void **state)
{
    (void)state;
    check_nodes("attention 2\nflatten\ndense outputs", SHAPE(5, 6), 2,
                "Gemm(5 x 6) Reshape(5 x 2 x 3) Transpose(2 x 5 x 3) "
                "Gemm(5 x 6) Reshape(5 x 2 x 3) Transpose(2 x 5 x 3) "
                "Gemm(5 x 6) Reshape(5 x 2 x 3) Transpose(2 x 5 x 3) "
                "MatMul(2 x 5 x 5) Mul(2 x 5 x 5) Softmax(2 x 5 x 5) MatMul(2 x 5 x 3) "
                "Transpose(5 x 2 x 3) Reshape(5 x 6) Gemm(5 x 6) Flatten(30) Gemm(2)");
}

static void test_blocks(void **state)
{
    (void)state;
    check_nodes(
        "residual\ndense 4 relu\ndense 4\nend gelu\nrepeat 2\n residual\n  dense 5\n shortcut\n  "
        "dense 5\n end\nend\ndense outputs",
        SHAPE(4), 2,
        "Gemm(4) Relu(4) Gemm(4) Add(4) Gelu(4) Gemm(5) Gemm(5) Add(5) Gemm(5) Gemm(5) Add(5) Gemm(2)");
    struct net_graph graph;
    build(&graph, "residual\ndense 4\nshortcut\ndense 4\nend\ndense outputs", SHAPE(4), 2);
    const struct net_node *sum = &graph.nodes[2];
    assert_string_equal(sum->op->name, "Add");
    assert_string_equal(graph.values[sum->inputs[0]].name, "dense1");
    assert_string_equal(graph.values[sum->inputs[1]].name, "dense2");
    assert_int_equal(graph.nodes[1].inputs[0], graph.input);
    graph_fini(&graph);
}

static void test_unknown_words(void **state)
{
    (void)state;
    refused("dense 3\n\ncnov 8 3x3", SHAPE(4), "my.layers:3: there is no layer \"cnov\"; did you mean conv?");
    refused("convolution 3", SHAPE(4),
            "my.layers:1: there is no layer \"convolution\"; there are dense, conv, depthwise, maxpool, "
            "avgpool, globalavgpool, batchnorm, layernorm, dropout, flatten, reshape, embedding, position, "
            "lstm, gru, attention, relu, leakyrelu, sigmoid, tanh, gelu, hardswish, softmax, residual, "
            "shortcut, repeat, end");
    refused("dense 3 rleu", SHAPE(4), "my.layers:1: dense takes no \"rleu\"; did you mean relu?");
    refused("dense 3 stride 2", SHAPE(4),
            "my.layers:1: dense takes no \"stride\"; write: dense UNITS [nobias] [ACTIVATION]");
    refused("dense 3 relu relu", SHAPE(4),
            "my.layers:1: \"relu\" says again what has been said; leave it out");
    refused("lstm 3 reverse bidirectional", SHAPE(4, 4),
            "my.layers:1: bidirectional goes in reverse too; leave out reverse");
    refused("dense 3\nFlatten\x01", SHAPE(4),
            "my.layers:2: there is a character that belongs into no layer list; write letters, digits and "
            "blanks, a layer a line");
    refused("dense aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", SHAPE(4),
            "my.layers:1: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\" is too long for a word of a layer "
            "list");
}

static void test_bad_numbers(void **state)
{
    (void)state;
    refused("dense", SHAPE(4),
            "my.layers:1: dense ends where a whole number from 1 to 1048576 should stand; write: dense UNITS "
            "[nobias] [ACTIVATION]");
    static const char *const bad[] = {"0", "1048577", "-1", "1.5", "99999999999999999999", "output", "3x3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[80], message[300];
        snprintf(text, sizeof text, "dense 5\ndense %s", bad[i]);
        snprintf(
            message, sizeof message,
            "my.layers:2: \"%s\" stands where a whole number from 1 to 1048576 should; write: dense UNITS "
            "[nobias] [ACTIVATION]",
            bad[i]);
        refused(text, SHAPE(4), message);
    }
    static const char *const windows[] = {"0", "3x", "x3", "3x3x3", "256", "3*3"};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        char text[80], message[300];
        snprintf(text, sizeof text, "maxpool %s", windows[i]);
        snprintf(message, sizeof message,
                 "my.layers:1: \"%s\" stands where a size as 3 or 3x5, from 1 to 255 should; write: maxpool "
                 "KERNEL [stride N] [pad N|same]",
                 windows[i]);
        refused(text, SHAPE(8, 8, 1), message);
    }
    refused("dropout 1", SHAPE(4),
            "my.layers:1: \"1\" stands where a share from 0 to below 1 should; write: dropout RATE");
    refused("dropout nan", SHAPE(4),
            "my.layers:1: \"nan\" stands where a share from 0 to below 1 should; write: dropout RATE");
    refused("reshape 2x2x", SHAPE(4),
            "my.layers:1: \"2x2x\" stands where a shape of 1 to 5 whole numbers, as 28x28, should; write: "
            "reshape SHAPE");
    refused("conv 3 3x3 pad some", SHAPE(8, 8, 1),
            "my.layers:1: \"some\" stands where same, or a size as 1 or 1x2 up to 255, should; write: conv "
            "CHANNELS KERNEL [stride N] [pad N|same] [dilation N] [groups N] [nobias] [ACTIVATION]");
}

static void test_shapes_that_do_not_fit(void **state)
{
    (void)state;
    refused("conv 8 3x3", SHAPE(30),
            "my.layers:1: conv takes an image (height x width x channels) but gets 30; take dense, or put "
            "reshape before it");
    refused("conv 8 3x3\ndense outputs", SHAPE(9, 9, 1),
            "my.layers:2: dense takes a row of numbers but gets 7 x 7 x 8; put flatten or globalavgpool "
            "before it");
    refused(
        "maxpool 2\nconv 8 5x5", SHAPE(8, 8, 1),
        "my.layers:2: conv1 looks at 5 pixels at once, but the image that it gets is 4 x 4 by now; take a "
        "smaller kernel, a pad, or fewer pools and strides before it");
    refused("conv 8 3x3 groups 3", SHAPE(8, 8, 4),
            "my.layers:1: 3 groups cannot share 4 channels into 8 evenly; both must be multiples of it");
    refused("maxpool 2 pad 2", SHAPE(8, 8, 4), "my.layers:1: a pool pads by half its window at most, here 1");
    refused(
        "lstm 4", SHAPE(8),
        "my.layers:1: lstm takes a sequence (steps x numbers) but gets 8; put reshape or embedding before "
        "it");
    refused("attention 3", SHAPE(5, 8),
            "my.layers:1: 3 heads cannot share 8 numbers evenly; take a divisor of 8");
    refused("dense 4\nembedding 5 5", SHAPE(8),
            "my.layers:2: embedding takes whole numbers as the data has them: it can only stand first");
    refused("reshape 3x3", SHAPE(8),
            "my.layers:1: 8 cannot become 3 x 3: there are 8 numbers, and the new shape has another count");
    refused("residual\ndense 5\nend\ndense outputs", SHAPE(4),
            "my.layers:3: the layers of residual give 5, which cannot be added to 4; change them, or put "
            "behind shortcut what makes both alike");
    refused("dense 5", SHAPE(4),
            "my.layers:1: the last layer gives 5, but the data needs 10 outputs; end with the line: dense "
            "outputs");
    refused("dense outputs softmax", SHAPE(4),
            "my.layers:1: leave out softmax at the end: the loss has it, and predictions get it too");
}

static void test_bad_blocks(void **state)
{
    (void)state;
    refused("dense 4\nresidual\ndense 4\n", SHAPE(4),
            "my.layers:2: residual has no end; write end behind the last of its layers");
    refused("end", SHAPE(4), "my.layers:1: end stands here without a residual or repeat that it ends");
    refused("shortcut", SHAPE(4), "my.layers:1: shortcut stands outside of residual and its end");
    refused("repeat 2\ndense 4\nshortcut", SHAPE(4),
            "my.layers:3: shortcut stands outside of residual and its end");
    refused("residual\nend", SHAPE(4), "my.layers:2: there is no layer before this end; write one");
    refused("residual\nshortcut\ndense 4\nend", SHAPE(4),
            "my.layers:2: there is no layer before this shortcut; write one");
    refused("residual\ndense 4\nshortcut\nend", SHAPE(4),
            "my.layers:4: there is no layer before this end; write one");
    refused("residual\ndense 4\nshortcut\ndense 4\nshortcut\nend", SHAPE(4),
            "my.layers:5: residual on line 1 has a shortcut already");
    refused("repeat 2\ndense 4\nend relu", SHAPE(4),
            "my.layers:3: the end of a repeat takes no activation; put relu on a line before it");
    refused("", SHAPE(4), "my.layers:1: there is no layer; write: dense outputs");
    refused("# nothing\n\n", SHAPE(4), "my.layers:3: there is no layer; write: dense outputs");
}

static void test_limits(void **state)
{
    (void)state;
    refused("dense 1000\ndense 1000\ndense outputs", SHAPE(4),
            "my.layers:2: dense2 would have 1000 x 1000 weights, and the network more than 1000000 in all");
    refused("repeat 4097\nrelu\nend", SHAPE(4),
            "my.layers:2: repeats make more than 4096 layers; let them be fewer");
    refused("repeat 1048576\nrepeat 1048576\nrepeat 1048576\nrelu\nend\nend\nend", SHAPE(4),
            "my.layers:4: repeats make more than 4096 layers; let them be fewer");
    refused("repeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\n",
            SHAPE(4), "my.layers:9: blocks lie in each other more than 8 deep");
    refused("conv 60 3x3 pad 255\nconv 60 1x1 pad 255", SHAPE(8, 8, 1),
            "my.layers:2: conv2 makes 1026 x 1026 x 60 numbers of each sample; up to 16777216 are possible");
    struct net_graph graph;
    bramble_error error = {0};
    assert_int_equal(try_build(&graph, "dense outputs", SHAPE(4), 0, &error), BRAMBLE_ERR_DATA);
    assert_int_equal(try_build(&graph, "dense outputs", SHAPE(4), UINT32_MAX, &error), BRAMBLE_ERR_DATA);
    assert_int_equal(try_build(&graph, "dense outputs", SHAPE(1 << 12, 1 << 12, 4), 2, &error),
                     BRAMBLE_ERR_DATA);
    assert_int_equal(try_build(&graph, "dense outputs", (struct net_shape){0}, 2, &error), BRAMBLE_ERR_DATA);
    assert_int_equal(try_build(&graph, "dense outputs", (struct net_shape){.rank = 6}, 2, &error),
                     BRAMBLE_ERR_DATA);
}

static void test_files(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    struct net_graph graph;
    bramble_error error = {0};
    const struct layer_list_options options = {.input = {1, {4}}, .n_outputs = 2};
    const char *path = scratch_write(&scratch, "net.layers", "dense 3 relu\ndense outputs\n", 27);
    if (layer_list_read(&graph, path, &options, &error)) fail_msg("%s", error.message);
    assert_int_equal(graph.n_nodes, 3);
    graph_fini(&graph);
    char *large = mem_alloc(LAYER_LIST_BYTES + 1, 1);
    memset(large, ' ', LAYER_LIST_BYTES + 1);
    path = scratch_write(&scratch, "large.layers", large, LAYER_LIST_BYTES + 1);
    assert_int_equal(layer_list_read(&graph, path, &options, &error), BRAMBLE_ERR_DATA);
    assert_non_null(strstr(error.message, "large.layers: a list of layers has up to 1048576 bytes"));
    mem_free(large);
    assert_int_equal(layer_list_read(&graph, "/nowhere/net.layers", &options, &error), BRAMBLE_ERR_IO);
    scratch_remove(&scratch);
}

static void test_help(void **state)
{
    (void)state;
    const char *name, *arguments, *what;
    uint32_t n = 0;
    for (; layer_list_help(n, &name, &arguments, &what); n++) assert_true(*name && arguments && *what);
    assert_int_equal(n, 27);
}

static void test_every_allocation(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    for (size_t n = 1;; n++) {
        struct net_graph graph;
        bramble_error error = {0};
        mem_fail_at(n, 0);
        bramble_status status =
            try_build(&graph, "residual\ndense 4 relu\nend\ndense outputs", SHAPE(4), 2, &error);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        if (status != (reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK))
            fail_msg("allocation %zu: %d %s", n, (int)status, error.message);
        if (!status) graph_fini(&graph);
        if (!reached) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense),
        cmocka_unit_test(test_convolutions),
        cmocka_unit_test(test_normalisations),
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_places_behind_others),
        cmocka_unit_test(test_attention),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_unknown_words),
        cmocka_unit_test(test_bad_numbers),
        cmocka_unit_test(test_shapes_that_do_not_fit),
        cmocka_unit_test(test_bad_blocks),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
