/* Relu: y = x where x > 0, else 0; NaN stays NaN. */
#include "net/kernels/kernel.h"
#include "net/operators.h"

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    (void)error;
    shapes[0] = graph->values[node->inputs[0]].shape;
    return BRAMBLE_OK;
}

KERNEL static void relu(const float *x, float *y, size_t n)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) y[i] = x[i] < 0.0f ? 0.0f : x[i];
}

KERNEL static void relu_backward(const float *y, const float *dy, float *dx, size_t n, bool add)
{
    if (add) {
        KERNEL_LOOP
        for (size_t i = 0; i < n; i++) dx[i] += y[i] > 0.0f ? dy[i] : 0.0f;
        return;
    }
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) dx[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

static size_t numbers(const struct net_call *call)
{
    return call->samples * call->graph->values[call->node->outputs[0]].size;
}

static void forward(const struct net_call *call)
{
    relu(call->x[0], call->y[0], numbers(call));
}

static void backward(const struct net_call *call)
{
    if (call->dx[0]) relu_backward(call->y[0], call->dy[0], call->dx[0], numbers(call), call->add[0]);
}

const struct net_operator op_relu = {
    .name = "Relu",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .backward_reads = NET_READS_OUTPUTS,
    .in_place = true,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
