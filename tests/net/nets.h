/* Small networks for tests, with weights drawn from a fixed sequence. Whatever fails to build fails the test.
 */
#ifndef TESTS_NET_NETS_H
#define TESTS_NET_NETS_H

#include "net/operator.h"
#include "net/step.h"

#define SHAPE(...) ((struct net_shape){sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), {__VA_ARGS__}})

/* Numbers between low and high, the same for the same seed. */
void draw(float *numbers, size_t n, uint32_t seed, float low, float high);

uint32_t net_input(struct net_graph *graph, struct net_shape shape);
uint32_t net_parameter(struct net_graph *graph, struct net_shape shape, float low, float high);
uint32_t net_node(struct net_graph *graph, const char *op, const uint32_t *inputs, uint32_t n_inputs);
#define NODE(graph, op, ...)                                                                                 \
    net_node(graph, op, (uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

uint32_t net_dense(struct net_graph *graph, uint32_t x, uint32_t units); /* Gemm with weight and bias */
uint32_t net_normalised(struct net_graph *graph, uint32_t x);            /* BatchNormalization */
void net_finish(struct net_graph *graph, uint32_t output);

/* 11 numbers in, 5 out. */
void net_mlp(struct net_graph *graph);      /* dense 16, relu, dense 9, relu, dense 5 */
void net_residual(struct net_graph *graph); /* blocks of dense, normalisation and relu around a sum, one of
                                               them with a normalised shortcut */
void net_odd(struct net_graph *graph);      /* one weight used twice, x * x, a sum of three readers */
enum { NET_IN = 11, NET_OUT = 5 };

#endif
