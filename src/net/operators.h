/*
 * All operators there are: ONNX's name, and the name behind op_ of its table in the file op_<name>.c. One
 * line each, in alphabetical order; a line here is all it takes for graph_add_node to find it.
 */
#ifndef NET_OPERATORS_H
#define NET_OPERATORS_H

#include "net/operator.h"

#define OPERATORS(X)                                                                                         \
    X(GRU, gru)                                                                                              \
    X(LSTM, lstm)                                                                                            \
    X(Relu, relu)

#define OPERATOR_DECLARE(onnx, name) extern const struct net_operator op_##name;
OPERATORS(OPERATOR_DECLARE)
#undef OPERATOR_DECLARE

#endif
