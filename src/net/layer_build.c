/* What all kinds of layers add nodes and weights with, within the limits of layer lists. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "net/layer.h"

const struct net_shape *builder_shape(const struct layer_builder *b)
{
    return &b->graph.values[b->value].shape;
}

uint32_t builder_units(const struct layer_builder *b, const struct layer *layer)
{
    return layer->units == LAYER_OUTPUTS ? b->options->n_outputs : layer->units;
}

static void join_name(const struct layer_builder *b, const char *suffix, char name[64])
{
    snprintf(name, 64, "%s%s%s", b->name, suffix ? "." : "", suffix ? suffix : "");
}

/* A refusal of the graph's, with file and line before it; being out of memory is nobody's line. */
static bramble_status pass_on(const struct layer_builder *b, bramble_status status, const bramble_error *why,
                              bramble_error *error)
{
    if (status == BRAMBLE_ERR_MEMORY) return error_set(error, status, "%s", why->message);
    return builder_refuse(b, error, "%s", why->message);
}

/* All activations of the last node are of a size that can be thought of. */
static bramble_status check_outputs(const struct layer_builder *b, uint32_t first, bramble_error *error)
{
    char text[64];
    for (uint32_t v = first; v < b->graph.n_values; v++)
        if (b->graph.values[v].size > LAYER_LIST_ACTIVATIONS)
            return builder_refuse(b, error, "%s makes %s numbers of each sample; up to %d are possible",
                                  b->name, shape_text(&b->graph.values[v].shape, text),
                                  LAYER_LIST_ACTIVATIONS);
    return BRAMBLE_OK;
}

bramble_status builder_node(struct layer_builder *b, const char *op, const char *suffix,
                            const uint32_t *inputs, uint32_t n_inputs, uint32_t n_outputs,
                            const struct net_attributes *attributes, bramble_error *error)
{
    char name[64];
    bramble_error why = {0};
    struct net_node_new node = {.op = op,
                                .name = name,
                                .inputs = inputs,
                                .n_inputs = n_inputs,
                                .n_outputs = n_outputs,
                                .attributes = NET_ATTRIBUTES_INIT};
    if (attributes) node.attributes = *attributes;
    join_name(b, suffix, name);
    bramble_status status = graph_add_node(&b->graph, &node, &b->value, &why);
    return status ? pass_on(b, status, &why, error) : check_outputs(b, b->value, error);
}

bramble_status builder_unary(struct layer_builder *b, const char *op, const char *suffix,
                             const struct net_attributes *attributes, bramble_error *error)
{
    uint32_t input = b->value;
    return builder_node(b, op, suffix, &input, 1, 1, attributes, error);
}

bramble_status builder_weight(struct layer_builder *b, const struct builder_weight *weight, uint32_t *value,
                              bramble_error *error)
{
    char name[64], text[64];
    bramble_error why = {0};
    size_t most = b->options->weights_max ? b->options->weights_max : LAYER_LIST_WEIGHTS;
    size_t left = most > b->graph.n_weights ? most - b->graph.n_weights : 0;
    if (shape_size(&weight->shape) > left)
        return builder_refuse(b, error, "%s would have %s weights, and the network more than %zu in all",
                              b->name, shape_text(&weight->shape, text), most);
    join_name(b, weight->suffix, name);
    struct net_value_new new = {.name = name,
                                .kind = weight->kind,
                                .shape = weight->shape,
                                .filler = weight->filler,
                                .fan_in = (uint32_t)weight->fan_in,
                                .decays = weight->decays,
                                .numbers = weight->numbers};
    bramble_status status = graph_add_value(&b->graph, &new, value, &why);
    return status ? pass_on(b, status, &why, error) : BRAMBLE_OK;
}

bramble_status builder_vector(struct layer_builder *b, const char *suffix, enum net_kind kind, uint32_t n,
                              enum net_filler filler, uint64_t fan_in, uint32_t *value, bramble_error *error)
{
    const struct builder_weight weight = {
        .suffix = suffix, .kind = kind, .shape = {1, {n}}, .filler = filler, .fan_in = fan_in};
    return builder_weight(b, &weight, value, error);
}

bramble_status layer_activate(struct layer_builder *b, const struct layer_kind *kind, double slope,
                              const char *suffix, bramble_error *error)
{
    if (!kind) return BRAMBLE_OK;
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.alpha = (float)slope;
    attributes.axis = builder_shape(b)->rank - 1;
    return builder_unary(b, kind->op, suffix, &attributes, error);
}

bramble_status layer_add_activation(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    return layer_activate(b, layer->kind, layer->slope, NULL, error);
}
