/*
 * How a network is built, as JSON: what its ONNX file does not say in our terms. The numbers of its weights
 * are the file's initialisers.
 *
 *   {"values": [{"name": .., "kind": "parameter", "shape": [..], "filler": "kaiming", "fan_in": .., "decays":
 *   ..}], "nodes": [{"op": .., "name": .., "inputs": [.., null], "outputs": 1, "attributes": {..}}],
 * "output": 7}
 *
 * "values" are those that no node makes; inputs and the output count all values in the order in which they
 * were added, which "at" tells of a value. Of attributes those are there that differ from what they are else.
 */
#ifndef MODEL_NET_JSON_H
#define MODEL_NET_JSON_H

#include "net/graph.h"

/* A terminated text, to be released with mem_free. */
bramble_status net_to_json(char **out, const struct net_graph *graph, bramble_error *error);

/* The numbers of a weight of that name and shape, into `numbers` (as many as the shape has).
 * BRAMBLE_ERR_DATA: they are not there, or not so; BRAMBLE_ERR_MEMORY. The caller says it in words. */
typedef bramble_status net_numbers_fn(void *context, const char *name, const struct net_shape *shape,
                                      float *numbers);

/* *out is the caller's empty graph, finished; `name` is the file's, for messages. Everything is checked. */
bramble_status net_from_json(struct net_graph *out, const char *json, net_numbers_fn *numbers, void *context,
                             const char *name, bramble_error *error);

#endif
