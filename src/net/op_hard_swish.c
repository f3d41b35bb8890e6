/* HardSwish: y = x h(x), where h(x) = x / 6 + 1 / 2, held between 0 and 1. */
#include "net/elementwise.h"
#include "net/kernels/functions.h"
#include "net/operators.h"

KERNEL_INLINE float held(float x)
{
    float below = x > 1.0f ? 1.0f : x;
    return below < 0.0f ? 0.0f : below;
}

KERNEL_INLINE float slope(float x)
{
    float inside = fmaf(x, 1.0f / 3, 0.5f);
    float below = x < -3.0f ? 0.0f : inside;
    return x > 3.0f ? 1.0f : below;
}

KERNEL static void hard_swish(const float *x, float *y, size_t n)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) y[i] = x[i] * held(fmaf(x[i], 1.0f / 6, 0.5f));
}

KERNEL static void hard_swish_backward(const float *x, const float *dy, float *dx, size_t n, bool add)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float g = dy[i] * slope(x[i]);
        dx[i] = add ? dx[i] + g : g;
    }
}

static void forward(const struct net_call *call)
{
    hard_swish(call->x[0], call->y[0], elementwise_numbers(call));
}

static void backward(const struct net_call *call)
{
    if (call->dx[0])
        hard_swish_backward(call->x[0], call->dy[0], call->dx[0], elementwise_numbers(call), call->add[0]);
}

const struct net_operator op_hard_swish = {
    .name = "HardSwish",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .backward_reads = NET_READS_INPUTS,
    .in_place = true,
    .infer = elementwise_infer,
    .forward = forward,
    .backward = backward,
};
