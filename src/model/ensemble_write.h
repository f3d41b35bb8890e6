/*
 * The trees as attributes of an ONNX node, TreeEnsembleClassifier or TreeEnsembleRegressor: one packed array
 * a property, one entry a node or leaf value. They are produced while they are written, array by array, so
 * that a forest of any size needs no second copy.
 *
 * A node with a category set becomes a chain of BRANCH_EQ nodes, one a category in rising order, that share
 * their true child and lead to the next by their false one. A set without categories (only missing values go
 * left) becomes one BRANCH_EQ with ENSEMBLE_NO_CATEGORY.
 */
#ifndef MODEL_ENSEMBLE_WRITE_H
#define MODEL_ENSEMBLE_WRITE_H

#include "forest/forest.h"
#include "model/sink.h"

#define ENSEMBLE_NO_CATEGORY 0.5f

enum { ENSEMBLE_ARRAYS = 13 };

struct ensemble {
    const struct forest *forest; /* borrowed */
    uint32_t *ids;               /* room for the file's node numbers of the largest tree */
    uint64_t array_bytes[ENSEMBLE_ARRAYS];
    uint64_t bytes; /* of all attributes, as fields of a NodeProto */
};

/* Measures. O(nodes), twelve times over. */
bramble_status ensemble_init(struct ensemble *ensemble, const struct forest *forest, bramble_error *error);
void ensemble_write(const struct ensemble *ensemble, struct sink *sink);
void ensemble_fini(struct ensemble *ensemble);

#endif
