/*
 * A matrix of weights behind the last axis: x[.., K] times W[K, N], or W[N, K] with transpose_b, gives
 * y[.., N], plus a bias[N] when there is a third input. Gemm, and MatMul with a parameter, are this. Reads
 * transpose_b and relu.
 */
#ifndef NET_DENSE_H
#define NET_DENSE_H

#include "net/operator.h"

bramble_status dense_infer(const struct net_graph *graph, const struct net_node *node,
                           struct net_shape *shapes, bramble_error *error);
size_t dense_prepared_bytes(const struct net_graph *graph, const struct net_node *node);
void dense_prepare(const struct net_graph *graph, const struct net_node *node, void *prepared, bool training);
void dense_forward(const struct net_call *call);
void dense_backward(const struct net_call *call);
uint32_t dense_gradient_parts(const struct net_graph *graph, const struct net_node *node);
size_t dense_gradient_scratch_bytes(const struct net_graph *graph, const struct net_node *node);
void dense_parameter_gradient(const struct net_gradient_call *call, uint32_t part);
uint64_t dense_macs(const struct net_graph *graph, const struct net_node *node);

#endif
