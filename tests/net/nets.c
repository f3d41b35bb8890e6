#include "nets.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void draw(float *numbers, size_t n, uint32_t seed, float low, float high)
{
    uint32_t state = seed * 2654435761u + 12345u;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        numbers[i] = low + (high - low) * (float)(state >> 8) / (float)(1 << 24);
    }
}

static uint32_t add_value(struct net_graph *graph, enum net_kind kind, struct net_shape shape, float low,
                          float high)
{
    uint32_t out;
    bramble_error error = {0};
    size_t n = shape_size(&shape);
    float *numbers = malloc(n * sizeof *numbers);
    assert_non_null(numbers);
    draw(numbers, n, graph->n_values, low, high);
    struct net_value_new value = {.name = kind == NET_INPUT ? "input" : "weight",
                                  .kind = kind,
                                  .shape = shape,
                                  .numbers = kind == NET_INPUT ? NULL : numbers,
                                  .decays = shape.rank > 1};
    if (graph_add_value(graph, &value, &out, &error)) fail_msg("%s", error.message);
    free(numbers);
    return out;
}

uint32_t net_input(struct net_graph *graph, struct net_shape shape)
{
    return add_value(graph, NET_INPUT, shape, 0, 0);
}

uint32_t net_parameter(struct net_graph *graph, struct net_shape shape, float low, float high)
{
    return add_value(graph, NET_PARAMETER, shape, low, high);
}

uint32_t net_node(struct net_graph *graph, const char *op, const uint32_t *inputs, uint32_t n_inputs)
{
    uint32_t out;
    bramble_error error = {0};
    struct net_node_new node = {
        .op = op, .inputs = inputs, .n_inputs = n_inputs, .n_outputs = 1, .attributes = NET_ATTRIBUTES_INIT};
    if (graph_add_node(graph, &node, &out, &error)) fail_msg("%s", error.message);
    return out;
}

uint32_t net_dense(struct net_graph *graph, uint32_t x, uint32_t units)
{
    uint32_t inputs = (uint32_t)graph->values[x].size;
    float most = 1.5f / sqrtf((float)inputs);
    uint32_t weight = net_parameter(graph, SHAPE(inputs, units), -most, most);
    uint32_t bias = net_parameter(graph, SHAPE(units), -most, most);
    return NODE(graph, "Gemm", x, weight, bias);
}

uint32_t net_normalised(struct net_graph *graph, uint32_t x)
{
    struct net_shape channels = SHAPE(graph->values[x].shape.dim[graph->values[x].shape.rank - 1]);
    uint32_t scale = net_parameter(graph, channels, 0.5f, 1.5f);
    uint32_t bias = net_parameter(graph, channels, -0.2f, 0.2f);
    uint32_t mean = add_value(graph, NET_STATE, channels, 0, 0);
    uint32_t variance = add_value(graph, NET_STATE, channels, 1, 1);
    return NODE(graph, "BatchNormalization", x, scale, bias, mean, variance);
}

void net_finish(struct net_graph *graph, uint32_t output)
{
    bramble_error error = {0};
    if (graph_finish(graph, output, &error)) fail_msg("%s", error.message);
}

void net_mlp(struct net_graph *graph)
{
    graph_init(graph);
    uint32_t x = net_dense(graph, net_input(graph, SHAPE(NET_IN)), 16);
    x = net_dense(graph, NODE(graph, "Relu", x), 9);
    net_finish(graph, net_dense(graph, NODE(graph, "Relu", x), NET_OUT));
}

static uint32_t block(struct net_graph *graph, uint32_t x, uint32_t units, bool widens)
{
    uint32_t h = NODE(graph, "Relu", net_normalised(graph, net_dense(graph, x, units)));
    h = net_normalised(graph, net_dense(graph, h, units));
    uint32_t shortcut = widens ? net_normalised(graph, net_dense(graph, x, units)) : x;
    return NODE(graph, "Relu", NODE(graph, "Add", h, shortcut));
}

void net_residual(struct net_graph *graph)
{
    graph_init(graph);
    uint32_t x =
        NODE(graph, "Relu", net_normalised(graph, net_dense(graph, net_input(graph, SHAPE(NET_IN)), 8)));
    x = block(graph, x, 8, false);
    x = block(graph, x, 12, true);
    x = block(graph, x, 12, false);
    net_finish(graph, net_dense(graph, x, NET_OUT));
}

void net_odd(struct net_graph *graph)
{
    graph_init(graph);
    uint32_t x = net_dense(graph, net_input(graph, SHAPE(NET_IN)), 8);
    uint32_t weight = net_parameter(graph, SHAPE(8, 8), -0.5f, 0.5f);
    uint32_t once = NODE(graph, "Gemm", x, weight), twice = NODE(graph, "Gemm", once, weight);
    uint32_t square = NODE(graph, "Mul", once, once);
    uint32_t sum = NODE(graph, "Add", NODE(graph, "Add", square, twice), NODE(graph, "Add", x, x));
    NODE(graph, "Relu", once); /* nobody reads it */
    net_finish(graph, net_dense(graph, NODE(graph, "Relu", sum), NET_OUT));
}
