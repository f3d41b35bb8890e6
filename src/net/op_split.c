/* Split: parts of its input along `axis`, as long as `split` says, or all equal. */
#include "base/error.h"
#include "net/chunks.h"
#include "net/operands.h"
#include "net/operators.h"

static bramble_status fill_lengths(const struct net_node *node, uint32_t whole, uint32_t *lengths,
                                   bramble_error *error)
{
    uint64_t sum = 0;
    for (uint32_t o = 0; o < node->n_outputs; o++) sum += lengths[o] = node->attributes.split[o];
    if (sum == whole) return BRAMBLE_OK;
    if (sum)
        return error_set(error, BRAMBLE_ERR_DATA, "the parts are %llu long together, the axis is %u",
                         (unsigned long long)sum, whole);
    if (whole % node->n_outputs)
        return error_set(error, BRAMBLE_ERR_DATA, "an axis of %u cannot be cut into %u equal parts", whole,
                         node->n_outputs);
    for (uint32_t o = 0; o < node->n_outputs; o++) lengths[o] = whole / node->n_outputs;
    return BRAMBLE_OK;
}

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    uint32_t axis = node->attributes.axis, lengths[NET_OUTPUTS_MAX];
    bramble_status status = operand_check_activation(graph, node, 0, error);
    if (status) return status;
    const struct net_shape *x = operand_shape(graph, node, 0);
    if (axis >= x->rank)
        return error_set(error, BRAMBLE_ERR_DATA, "axis %u: the input has %u axes", axis, x->rank);
    status = fill_lengths(node, x->dim[axis], lengths, error);
    for (uint32_t o = 0; o < node->n_outputs && !status; o++) {
        shapes[o] = *x;
        shapes[o].dim[axis] = lengths[o];
    }
    return status;
}

static size_t width_of(const struct net_call *call, const struct net_shape *shape)
{
    return shape_product(shape, call->node->attributes.axis, shape->rank);
}

static void forward(const struct net_call *call)
{
    const struct net_shape *x = operand_shape(call->graph, call->node, 0);
    size_t count = call->samples * shape_product(x, 0, call->node->attributes.axis), at = 0;
    for (uint32_t o = 0; o < call->node->n_outputs; o++) {
        size_t width = width_of(call, &call->graph->values[call->node->outputs[o]].shape);
        chunks_copy(call->y[o], width, call->x[0] + at, width_of(call, x), width, count);
        at += width;
    }
}

static void backward(const struct net_call *call)
{
    const struct net_shape *x = operand_shape(call->graph, call->node, 0);
    size_t count = call->samples * shape_product(x, 0, call->node->attributes.axis), at = 0;
    for (uint32_t o = 0; o < call->node->n_outputs && call->dx[0]; o++) {
        size_t width = width_of(call, &call->graph->values[call->node->outputs[o]].shape);
        (call->add[0] ? chunks_add : chunks_copy)(call->dx[0] + at, width_of(call, x), call->dy[o], width,
                                                  width, count);
        at += width;
    }
}

const struct net_operator op_split = {
    .name = "Split",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = NET_OUTPUTS_MAX,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
