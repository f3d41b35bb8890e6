/* Relu: y = x where x > 0, else 0; NaN stays NaN. */
#include "net/elementwise.h"
#include "net/kernels/kernel.h"
#include "net/operators.h"

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

static void forward(const struct net_call *call)
{
    relu(call->x[0], call->y[0], elementwise_numbers(call));
}

static void backward(const struct net_call *call)
{
    if (call->dx[0])
        relu_backward(call->y[0], call->dy[0], call->dx[0], elementwise_numbers(call), call->add[0]);
}

const struct net_operator op_relu = {
    .name = "Relu",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .backward_reads = NET_READS_OUTPUTS,
    .in_place = true,
    .infer = elementwise_infer,
    .forward = forward,
    .backward = backward,
};
