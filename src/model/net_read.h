/* One handler an ONNX operator, in the files net_read_*.c; net_read_table.c has them all. */
#ifndef MODEL_NET_READ_H
#define MODEL_NET_READ_H

#include "model/net_reader.h"

net_read_fn read_gemm, read_matmul;
net_read_fn read_conv, read_pad, read_pool, read_global_pool, read_reduce_mean;
net_read_fn read_batch_normalization, read_layer_normalization, read_softmax;
net_read_fn read_unary, read_leaky_relu, read_gelu, read_clip, read_hard_sigmoid, read_dropout;
net_read_fn read_binary;
net_read_fn read_transpose, read_reshape, read_flatten, read_squeeze, read_unsqueeze, read_same;
net_read_fn read_concat, read_split, read_slice, read_gather;
net_read_fn read_recurrent;

/* The only node that reads the tensor `name`, among those that the output needs; NULL: none or several, or
 * the graph's output is it. Its number in *number. */
const Onnx__NodeProto *reader_only_reader(const struct net_reader *r, const char *name, size_t *number);
/* x becomes its LayerNormalization from `axis` on; scale and bias (or NULL) are names of known tensors. */
bramble_status add_layer_normalization(struct net_reader *r, struct view *x, uint32_t axis, const char *scale,
                                       const char *bias, float epsilon);

/* Whether the node is of that type, in ONNX's own operators. */
bool reader_is(const Onnx__NodeProto *node, const char *op_type);
/* The number of a tensor that is one known number; false: it is none. */
bool reader_scalar(struct net_reader *r, const char *name, double *number);

#endif
