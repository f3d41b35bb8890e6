/* Layers for sequences, T steps x D numbers: embedding, recurrent layers, attention. */
#include <math.h>

#include "net/layer.h"

static bramble_status check_sequence(const struct layer_builder *b, const char *what, bramble_error *error)
{
    const struct net_shape *shape = builder_shape(b);
    char text[64];
    if (shape->rank == 2) return BRAMBLE_OK;
    return builder_refuse(b, error,
                          "%s takes a sequence (steps x numbers) but gets %s; put reshape or embedding "
                          "before it",
                          what, shape_text(shape, text));
}

bramble_status layer_add_embedding(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    if (builder_shape(b)->rank >= NET_RANK_MAX || b->value != b->graph.input)
        return builder_refuse(b, error,
                              "embedding takes whole numbers as the data has them: it can only "
                              "stand first");
    uint32_t inputs[2] = {NET_NONE, b->value};
    const struct builder_weight weight = {.suffix = "weight",
                                          .kind = NET_PARAMETER,
                                          .shape = {2, {layer->units, layer->more}},
                                          .filler = NET_FILL_NORMAL,
                                          .fan_in = layer->more,
                                          .decays = true};
    bramble_status status = builder_weight(b, &weight, &inputs[0], error);
    return status ? status : builder_node(b, "Gather", NULL, inputs, 2, 1, NULL, error);
}

bramble_status layer_add_position(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    (void)layer;
    bramble_status status = check_sequence(b, "position", error);
    if (status) return status;
    uint32_t inputs[2] = {b->value};
    const struct builder_weight weight = {
        .suffix = "weight", .kind = NET_PARAMETER, .shape = *builder_shape(b), .filler = NET_FILL_ZERO};
    status = builder_weight(b, &weight, &inputs[1], error);
    return status ? status : builder_node(b, "Add", NULL, inputs, 2, 1, NULL, error);
}

/* W D x GH x I, R D x GH x H and B D x 2GH, as net/recurrent.h has them. */
static bramble_status add_gate_weights(struct layer_builder *b, uint32_t directions, uint32_t gates,
                                       uint32_t units, uint32_t *inputs, bramble_error *error)
{
    uint32_t width = builder_shape(b)->dim[1], rows = gates * units;
    const struct builder_weight weights[] = {
        {.suffix = "weight", .shape = {3, {directions, rows, width}}, .decays = true},
        {.suffix = "recurrence", .shape = {3, {directions, rows, units}}, .decays = true},
        {.suffix = "bias", .shape = {2, {directions, 2 * rows}}},
    };
    bramble_status status = BRAMBLE_OK;
    for (uint32_t i = 0; i < 3 && !status; i++) {
        struct builder_weight weight = weights[i];
        weight.kind = NET_PARAMETER;
        weight.filler = NET_FILL_RECURRENT;
        weight.fan_in = units;
        status = builder_weight(b, &weight, &inputs[i], error);
    }
    return status;
}

static bramble_status add_recurrent(struct layer_builder *b, const struct layer *layer, const char *op,
                                    uint32_t gates, bramble_error *error)
{
    bramble_status status = check_sequence(b, layer->kind->name, error);
    if (status) return status;
    bool last = layer->given & OPTION_LAST, both = layer->given & OPTION_BIDIRECTIONAL;
    uint32_t inputs[4] = {b->value}, units = builder_units(b, layer);
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.hidden = units;
    attributes.bidirectional = both;
    attributes.reverse = layer->given & OPTION_REVERSE;
    attributes.linear_before_reset = true;
    status = add_gate_weights(b, both ? 2 : 1, gates, units, inputs + 1, error);
    if (!status) status = builder_node(b, op, NULL, inputs, 4, last ? 2 : 1, &attributes, error);
    if (status || !last) return status;
    b->value++; /* the second output: each direction's last state */
    return builder_unary(b, "Flatten", "last", NULL, error);
}

bramble_status layer_add_lstm(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    return add_recurrent(b, layer, "LSTM", 4, error);
}

bramble_status layer_add_gru(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    return add_recurrent(b, layer, "GRU", 3, error);
}

