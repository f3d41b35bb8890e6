/*
 * A tree and its importances as bytes, for sending and keeping; compressed (zstd). The same tree gives bytes
 * that read back as the same tree on every machine.
 *
 * Bytes: "BRT1", then u32s: 1 if only leaves have their cover written, n_nodes, n_sets, n_values, F; u64
 * XXH3-64 of what follows; one zstd frame of what tree_planes.h describes. All little-endian.
 */
#ifndef FOREST_TREE_BYTES_H
#define FOREST_TREE_BYTES_H

#include "forest/forest.h"

/* *bytes is the caller's to mem_free. O(n). */
bramble_status tree_encode(const struct tree *tree, const uint64_t *importances, uint32_t n_features,
                           void **bytes, size_t *length, bramble_error *error);

/* Any bytes may come in: nodes in preorder, children, features, classes and sets are all checked. Adds to
 * importances[F]; *tree is the caller's to tree_fini. Memory: at most 100 KB for each byte
 * of length. */
bramble_status tree_decode(const void *bytes, size_t length, uint32_t n_features, uint32_t n_classes,
                           struct tree *tree, uint64_t *importances, bramble_error *error);

#endif
