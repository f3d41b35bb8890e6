/* A node's inputs, as infer and the kernels' callers look at them. */
#ifndef NET_OPERANDS_H
#define NET_OPERANDS_H

#include "net/operator.h"

static inline const struct net_value *operand(const struct net_graph *graph, const struct net_node *node,
                                              uint32_t i)
{
    return &graph->values[node->inputs[i]];
}

static inline bool operand_given(const struct net_node *node, uint32_t i)
{
    return i < node->n_inputs && node->inputs[i] != NET_NONE;
}

/* It has a part for each sample. */
static inline bool operand_per_sample(const struct net_graph *graph, const struct net_node *node, uint32_t i)
{
    enum net_kind kind = operand(graph, node, i)->kind;
    return kind == NET_INPUT || kind == NET_ACTIVATION;
}

/* Numbers of a sample's part of input i, or of the weight. */
static inline size_t operand_size(const struct net_graph *graph, const struct net_node *node, uint32_t i)
{
    return operand(graph, node, i)->size;
}

static inline const struct net_shape *operand_shape(const struct net_graph *graph,
                                                    const struct net_node *node, uint32_t i)
{
    return &operand(graph, node, i)->shape;
}

/* Product of the dimensions from `first` to before `end`. */
size_t shape_product(const struct net_shape *shape, uint32_t first, uint32_t end);

/* BRAMBLE_ERR_DATA unless input i has a part for each sample. */
bramble_status operand_check_activation(const struct net_graph *graph, const struct net_node *node,
                                        uint32_t i, bramble_error *error);

/* BRAMBLE_ERR_DATA unless input i is a weight (a parameter, state or constant) of `size` numbers; `word`
 * says what it is for. */
bramble_status operand_check_weight(const struct net_graph *graph, const struct net_node *node, uint32_t i,
                                    size_t size, const char *word, bramble_error *error);

#endif
