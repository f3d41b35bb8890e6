/* Reading back a file of onnx_net_write.h. */
#ifndef MODEL_ONNX_NET_LOAD_H
#define MODEL_ONNX_NET_LOAD_H

#include "model/model.h"
#include "model/onnx.pb-c.h"

/* Whether a file says that it is a network of bramble's. */
bool onnx_net_is_ours(const Onnx__ModelProto *file);

/* The network of such a file alone: *out is the caller's empty graph. */
bramble_status onnx_net_graph(struct net_graph *out, const Onnx__ModelProto *file, const char *name,
                              bramble_error *error);

/* The network and the encoder of a model whose schema is there. */
bramble_status onnx_net_load(struct bramble_model *model, const Onnx__ModelProto *file, const char *name,
                             bramble_error *error);

#endif
