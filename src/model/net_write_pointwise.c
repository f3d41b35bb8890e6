/* What stands in an ONNX file for products of matrices and for what works on each number alone. */
#include <math.h>
#include <string.h>

#include "model/net_writer.h"
#include "net/operator.h"

/* A matrix, or a stack of them, turned. */
static char *turn_last_two(struct net_writer *w, const char *input, uint32_t rank)
{
    int64_t perm[NET_RANK_MAX + 1];
    for (uint32_t d = 0; d < rank; d++) perm[d] = d;
    perm[rank - 1] = rank - 2;
    perm[rank - 2] = rank - 1;
    return proto_add_transpose(w->builder, input, perm, rank);
}

static bool write_matmul(struct net_writer *w)
{
    const char *inputs[2] = {writer_input(w, 0), writer_input(w, 1)};
    uint32_t rank = writer_shape(w, 1)->rank + (writer_is_weight(w, w->node->inputs[1]) ? 0 : 1);
    if (w->node->attributes.transpose_b) inputs[1] = turn_last_two(w, inputs[1], rank);
    bool has_bias = writer_has_input(w, 2);
    if (has_bias) {
        inputs[0] = proto_add_binary(w->builder, "MatMul", inputs[0], inputs[1]);
        inputs[1] = writer_input(w, 2);
    }
    writer_add(w, has_bias ? "Add" : "MatMul", inputs, 2, false);
    return true;
}

static bool write_gemm(struct net_writer *w)
{
    if (writer_shape(w, 0)->rank != 1) return write_matmul(w);
    const char *inputs[3] = {writer_input(w, 0), writer_input(w, 1), writer_input(w, 2)};
    Onnx__NodeProto *node = writer_add(w, "Gemm", inputs, writer_has_input(w, 2) ? 3 : 2, false);
    proto_int(w->builder, node, "transB", w->node->attributes.transpose_b);
    return true;
}

/* The node's first input as it is there; *first: with channels first. */
static char *any_layout(struct net_writer *w, bool *first)
{
    uint32_t value = w->node->inputs[0];
    *first = writer_is_image(w, value) && w->first[value];
    return *first ? w->first[value] : writer_lying(w, value);
}

static Onnx__NodeProto *add_pointwise(struct net_writer *w)
{
    bool first;
    const char *input = any_layout(w, &first);
    return writer_add(w, w->node->op->name, &input, 1, first);
}

static bool write_unary(struct net_writer *w)
{
    return add_pointwise(w), true;
}

static bool write_leaky_relu(struct net_writer *w)
{
    proto_float(w->builder, add_pointwise(w), "alpha", w->node->attributes.alpha);
    return true;
}

static bool write_hard_sigmoid(struct net_writer *w)
{
    Onnx__NodeProto *node = add_pointwise(w);
    proto_float(w->builder, node, "alpha", w->node->attributes.alpha);
    proto_float(w->builder, node, "beta", w->node->attributes.beta);
    return true;
}

/* 0.5 x (1 + erf(x / sqrt 2)), or with tanh(sqrt(2 / pi) (x + 0.044715 x^3)). */
static bool write_gelu(struct net_writer *w)
{
    bool first;
    struct proto_builder *b = w->builder;
    char *x = any_layout(w, &first), *inner;
    if (w->node->attributes.approximate) {
        char *cube = proto_add_binary(b, "Mul", proto_add_binary(b, "Mul", x, x), x);
        inner = proto_add_binary(b, "Add", x, proto_add_binary(b, "Mul", cube, proto_number(b, 0.044715f)));
        inner = proto_add_binary(b, "Mul", inner, proto_number(b, (float)sqrt(M_2_PI)));
        inner = proto_add_unary(b, "Tanh", inner);
    } else {
        inner = proto_add_unary(b, "Erf", proto_add_binary(b, "Mul", x, proto_number(b, (float)M_SQRT1_2)));
    }
    inner = proto_add_binary(b, "Add", inner, proto_number(b, 1));
    const char *inputs[2] = {proto_add_binary(b, "Mul", x, inner), proto_number(b, 0.5f)};
    writer_add(w, "Mul", inputs, 2, first);
    return true;
}

/* Two activations of one shape take whichever order both are in; all else goes as it lies, with axes of size
 * 1 put before those of the smaller one, as numbers lie. */
static char *widen(struct net_writer *w, uint32_t i, uint32_t rank)
{
    const struct net_shape *shape = writer_shape(w, i);
    char *tensor = writer_input(w, i);
    int64_t dims[NET_RANK_MAX + 1] = {-1};
    if (writer_is_weight(w, w->node->inputs[i]) || shape->rank >= rank) return tensor;
    for (uint32_t d = 0; d < rank; d++)
        dims[d + 1] = d + shape->rank < rank ? 1 : shape->dim[d + shape->rank - rank];
    return proto_add_reshape(w->builder, tensor, dims, rank + 1);
}

static bool write_binary(struct net_writer *w)
{
    uint32_t a = w->node->inputs[0], b = w->node->inputs[1];
    bool images = writer_is_image(w, a) && writer_is_image(w, b);
    if (images && (w->first[a] || w->first[b])) {
        const char *inputs[2] = {writer_first(w, a), writer_first(w, b)};
        writer_add(w, w->node->op->name, inputs, 2, true);
        return true;
    }
    uint32_t rank_a = writer_shape(w, 0)->rank, rank_b = writer_shape(w, 1)->rank;
    uint32_t rank = rank_a > rank_b ? rank_a : rank_b;
    const char *inputs[2] = {widen(w, 0, rank), widen(w, 1, rank)};
    writer_add(w, w->node->op->name, inputs, 2, false);
    return true;
}

/* One number from input 1 (and 2). */
static bool write_with_numbers(struct net_writer *w)
{
    bool first;
    const char *inputs[3] = {any_layout(w, &first), NULL, NULL};
    for (uint32_t i = 1; i < w->node->n_inputs && i < 3; i++)
        if (writer_has_input(w, i))
            inputs[i] = proto_number(w->builder, graph_numbers(w->graph, w->node->inputs[i])[0]);
    writer_add(w, w->node->op->name, inputs, w->node->n_inputs < 3 ? w->node->n_inputs : 3, first);
    return true;
}

static const struct {
    const char *op;
    net_write_fn *write;
} layers[] = {
    {"Add", write_binary},
    {"Clip", write_with_numbers},
    {"Div", write_binary},
    {"Exp", write_unary},
    {"Gelu", write_gelu},
    {"Gemm", write_gemm},
    {"HardSigmoid", write_hard_sigmoid},
    {"HardSwish", write_unary},
    {"LeakyRelu", write_leaky_relu},
    {"MatMul", write_matmul},
    {"Mul", write_binary},
    {"Pow", write_with_numbers},
    {"Relu", write_unary},
    {"Sigmoid", write_unary},
    {"Sqrt", write_unary},
    {"Sub", write_binary},
    {"Tanh", write_unary},
};

net_write_fn *writer_find_pointwise(const char *op)
{
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (strcmp(layers[i].op, op) == 0) return layers[i].write;
    return NULL;
}
