/*
 * The trees back from the attributes of an ONNX node that ensemble_write made. Nothing in them is trusted:
 * arrays of one length, indices in range, finite numbers, and each tree a tree in preorder, its nodes
 * numbered from 0, each reached exactly once (a chain's shared child by its chain only).
 */
#ifndef MODEL_ENSEMBLE_READ_H
#define MODEL_ENSEMBLE_READ_H

#include "data/schema.h"
#include "forest/forest.h"
#include "model/onnx.pb-c.h"

/* Fills trees and n_trees of a forest whose other members fit the schema; the caller frees it whatever the
 * outcome. `name` is the file's, for messages. O(nodes). */
bramble_status ensemble_read(struct forest *forest, const Onnx__NodeProto *node,
                             const struct bramble_schema *schema, const char *name, bramble_error *error);

#endif
