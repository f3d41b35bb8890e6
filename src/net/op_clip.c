/* Clip: y = x, held between min and max: inputs 1 and 2, constants of one number each, either may be left
 * out. At a bound the gradient is 0, as that of PyTorch's ReLU6 is. */
#include "net/elementwise.h"
#include "net/kernels/functions.h"
#include "net/operands.h"
#include "net/operators.h"

#include "base/error.h"

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    for (uint32_t i = 1; i < node->n_inputs; i++) {
        if (!operand_given(node, i)) continue;
        const struct net_value *bound = operand(graph, node, i);
        if (bound->kind != NET_CONSTANT || bound->size != 1)
            return error_set(error, BRAMBLE_ERR_DATA, "input %u (%.80s), the %s, has to be a constant number",
                             i, bound->name, i == 1 ? "least" : "greatest");
    }
    return elementwise_infer(graph, node, shapes, error);
}

KERNEL static void clip(const float *x, float *y, size_t n, float low, float high)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float below = x[i] < low ? low : x[i];
        y[i] = below > high ? high : below;
    }
}

KERNEL static void clip_backward(const float *y, const float *dy, float *dx, size_t n, bool add, float low,
                                 float high)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float above = y[i] > low ? dy[i] : 0.0f;
        float g = y[i] < high ? above : 0.0f;
        dx[i] = add ? dx[i] + g : g;
    }
}

static float low_of(const struct net_call *call)
{
    return operand_given(call->node, 1) ? call->x[1][0] : -INFINITY;
}

static float high_of(const struct net_call *call)
{
    return operand_given(call->node, 2) ? call->x[2][0] : INFINITY;
}

static void forward(const struct net_call *call)
{
    clip(call->x[0], call->y[0], elementwise_numbers(call), low_of(call), high_of(call));
}

static void backward(const struct net_call *call)
{
    if (call->dx[0])
        clip_backward(call->y[0], call->dy[0], call->dx[0], elementwise_numbers(call), call->add[0],
                      low_of(call), high_of(call));
}

const struct net_operator op_clip = {
    .name = "Clip",
    .min_inputs = 1,
    .max_inputs = 3,
    .max_outputs = 1,
    .backward_reads = NET_READS_OUTPUTS,
    .in_place = true,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
