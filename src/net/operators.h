/*
 * All operators there are: ONNX's name, and the name behind op_ of its table in the file op_<name>.c. One
 * line each, in alphabetical order; a line here is all it takes for graph_add_node to find it.
 */
#ifndef NET_OPERATORS_H
#define NET_OPERATORS_H

#include "net/operator.h"

/* clang-format off */
#define OPERATORS(X) \
    X(Add, add) \
    X(AveragePool, average_pool) \
    X(BatchNormalization, batch_normalization) \
    X(Clip, clip) \
    X(Concat, concat) \
    X(Conv, conv) \
    X(Div, div) \
    X(Dropout, dropout) \
    X(Exp, exp) \
    X(Flatten, flatten) \
    X(GRU, gru) \
    X(Gather, gather) \
    X(Gelu, gelu) \
    X(Gemm, gemm) \
    X(GlobalAveragePool, global_average_pool) \
    X(HardSigmoid, hard_sigmoid) \
    X(HardSwish, hard_swish) \
    X(Identity, identity) \
    X(LSTM, lstm) \
    X(LayerNormalization, layer_normalization) \
    X(LeakyRelu, leaky_relu) \
    X(LogSoftmax, log_softmax) \
    X(MatMul, matmul) \
    X(MaxPool, max_pool) \
    X(Mul, mul) \
    X(Pow, pow) \
    X(ReduceMean, reduce_mean) \
    X(Relu, relu) \
    X(Reshape, reshape) \
    X(Sigmoid, sigmoid) \
    X(Softmax, softmax) \
    X(Split, split) \
    X(Sqrt, sqrt) \
    X(Sub, sub) \
    X(Tanh, tanh) \
    X(Transpose, transpose)
/* clang-format on */

#define OPERATOR_DECLARE(onnx, name) extern const struct net_operator op_##name;
OPERATORS(OPERATOR_DECLARE)
#undef OPERATOR_DECLARE

#endif
