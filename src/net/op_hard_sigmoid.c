/* HardSigmoid: y = alpha x + beta, held between 0 and 1. */
#include "net/elementwise.h"
#include "net/kernels/functions.h"
#include "net/operators.h"

KERNEL_INLINE float held(float x)
{
    float below = x > 1.0f ? 1.0f : x;
    return below < 0.0f ? 0.0f : below;
}

KERNEL static void hard_sigmoid(const float *x, float *y, size_t n, float alpha, float beta)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) y[i] = held(fmaf(alpha, x[i], beta));
}

KERNEL static void hard_sigmoid_backward(const float *y, const float *dy, float *dx, size_t n, bool add,
                                         float alpha)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float above = y[i] > 0.0f ? alpha * dy[i] : 0.0f;
        float g = y[i] < 1.0f ? above : 0.0f;
        dx[i] = add ? dx[i] + g : g;
    }
}

static void forward(const struct net_call *call)
{
    const struct net_attributes *a = &call->node->attributes;
    hard_sigmoid(call->x[0], call->y[0], elementwise_numbers(call), a->alpha, a->beta);
}

static void backward(const struct net_call *call)
{
    const struct net_attributes *a = &call->node->attributes;
    if (call->dx[0])
        hard_sigmoid_backward(call->y[0], call->dy[0], call->dx[0], elementwise_numbers(call), call->add[0],
                              a->alpha);
}

const struct net_operator op_hard_sigmoid = {
    .name = "HardSigmoid",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .backward_reads = NET_READS_OUTPUTS,
    .in_place = true,
    .infer = elementwise_infer,
    .forward = forward,
    .backward = backward,
};
