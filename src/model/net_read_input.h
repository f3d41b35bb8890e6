/* A network's input and output, as an ONNX graph declares them. */
#ifndef MODEL_NET_READ_INPUT_H
#define MODEL_NET_READ_INPUT_H

#include "model/net_reader.h"

/* Finds the graph's input, adds it to the network and names it. */
bramble_status read_input(struct net_reader *r);
/* Brings what the output is called into ONNX's own order; *value is it. */
bramble_status read_output(struct net_reader *r, const char *name, uint32_t *value);

#endif
