/* Operators that make another number of each: y[i] = f(x[i]). */
#ifndef NET_ELEMENTWISE_H
#define NET_ELEMENTWISE_H

#include "net/operator.h"

/* Of input 0, which has to be an activation. */
bramble_status elementwise_infer(const struct net_graph *graph, const struct net_node *node,
                                 struct net_shape *shapes, bramble_error *error);

/* Of the call's samples. */
static inline size_t elementwise_numbers(const struct net_call *call)
{
    return call->samples * call->graph->values[call->node->outputs[0]].size;
}

/* y = x and its gradient; in place there is nothing to do. */
void elementwise_copy(const struct net_call *call);
void elementwise_copy_backward(const struct net_call *call);

#endif
