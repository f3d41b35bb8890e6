/* Pow: y = x^p, where p, input 1, is a constant whole number from 1 to 8. */
#include "net/elementwise.h"
#include "net/kernels/kernel.h"
#include "net/operands.h"
#include "net/operators.h"

#include "base/error.h"

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    const struct net_value *power = operand(graph, node, 1);
    if (power->kind != NET_CONSTANT || power->size != 1)
        return error_set(error, BRAMBLE_ERR_DATA, "the exponent (%.80s) has to be a constant number",
                         power->name);
    float p = graph_numbers(graph, node->inputs[1])[0];
    if (!(p >= 1 && p <= 8 && p == (float)(int)p))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "the exponent is %g; whole numbers from 1 to 8 are possible", (double)p);
    return elementwise_infer(graph, node, shapes, error);
}

KERNEL static void power(const float *x, float *y, size_t n, int p)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float product = x[i];
        for (int k = 1; k < p; k++) product *= x[i];
        y[i] = product;
    }
}

KERNEL static void power_backward(const float *x, const float *dy, float *dx, size_t n, bool add, int p)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float g = (float)p * dy[i];
        for (int k = 1; k < p; k++) g *= x[i];
        dx[i] = add ? dx[i] + g : g;
    }
}

static void forward(const struct net_call *call)
{
    power(call->x[0], call->y[0], elementwise_numbers(call), (int)call->x[1][0]);
}

static void backward(const struct net_call *call)
{
    if (call->dx[0])
        power_backward(call->x[0], call->dy[0], call->dx[0], elementwise_numbers(call), call->add[0],
                       (int)call->x[1][0]);
}

const struct net_operator op_pow = {
    .name = "Pow",
    .min_inputs = 2,
    .max_inputs = 2,
    .max_outputs = 1,
    .backward_reads = NET_READS_INPUTS,
    .in_place = true,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
