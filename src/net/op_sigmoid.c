/* Sigmoid: y = 1 / (1 + e^-x). */
#include "net/elementwise.h"
#include "net/kernels/functions.h"
#include "net/operators.h"

KERNEL static void sigmoid(const float *x, float *y, size_t n)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) y[i] = float_logistic(x[i]);
}

KERNEL static void sigmoid_backward(const float *y, const float *dy, float *dx, size_t n, bool add)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float g = dy[i] * (y[i] * (1.0f - y[i]));
        dx[i] = add ? dx[i] + g : g;
    }
}

static void forward(const struct net_call *call)
{
    sigmoid(call->x[0], call->y[0], elementwise_numbers(call));
}

static void backward(const struct net_call *call)
{
    if (call->dx[0])
        sigmoid_backward(call->y[0], call->dy[0], call->dx[0], elementwise_numbers(call), call->add[0]);
}

const struct net_operator op_sigmoid = {
    .name = "Sigmoid",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .backward_reads = NET_READS_OUTPUTS,
    .in_place = true,
    .infer = elementwise_infer,
    .forward = forward,
    .backward = backward,
};
