/* Which handler knows which operator. */
#include <string.h>

#include "model/net_read.h"

static const struct {
    const char *op_type;
    net_read_fn *read;
} readers[] = {
    {"Add", read_binary},
    {"AveragePool", read_pool},
    {"BatchNormalization", read_batch_normalization},
    {"Cast", read_same},
    {"Clip", read_clip},
    {"Concat", read_concat},
    {"Conv", read_conv},
    {"Div", read_binary},
    {"Dropout", read_dropout},
    {"Exp", read_unary},
    {"Flatten", read_flatten},
    {"GRU", read_recurrent},
    {"Gather", read_gather},
    {"Gelu", read_gelu},
    {"Gemm", read_gemm},
    {"GlobalAveragePool", read_global_pool},
    {"GlobalMaxPool", read_global_pool},
    {"HardSigmoid", read_hard_sigmoid},
    {"HardSwish", read_unary},
    {"Identity", read_same},
    {"LSTM", read_recurrent},
    {"LayerNormalization", read_layer_normalization},
    {"LeakyRelu", read_leaky_relu},
    {"LogSoftmax", read_softmax},
    {"MatMul", read_matmul},
    {"MaxPool", read_pool},
    {"Mul", read_binary},
    {"Pad", read_pad},
    {"ReduceMean", read_reduce_mean},
    {"Relu", read_unary},
    {"Reshape", read_reshape},
    {"Sigmoid", read_unary},
    {"Slice", read_slice},
    {"Softmax", read_softmax},
    {"Split", read_split},
    {"Sqrt", read_unary},
    {"Squeeze", read_squeeze},
    {"Sub", read_binary},
    {"Tanh", read_unary},
    {"Transpose", read_transpose},
    {"Unsqueeze", read_unsqueeze},
};

net_read_fn *reader_find(const char *op_type)
{
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (strcmp(readers[i].op_type, op_type) == 0) return readers[i].read;
    return NULL;
}
