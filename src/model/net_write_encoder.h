/* The encoding of rows as nodes of an ONNX file, so that whoever runs it needs nothing of ours. */
#ifndef MODEL_NET_WRITE_ENCODER_H
#define MODEL_NET_WRITE_ENCODER_H

#include "data/encoder.h"
#include "model/net_proto.h"
#include "net/shape.h"

/*
 * Declares the graph's input "X" and adds what makes of it the network's, of the given shape: the tensor's
 * name. Images of bytes: X is [N, channels, height, width], 0 to 255; else [N, F], as a table has it, NaN for
 * missing and a category's number for a category. *channels_first: the tensor is an image in ONNX's order.
 */
char *write_encoder(struct proto_builder *builder, const struct encoder *encoder,
                    const struct net_shape *input, bool *channels_first);

#endif
