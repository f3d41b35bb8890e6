/*
 * Networks that others exported: PyTorch (torch.onnx.export), TensorFlow and Keras (tf2onnx). Numbers of the
 * file's initialisers become parameters, so that training goes on from them.
 *
 * A file's network has one input, [batch, ...], and one output. Which axis is the batch: the one whose size
 * the file leaves open; the first when all are given. An input with four axes is an image, channels first,
 * unless it begins with a Transpose to that or has few channels last; the network's input then is H x W x C.
 * Every other input keeps its order. Nodes that the output does not need are not looked at.
 *
 * Of a file that bramble wrote the network comes back as it was, without what encodes rows.
 */
#ifndef MODEL_ONNX_NET_READ_H
#define MODEL_ONNX_NET_READ_H

#include "net/graph.h"

/* What a file's network does to its logits last. */
enum net_ending { NET_ENDING_NONE, NET_ENDING_SOFTMAX, NET_ENDING_LOG_SOFTMAX, NET_ENDING_SIGMOID };

/*
 * *out is the caller's, released by graph_fini and mem_free. logits: an ending is left out, since losses work
 * on logits; else it stays where there is such an operator. *ending (may be NULL) is what was left out.
 * BRAMBLE_ERR_UNSUPPORTED names an operator that there is not and lists those that there are;
 * BRAMBLE_ERR_DATA names the node that is not sound.
 */
bramble_status onnx_net_read(struct net_graph **out, enum net_ending *ending, bool logits, const char *path,
                             bramble_error *error);
/* The same from bytes; `name` stands in messages. */
bramble_status onnx_net_decode(struct net_graph **out, enum net_ending *ending, bool logits,
                               const void *bytes, size_t size, const char *name, bramble_error *error);

#endif
