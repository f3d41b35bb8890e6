/* The arrays of an ONNX tree ensemble by their names, as they stand in a message: lengths agree, nothing else
 * is checked. */
#ifndef MODEL_ENSEMBLE_ARRAYS_H
#define MODEL_ENSEMBLE_ARRAYS_H

#include <stdbool.h>

#include "model/onnx.pb-c.h"

/* Borrowed from the message; n_nodes and n_entries long. */
struct ensemble_arrays {
    size_t n_nodes, n_entries;
    const ProtobufCBinaryData *mode;
    const int64_t *feature, *true_id, *false_id, *missing, *node_id, *tree_id;
    const float *hitrate, *key;
    const int64_t *entry_class, *entry_node, *entry_tree;
    const float *entry_weight;
};

/* False when one is not there or not as long as the others. At most INT32_MAX nodes. */
bool ensemble_arrays_find(struct ensemble_arrays *arrays, const Onnx__NodeProto *node, bool regression);

#endif
