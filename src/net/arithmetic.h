/* What Add, Sub, Mul and Div share: input 0 and input 1, number by number, shapes brought together as
 * broadcast.h says. Either may be a weight; a parameter's gradient is summed over all it was repeated for. */
#ifndef NET_ARITHMETIC_H
#define NET_ARITHMETIC_H

#include "net/operator.h"

enum arithmetic { ARITHMETIC_ADD, ARITHMETIC_SUB, ARITHMETIC_MUL, ARITHMETIC_DIV };

void arithmetic_forward(enum arithmetic what, const struct net_call *call);
void arithmetic_backward(enum arithmetic what, const struct net_call *call);

size_t arithmetic_scratch(const struct net_graph *graph, const struct net_node *node, uint32_t samples);

/* A part is a parameter. */
uint32_t arithmetic_parts(const struct net_graph *graph, const struct net_node *node);
size_t arithmetic_gradient_scratch(const struct net_graph *graph, const struct net_node *node);
void arithmetic_parameter_gradient(enum arithmetic what, const struct net_gradient_call *call, uint32_t part);

#endif
