/* ReduceMean: the mean over n_axes axes from `axis` on, which are gone then. */
#include "net/mean.h"
#include "net/operands.h"
#include "net/operators.h"

#include "base/error.h"

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    uint32_t axis = node->attributes.axis, n = node->attributes.n_axes;
    bramble_status status = operand_check_activation(graph, node, 0, error);
    if (status) return status;
    const struct net_shape *x = operand_shape(graph, node, 0);
    if (!n || axis >= x->rank || n > x->rank - axis)
        return error_set(error, BRAMBLE_ERR_DATA, "%u axes from axis %u on: the input has %u", n, axis,
                         x->rank);
    struct net_shape out = {0};
    for (uint32_t d = 0; d < x->rank; d++)
        if (d < axis || d >= axis + n) out.dim[out.rank++] = x->dim[d];
    shapes[0] = out;
    return BRAMBLE_OK;
}

struct extents {
    size_t outer, length, inner;
};

static struct extents extents_of(const struct net_call *call)
{
    const struct net_shape *x = operand_shape(call->graph, call->node, 0);
    uint32_t axis = call->node->attributes.axis, end = axis + call->node->attributes.n_axes;
    return (struct extents){.outer = call->samples * shape_product(x, 0, axis),
                            .length = shape_product(x, axis, end),
                            .inner = shape_product(x, end, x->rank)};
}

static void forward(const struct net_call *call)
{
    struct extents e = extents_of(call);
    mean_forward(call->x[0], call->y[0], e.outer, e.length, e.inner);
}

static void backward(const struct net_call *call)
{
    struct extents e = extents_of(call);
    if (call->dx[0]) mean_backward(call->dy[0], call->dx[0], e.outer, e.length, e.inner, call->add[0]);
}

const struct net_operator op_reduce_mean = {
    .name = "ReduceMean",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
