/* Flatten: a sample's numbers as one row of them. */
#include "net/elementwise.h"
#include "net/operands.h"
#include "net/operators.h"

#include "base/error.h"

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    bramble_status status = operand_check_activation(graph, node, 0, error);
    if (status) return status;
    if (operand_size(graph, node, 0) > UINT32_MAX)
        return error_set(error, BRAMBLE_ERR_DATA, "the input has more numbers than one axis can have");
    shapes[0] = (struct net_shape){1, {(uint32_t)operand_size(graph, node, 0)}};
    return BRAMBLE_OK;
}

const struct net_operator op_flatten = {
    .name = "Flatten",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .in_place = true,
    .infer = infer,
    .forward = elementwise_copy,
    .backward = elementwise_copy_backward,
};
