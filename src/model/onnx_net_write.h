/*
 * A model that is a network, as an ONNX file (IR 8, ai.onnx 17) that any program for such files can run:
 *   input   "X"              images of bytes: float [N, channels, height, width], 0 to 255;
 *                            else float [N, F], as a table has it; a category is its number, NaN is missing
 *   outputs "label"          as a forest's (model.h)
 *           "probabilities"  float [N, C], the softmax of the network's logits; one against the rest, the
 *                            sigmoid of each divided by their sum (encoder_probabilities)
 *   or      "variable"       float [N, 1], in the target's units
 * Rows are scaled and categories become numbers by nodes in front of the network, whose own tensors are
 * called "net.NAME", or "image.NAME" where channels come first. Initialisers "net.NAME" are its weights,
 * those of convolutions in ONNX's order. The metadata have the schema, the encoder, how the network is built
 * (net_json.h) and the settings; reading makes the very same network of them, and checks that the graph is
 * what writing that network gives.
 */
#ifndef MODEL_ONNX_NET_WRITE_H
#define MODEL_ONNX_NET_WRITE_H

#include "model/model.h"
#include "model/net_proto.h"
#include "model/onnx_graph.h"

/* The file's graph; borrows from the model. */
struct net_file_graph {
    struct proto_builder builder;
    struct class_labels labels;
};
bramble_status net_file_graph_init(struct net_file_graph *graph, const struct bramble_model *model,
                                   bramble_error *error);
void net_file_graph_fini(struct net_file_graph *graph);

bramble_status onnx_net_save(const struct bramble_model *model, const char *path, bramble_error *error);

#endif
