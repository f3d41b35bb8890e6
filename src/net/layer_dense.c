/* Layers for rows of numbers, and those that only change how numbers lie. */
#include "net/layer.h"

bramble_status layer_add_dense(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    const struct net_shape *shape = builder_shape(b);
    char text[64];
    if (shape->rank > 2)
        return builder_refuse(b, error,
                              "dense takes a row of numbers but gets %s; put flatten or globalavgpool "
                              "before it",
                              shape_text(shape, text));
    uint32_t inputs[3] = {b->value}, width = shape->dim[shape->rank - 1], units = builder_units(b, layer);
    bool bias = !(layer->given & OPTION_NOBIAS);
    const struct builder_weight weight = {.suffix = "weight",
                                          .kind = NET_PARAMETER,
                                          .shape = {2, {width, units}},
                                          .filler = NET_FILL_KAIMING,
                                          .fan_in = width,
                                          .decays = true};
    bramble_status status = builder_weight(b, &weight, &inputs[1], error);
    if (!status && bias)
        status = builder_vector(b, "bias", NET_PARAMETER, units, NET_FILL_KAIMING, width, &inputs[2], error);
    if (!status) status = builder_node(b, "Gemm", NULL, inputs, bias ? 3 : 2, 1, NULL, error);
    return status ? status : layer_activate(b, layer->activation, layer->slope, "activation", error);
}

bramble_status layer_add_batchnorm(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    static const struct {
        const char *suffix;
        enum net_kind kind;
        enum net_filler filler;
    } of[] = {{"weight", NET_PARAMETER, NET_FILL_ONE},
              {"bias", NET_PARAMETER, NET_FILL_ZERO},
              {"running_mean", NET_STATE, NET_FILL_ZERO},
              {"running_var", NET_STATE, NET_FILL_ONE}};
    const struct net_shape *shape = builder_shape(b);
    uint32_t inputs[5] = {b->value}, channels = shape->dim[shape->rank - 1];
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.epsilon = (float)layer->epsilon;
    attributes.momentum = (float)(1.0 - layer->momentum);
    bramble_status status = BRAMBLE_OK;
    for (uint32_t i = 0; i < 4 && !status; i++)
        status = builder_vector(b, of[i].suffix, of[i].kind, channels, of[i].filler, channels, &inputs[i + 1],
                                error);
    if (!status) status = builder_node(b, "BatchNormalization", NULL, inputs, 5, 1, &attributes, error);
    return status ? status : layer_activate(b, layer->activation, layer->slope, "activation", error);
}

bramble_status layer_add_layernorm(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    const struct net_shape *shape = builder_shape(b);
    uint32_t inputs[3] = {b->value}, width = shape->dim[shape->rank - 1];
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.epsilon = (float)layer->epsilon;
    attributes.axis = shape->rank - 1;
    bramble_status status =
        builder_vector(b, "weight", NET_PARAMETER, width, NET_FILL_ONE, width, &inputs[1], error);
    if (!status)
        status = builder_vector(b, "bias", NET_PARAMETER, width, NET_FILL_ZERO, width, &inputs[2], error);
    if (!status) status = builder_node(b, "LayerNormalization", NULL, inputs, 3, 1, &attributes, error);
    return status ? status : layer_activate(b, layer->activation, layer->slope, "activation", error);
}

bramble_status layer_add_dropout(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.rate = (float)layer->rate;
    return builder_unary(b, "Dropout", NULL, &attributes, error);
}

bramble_status layer_add_flatten(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    (void)layer;
    if (builder_shape(b)->rank == 1) return BRAMBLE_OK; /* a table's row is flat */
    return builder_unary(b, "Flatten", NULL, NULL, error);
}

bramble_status layer_add_reshape(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    const struct net_shape *shape = builder_shape(b);
    char from[64], to[64];
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.shape = layer->shape;
    if (shape_size(&layer->shape) != shape_size(shape))
        return builder_refuse(b, error,
                              "%s cannot become %s: there are %zu numbers, and the new shape has another "
                              "count",
                              shape_text(shape, from), shape_text(&layer->shape, to), shape_size(shape));
    return builder_unary(b, "Reshape", NULL, &attributes, error);
}
