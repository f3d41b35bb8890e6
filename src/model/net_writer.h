/*
 * Writing a network's nodes as ONNX nodes. Every value of the network may have two tensors in the file: one
 * whose axes stand as they lie in memory behind the batch, and for images one with channels first, which
 * ONNX's convolutions and pools take; whichever is missing is made by a Transpose when it is asked for.
 */
#ifndef MODEL_NET_WRITER_H
#define MODEL_NET_WRITER_H

#include <bramble/error.h>

#include "model/net_proto.h"
#include "net/graph.h"

struct net_writer {
    const struct net_graph *graph;
    struct proto_builder *builder;
    const struct net_node *node; /* at hand */
    char **lying, **first;       /* [n_values]: the tensors' names, NULL: none yet */
};

/* The tensor of a value, or of input i of the node at hand: as it lies, or channels first (3 axes). A weight
 * only ever lies, but for a convolution's kernel: outputs, channels, height, width. */
char *writer_lying(struct net_writer *w, uint32_t value);
char *writer_first(struct net_writer *w, uint32_t value);
char *writer_input(struct net_writer *w, uint32_t i);
bool writer_has_input(const struct net_writer *w, uint32_t i);
bool writer_is_image(const struct net_writer *w, uint32_t value); /* an activation with three axes */
bool writer_is_weight(const struct net_writer *w, uint32_t value);
const struct net_shape *writer_shape(const struct net_writer *w, uint32_t i);

/* Adds an ONNX node with the inputs given whose only output is the node's output 0, as it lies or with
 * channels first; a Relu is put behind it where the network has one fused. NULL: out of memory. */
Onnx__NodeProto *writer_add(struct net_writer *w, const char *op_type, const char *const *inputs, size_t n,
                            bool channels_first);
/* A tensor that is made already is the node's output. */
void writer_set(struct net_writer *w, uint32_t output, char *tensor, bool channels_first);

/* What writes one operator; false: the node has something that cannot be written. */
typedef bool net_write_fn(struct net_writer *w);
net_write_fn *writer_find(const char *op);
net_write_fn *writer_find_pointwise(const char *op); /* among those of net_write_pointwise.c */

/* All weights, the network from the tensor of its input (as it lies, or channels first) to its output. */
bramble_status write_network(struct net_writer *w, char *input, bool channels_first, bramble_error *error);
bool writer_init(struct net_writer *w, const struct net_graph *graph, struct proto_builder *builder);
void writer_fini(struct net_writer *w);

/* Where number i of a kernel in the file comes from, as it lies in memory. */
size_t writer_kernel_place(const struct net_shape *shape, size_t i);
/* Whether the file has a weight in the order of a kernel. */
bool writer_is_kernel(const struct net_graph *graph, uint32_t value);

#endif
