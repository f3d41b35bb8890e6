/* Concat: its inputs behind each other along `axis`; they are alike in all others. */
#include "base/error.h"
#include "net/chunks.h"
#include "net/operands.h"
#include "net/operators.h"

static bramble_status check_alike(const struct net_shape *first, const struct net_shape *other, uint32_t axis,
                                  bramble_error *error)
{
    char a[64], b[64];
    bool alike = first->rank == other->rank;
    for (uint32_t d = 0; alike && d < first->rank; d++) alike = d == axis || first->dim[d] == other->dim[d];
    if (alike) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_DATA, "%s and %s do not go behind each other along axis %u",
                     shape_text(first, a), shape_text(other, b), axis);
}

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    uint32_t axis = node->attributes.axis;
    struct net_shape out = *operand_shape(graph, node, 0);
    if (axis >= out.rank)
        return error_set(error, BRAMBLE_ERR_DATA, "axis %u: the inputs have %u axes", axis, out.rank);
    uint64_t length = 0;
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        if (!operand_given(node, i)) return error_set(error, BRAMBLE_ERR_DATA, "input %u is missing", i);
        bramble_status status = operand_check_activation(graph, node, i, error);
        if (!status) status = check_alike(&out, operand_shape(graph, node, i), axis, error);
        if (status) return status;
        length += operand_shape(graph, node, i)->dim[axis];
    }
    if (length > UINT32_MAX) return error_set(error, BRAMBLE_ERR_DATA, "axis %u would be too long", axis);
    out.dim[axis] = (uint32_t)length;
    shapes[0] = out;
    return BRAMBLE_OK;
}

/* Numbers of a shape from the axis on. */
static size_t width_of(const struct net_call *call, const struct net_shape *shape)
{
    return shape_product(shape, call->node->attributes.axis, shape->rank);
}

static void forward(const struct net_call *call)
{
    const struct net_shape *y = &call->graph->values[call->node->outputs[0]].shape;
    size_t count = call->samples * shape_product(y, 0, call->node->attributes.axis), at = 0;
    for (uint32_t i = 0; i < call->node->n_inputs; i++) {
        size_t width = width_of(call, operand_shape(call->graph, call->node, i));
        chunks_copy(call->y[0] + at, width_of(call, y), call->x[i], width, width, count);
        at += width;
    }
}

static void backward(const struct net_call *call)
{
    const struct net_shape *y = &call->graph->values[call->node->outputs[0]].shape;
    size_t count = call->samples * shape_product(y, 0, call->node->attributes.axis), at = 0;
    for (uint32_t i = 0; i < call->node->n_inputs; i++) {
        size_t width = width_of(call, operand_shape(call->graph, call->node, i));
        if (call->dx[i])
            (call->add[i] ? chunks_add : chunks_copy)(call->dx[i], width, call->dy[0] + at, width_of(call, y),
                                                      width, count);
        at += width;
    }
}

const struct net_operator op_concat = {
    .name = "Concat",
    .min_inputs = 1,
    .max_inputs = NET_INPUTS_MAX,
    .max_outputs = 1,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
