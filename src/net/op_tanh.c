/* Tanh. */
#include "net/elementwise.h"
#include "net/kernels/functions.h"
#include "net/operators.h"

KERNEL static void hyperbolic_tangent(const float *x, float *y, size_t n)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) y[i] = float_tanh(x[i]);
}

KERNEL static void hyperbolic_tangent_backward(const float *y, const float *dy, float *dx, size_t n, bool add)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float g = dy[i] * fmaf(-y[i], y[i], 1.0f);
        dx[i] = add ? dx[i] + g : g;
    }
}

static void forward(const struct net_call *call)
{
    hyperbolic_tangent(call->x[0], call->y[0], elementwise_numbers(call));
}

static void backward(const struct net_call *call)
{
    if (call->dx[0])
        hyperbolic_tangent_backward(call->y[0], call->dy[0], call->dx[0], elementwise_numbers(call),
                                    call->add[0]);
}

const struct net_operator op_tanh = {
    .name = "Tanh",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .backward_reads = NET_READS_OUTPUTS,
    .in_place = true,
    .infer = elementwise_infer,
    .forward = forward,
    .backward = backward,
};
