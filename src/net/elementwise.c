#include "net/elementwise.h"

#include <string.h>

#include "net/kernels/kernel.h"
#include "net/operands.h"

bramble_status elementwise_infer(const struct net_graph *graph, const struct net_node *node,
                                 struct net_shape *shapes, bramble_error *error)
{
    bramble_status status = operand_check_activation(graph, node, 0, error);
    if (!status) shapes[0] = *operand_shape(graph, node, 0);
    return status;
}

KERNEL static void add_to(float *sum, const float *x, size_t n)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) sum[i] += x[i];
}

void elementwise_copy(const struct net_call *call)
{
    if (call->y[0] != call->x[0]) memcpy(call->y[0], call->x[0], elementwise_numbers(call) * sizeof(float));
}

void elementwise_copy_backward(const struct net_call *call)
{
    float *dx = call->dx[0];
    if (!dx) return;
    if (call->add[0])
        add_to(dx, call->dy[0], elementwise_numbers(call));
    else if (dx != call->dy[0])
        memcpy(dx, call->dy[0], elementwise_numbers(call) * sizeof *dx);
}
