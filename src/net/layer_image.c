/* Layers for images: convolutions and pools. */
#include "net/layer.h"

static bramble_status check_image(const struct layer_builder *b, const char *what, bramble_error *error)
{
    const struct net_shape *shape = builder_shape(b);
    char text[64];
    if (shape->rank == 3) return BRAMBLE_OK;
    return builder_refuse(b, error,
                          "%s takes an image (height x width x channels) but gets %s; take dense, or put "
                          "reshape before it",
                          what, shape_text(shape, text));
}

/* Kernel, stride, padding, dilation; refuses a window that is larger than the image. */
static bramble_status window_of(const struct layer_builder *b, const struct layer *layer,
                                struct net_attributes *a, bramble_error *error)
{
    const struct net_shape *shape = builder_shape(b);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t span = layer->dilation[i] * (layer->kernel[i] - 1);
        a->kernel[i] = layer->kernel[i];
        a->stride[i] = layer->stride[i];
        a->dilation[i] = layer->dilation[i];
        a->pad[i] = layer->pad_same ? span / 2 : layer->pad[i];
        a->pad[i + 2] = layer->pad_same ? span - span / 2 : layer->pad[i];
        if ((uint64_t)shape->dim[i] + a->pad[i] + a->pad[i + 2] > span) continue;
        return builder_refuse(b, error,
                              "%s looks at %u pixels at once, but the image that it gets is %u x %u by now; "
                              "take a smaller kernel, a pad, or fewer pools and strides before it",
                              b->name, span + 1, shape->dim[0], shape->dim[1]);
    }
    return BRAMBLE_OK;
}

static bramble_status add_conv(struct layer_builder *b, const struct layer *layer, uint32_t units,
                               uint32_t groups, bramble_error *error)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    bramble_status status = window_of(b, layer, &attributes, error);
    if (status) return status;
    attributes.group = groups;
    uint32_t inputs[3] = {b->value}, channels = builder_shape(b)->dim[2];
    if (channels % groups || units % groups)
        return builder_refuse(b, error,
                              "%u groups cannot share %u channels into %u evenly; both must be multiples of "
                              "it",
                              groups, channels, units);
    const uint32_t *kernel = layer->kernel;
    bool bias = !(layer->given & OPTION_NOBIAS);
    const struct builder_weight weight = {.suffix = "weight",
                                          .kind = NET_PARAMETER,
                                          .shape = {4, {kernel[0], kernel[1], channels / groups, units}},
                                          .filler = NET_FILL_KAIMING,
                                          .fan_in = (uint64_t)kernel[0] * kernel[1] * (channels / groups),
                                          .decays = true};
    status = builder_weight(b, &weight, &inputs[1], error);
    if (!status && bias)
        status = builder_vector(b, "bias", NET_PARAMETER, units, NET_FILL_KAIMING, weight.fan_in, &inputs[2],
                                error);
    if (!status) status = builder_node(b, "Conv", NULL, inputs, bias ? 3 : 2, 1, &attributes, error);
    return status ? status : layer_activate(b, layer->activation, layer->slope, "activation", error);
}

bramble_status layer_add_conv(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    bramble_status status = check_image(b, "conv", error);
    return status ? status : add_conv(b, layer, builder_units(b, layer), layer->groups, error);
}

bramble_status layer_add_depthwise(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    bramble_status status = check_image(b, "depthwise", error);
    uint32_t channels = builder_shape(b)->dim[2];
    return status ? status : add_conv(b, layer, channels, channels, error);
}

static bramble_status add_pool(struct layer_builder *b, const struct layer *layer, const char *op,
                               bramble_error *error)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    bramble_status status = check_image(b, layer->kind->name, error);
    if (!status) status = window_of(b, layer, &attributes, error);
    if (status) return status;
    for (uint32_t i = 0; i < 2; i++) {
        if (!(layer->given & OPTION_STRIDE)) attributes.stride[i] = layer->kernel[i];
        if (2 * attributes.pad[i] > layer->kernel[i])
            return builder_refuse(b, error, "a pool pads by half its window at most, here %u",
                                  layer->kernel[i] / 2);
    }
    attributes.count_include_pad = true;
    return builder_unary(b, op, NULL, &attributes, error);
}

bramble_status layer_add_maxpool(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    return add_pool(b, layer, "MaxPool", error);
}

bramble_status layer_add_avgpool(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    return add_pool(b, layer, "AveragePool", error);
}

bramble_status layer_add_globalavgpool(struct layer_builder *b, const struct layer *layer,
                                       bramble_error *error)
{
    const struct net_shape *shape = builder_shape(b);
    (void)layer;
    bramble_status status = BRAMBLE_OK;
    if (shape->rank == 2) { /* a sequence, as an image of one column */
        struct net_attributes attributes = NET_ATTRIBUTES_INIT;
        attributes.shape = (struct net_shape){3, {shape->dim[0], 1, shape->dim[1]}};
        status = builder_unary(b, "Reshape", "image", &attributes, error);
    } else {
        status = check_image(b, "globalavgpool", error);
    }
    if (!status) status = builder_unary(b, "GlobalAveragePool", NULL, NULL, error);
    if (status || builder_shape(b)->rank == 1) return status;
    return builder_unary(b, "Flatten", "flat", NULL, error);
}
