/* Sqrt: NaN where x < 0; the gradient at 0 is infinite, as PyTorch has it. */
#include "net/elementwise.h"
#include "net/kernels/functions.h"
#include "net/operators.h"

KERNEL static void root(const float *x, float *y, size_t n)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) y[i] = sqrtf(x[i]);
}

KERNEL static void root_backward(const float *y, const float *dy, float *dx, size_t n, bool add)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float g = 0.5f * dy[i] / y[i];
        dx[i] = add ? dx[i] + g : g;
    }
}

static void forward(const struct net_call *call)
{
    root(call->x[0], call->y[0], elementwise_numbers(call));
}

static void backward(const struct net_call *call)
{
    if (call->dx[0])
        root_backward(call->y[0], call->dy[0], call->dx[0], elementwise_numbers(call), call->add[0]);
}

const struct net_operator op_sqrt = {
    .name = "Sqrt",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .backward_reads = NET_READS_OUTPUTS,
    .in_place = true,
    .infer = elementwise_infer,
    .forward = forward,
    .backward = backward,
};
