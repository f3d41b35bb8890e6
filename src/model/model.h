/*
 * A model: a forest or a network, the schema its input follows, and the settings it was made with; and its
 * ONNX file. What follows is a forest's; model/onnx_net_write.h tells of a network's.
 *
 * The file is ONNX IR 8, ai.onnx 15 and ai.onnx.ml 3: one TreeEnsembleClassifier or TreeEnsembleRegressor.
 *   input   "X"              float [N, F]; a category is its number, NaN is missing
 *   outputs "label"          class labels: string [N], or int64 [N] when every class is a whole number
 *           "probabilities"  float [N, C]
 *   or      "variable"       float [N, 1]
 * Leaves keep their values as they are. The regressor averages them; behind the classifier, which can only
 * add, one Div makes probabilities of the sums. With two classes an ArgMax and a Gather make the label: ONNX
 * Runtime takes a two-class ensemble that has weights for both classes for one that has scores for the
 * second. A category split is a chain of BRANCH_EQ nodes, which any ONNX program understands; reading folds
 * them back into sets. docs/formats.md lists the metadata. Protocol buffers are decoded by protobuf-c from
 * the onnx.proto of libonnx-dev into memory bounded by the file's size.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "data/encoder.h"
#include "data/schema.h"
#include "forest/forest.h"
#include "net/graph.h"

struct setting {
    char *key, *value;
};

enum model_kind { MODEL_FOREST, MODEL_NET };

struct bramble_model {
    enum model_kind kind;
    struct forest *forest;  /* NULL unless kind is MODEL_FOREST */
    struct net_graph *net;  /* NULL unless kind is MODEL_NET; its output: C logits, or K numbers */
    struct encoder encoder; /* MODEL_NET: how rows become the network's input; else zeroes */
    struct bramble_schema schema;
    uint32_t n_settings;
    struct setting *settings; /* in the order they were made: "bramble.version", "seed", "trees", ... */
};

void model_free(struct bramble_model *model); /* NULL is fine */

bramble_status model_save(const struct bramble_model *model, const char *path, bramble_error *error);

/* Everything in the file is checked before it is used: indices, tree shape (a tree, preorder), finite
 * numbers. */
bramble_status model_load(struct bramble_model **out, const char *path, bramble_error *error);

/* The same from bytes in memory; `name` stands in error messages. This is what the fuzzer feeds. */
bramble_status model_decode(struct bramble_model **out, const void *bytes, size_t size, const char *name,
                            bramble_error *error);

#endif