/* T x D times a weight D x D; suffixes are those of the node, its weight and its bias. */
static bramble_status project(struct layer_builder *b, uint32_t value, bool bias, const char *const suffix[3],
                              bramble_error *error)
{
    uint32_t inputs[3] = {value}, width = b->graph.values[value].shape.dim[1];
    const struct builder_weight weight = {.suffix = suffix[1],
                                          .kind = NET_PARAMETER,
                                          .shape = {2, {width, width}},
                                          .filler = NET_FILL_KAIMING,
                                          .fan_in = width,
                                          .decays = true};
    bramble_status status = builder_weight(b, &weight, &inputs[1], error);
    if (!status && bias)
        status =
            builder_vector(b, suffix[2], NET_PARAMETER, width, NET_FILL_KAIMING, width, &inputs[2], error);
    return status ? status : builder_node(b, "Gemm", suffix[0], inputs, bias ? 3 : 2, 1, NULL, error);
}

/* T x D to heads x T x D / heads. */
static bramble_status split_heads(struct layer_builder *b, uint32_t heads, bramble_error *error)
{
    const struct net_shape *shape = builder_shape(b);
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.shape = (struct net_shape){3, {shape->dim[0], heads, shape->dim[1] / heads}};
    attributes.perm[0] = 1;
    attributes.perm[1] = 0;
    attributes.perm[2] = 2;
    bramble_status status = builder_unary(b, "Reshape", "split", &attributes, error);
    return status ? status : builder_unary(b, "Transpose", "heads", &attributes, error);
}

static bramble_status join_heads(struct layer_builder *b, bramble_error *error)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.perm[0] = 1;
    attributes.perm[1] = 0;
    attributes.perm[2] = 2;
    bramble_status status = builder_unary(b, "Transpose", "steps", &attributes, error);
    if (status) return status;
    const struct net_shape *shape = builder_shape(b);
    attributes.shape = (struct net_shape){2, {shape->dim[0], shape->dim[1] * shape->dim[2]}};
    return builder_unary(b, "Reshape", "join", &attributes, error);
}

/* softmax(q k^T / sqrt(D / heads)) v, head by head (Vaswani and others, "Attention is all you need", NeurIPS
 * 2017). */
static bramble_status attend(struct layer_builder *b, const uint32_t qkv[3], bramble_error *error)
{
    float scale = 1.0f / sqrtf((float)b->graph.values[qkv[0]].shape.dim[2]);
    const struct builder_weight weight = {
        .suffix = "scale", .kind = NET_CONSTANT, .shape = {1, {1}}, .numbers = &scale};
    uint32_t inputs[2];
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.axis = 2;
    attributes.transpose_b = true;
    bramble_status status = builder_weight(b, &weight, &inputs[1], error);
    if (!status) status = builder_node(b, "MatMul", "scores", qkv, 2, 1, &attributes, error);
    inputs[0] = b->value;
    if (!status) status = builder_node(b, "Mul", "scaled", inputs, 2, 1, NULL, error);
    if (!status) status = builder_unary(b, "Softmax", "shares", &attributes, error);
    inputs[0] = b->value;
    inputs[1] = qkv[2];
    return status ? status : builder_node(b, "MatMul", "mixed", inputs, 2, 1, NULL, error);
}

bramble_status layer_add_attention(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    static const char *const suffixes[4][3] = {{"q", "q_weight", "q_bias"},
                                               {"k", "k_weight", "k_bias"},
                                               {"v", "v_weight", "v_bias"},
                                               {NULL, "weight", "bias"}};
    bramble_status status = check_sequence(b, "attention", error);
    if (status) return status;
    bool bias = !(layer->given & OPTION_NOBIAS);
    uint32_t x = b->value, heads = layer->units, width = builder_shape(b)->dim[1], qkv[3];
    if (width % heads)
        return builder_refuse(b, error, "%u heads cannot share %u numbers evenly; take a divisor of %u",
                              heads, width, width);
    for (uint32_t i = 0; i < 3 && !status; i++) {
        status = project(b, x, bias, suffixes[i], error);
        if (!status) status = split_heads(b, heads, error);
        qkv[i] = b->value;
    }
    if (!status) status = attend(b, qkv, error);
    if (!status) status = join_heads(b, error);
    return status ? status : project(b, b->value, bias, suffixes[3], error);
}
