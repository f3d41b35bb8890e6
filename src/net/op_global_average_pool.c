/* GlobalAveragePool: each channel's mean, all axes but the last averaged over and 1. */
#include "net/elementwise.h"
#include "net/mean.h"
#include "net/operands.h"
#include "net/operators.h"

#include "base/error.h"

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    bramble_status status = elementwise_infer(graph, node, shapes, error);
    if (status) return status;
    if (shapes[0].rank < 2)
        return error_set(error, BRAMBLE_ERR_DATA, "the input has no axes to average over");
    for (uint32_t d = 0; d + 1 < shapes[0].rank; d++) shapes[0].dim[d] = 1;
    return BRAMBLE_OK;
}

/* All channels lie beside each other. */
static size_t channels_of(const struct net_call *call)
{
    return call->graph->values[call->node->outputs[0]].size;
}

static size_t pixels_of(const struct net_call *call)
{
    return operand_size(call->graph, call->node, 0) / channels_of(call);
}

static void forward(const struct net_call *call)
{
    mean_forward(call->x[0], call->y[0], call->samples, pixels_of(call), channels_of(call));
}

static void backward(const struct net_call *call)
{
    if (call->dx[0])
        mean_backward(call->dy[0], call->dx[0], call->samples, pixels_of(call), channels_of(call),
                      call->add[0]);
}

const struct net_operator op_global_average_pool = {
    .name = "GlobalAveragePool",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
