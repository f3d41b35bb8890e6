/* Reshape: a sample's numbers, as they lie in memory, in the shape of the attribute `shape`. */
#include "net/elementwise.h"
#include "net/operands.h"
#include "net/operators.h"

#include "base/error.h"

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    const struct net_shape *shape = &node->attributes.shape;
    char from[64], to[64];
    bramble_status status = operand_check_activation(graph, node, 0, error);
    if (status) return status;
    if (shape->rank > NET_RANK_MAX)
        return error_set(error, BRAMBLE_ERR_DATA, "the new shape has %u dimensions, %d are the most",
                         shape->rank, NET_RANK_MAX);
    if (shape_size(shape) != operand_size(graph, node, 0))
        return error_set(error, BRAMBLE_ERR_DATA, "%s cannot become %s: the numbers are not as many",
                         shape_text(operand_shape(graph, node, 0), from), shape_text(shape, to));
    shapes[0] = *shape;
    return BRAMBLE_OK;
}

const struct net_operator op_reshape = {
    .name = "Reshape",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .in_place = true,
    .infer = infer,
    .forward = elementwise_copy,
    .backward = elementwise_copy_backward,
};
