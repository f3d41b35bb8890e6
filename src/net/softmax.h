/* What Softmax and LogSoftmax share: rows along `axis`, which may lie strided. */
#ifndef NET_SOFTMAX_H
#define NET_SOFTMAX_H

#include "net/operator.h"

/* Along n numbers; y may be x, dx may be dy. */
struct softmax_rows {
    void (*forward)(const float *x, float *y, size_t n);
    void (*backward)(const float *y, const float *dy, float *dx, size_t n);
};

bramble_status softmax_infer(const struct net_graph *graph, const struct net_node *node,
                             struct net_shape *shapes, bramble_error *error);
size_t softmax_scratch(const struct net_graph *graph, const struct net_node *node, uint32_t samples);
void softmax_forward(const struct softmax_rows *rows, const struct net_call *call);
void softmax_backward(const struct softmax_rows *rows, const struct net_call *call);

#endif
