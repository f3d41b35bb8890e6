/* LeakyRelu: y = x where x > 0, else alpha x. */
#include "net/elementwise.h"
#include "net/kernels/kernel.h"
#include "net/operators.h"

KERNEL static void leaky_relu(const float *x, float *y, size_t n, float alpha)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) y[i] = x[i] < 0.0f ? alpha * x[i] : x[i];
}

KERNEL static void leaky_relu_backward(const float *x, const float *dy, float *dx, size_t n, bool add,
                                       float alpha)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float g = x[i] > 0.0f ? dy[i] : alpha * dy[i];
        dx[i] = add ? dx[i] + g : g;
    }
}

static void forward(const struct net_call *call)
{
    leaky_relu(call->x[0], call->y[0], elementwise_numbers(call), call->node->attributes.alpha);
}

static void backward(const struct net_call *call)
{
    if (call->dx[0])
        leaky_relu_backward(call->x[0], call->dy[0], call->dx[0], elementwise_numbers(call), call->add[0],
                            call->node->attributes.alpha);
}

const struct net_operator op_leaky_relu = {
    .name = "LeakyRelu",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .backward_reads = NET_READS_INPUTS,
    .in_place = true,
    .infer = elementwise_infer,
    .forward = forward,
    .backward = backward,
};
