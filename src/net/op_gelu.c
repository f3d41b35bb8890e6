/* Gelu: y = x Phi(x), Phi the normal distribution; `approximate`: Phi by tanh, as PyTorch has it. */
#include "net/elementwise.h"
#include "net/kernels/functions.h"
#include "net/operators.h"

/* (1 + erf(x / sqrt 2)) / 2. */
KERNEL_INLINE float normal_below(float x)
{
    return fmaf(0.5f, float_erf(x * 0x1.6a09e6p-1f), 0.5f);
}

KERNEL static void gelu(const float *x, float *y, size_t n)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) y[i] = x[i] * normal_below(x[i]);
}

KERNEL static void gelu_backward(const float *x, const float *dy, float *dx, size_t n, bool add)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float density = 0x1.988454p-2f * float_exp(-0.5f * x[i] * x[i]);
        float g = dy[i] * fmaf(x[i], density, normal_below(x[i]));
        dx[i] = add ? dx[i] + g : g;
    }
}

/* tanh(sqrt(2 / pi) (x + 0.044715 x^3)). */
KERNEL_INLINE float bent(float x)
{
    return float_tanh(0x1.988454p-1f * x * fmaf(0.044715f * x, x, 1.0f));
}

KERNEL static void gelu_by_tanh(const float *x, float *y, size_t n)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) y[i] = x[i] * fmaf(0.5f, bent(x[i]), 0.5f);
}

KERNEL static void gelu_by_tanh_backward(const float *x, const float *dy, float *dx, size_t n, bool add)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float t = bent(x[i]);
        float inner = 0x1.988454p-1f * fmaf(3.0f * 0.044715f * x[i], x[i], 1.0f);
        float slope = fmaf(0.5f * x[i] * fmaf(-t, t, 1.0f), inner, fmaf(0.5f, t, 0.5f));
        float g = dy[i] * slope;
        dx[i] = add ? dx[i] + g : g;
    }
}

static void forward(const struct net_call *call)
{
    (call->node->attributes.approximate ? gelu_by_tanh : gelu)(call->x[0], call->y[0],
                                                               elementwise_numbers(call));
}

static void backward(const struct net_call *call)
{
    bool by_tanh = call->node->attributes.approximate;
    if (!call->dx[0]) return;
    (by_tanh ? gelu_by_tanh_backward : gelu_backward)(call->x[0], call->dy[0], call->dx[0],
                                                      elementwise_numbers(call), call->add[0]);
}

const struct net_operator op_gelu = {
    .name = "Gelu",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .backward_reads = NET_READS_INPUTS,
    .in_place = true,
    .infer = elementwise_infer,
    .forward = forward,
    .backward = backward,
};
