/*
 * A tree as arrays of bytes that compress well: field by field, and of each field all lowest bytes, then all
 * next ones, and so on. What follows from the rest is left out: right children (the kinds in preorder give
 * the shape), indices of sets and shares (they stand in the order of their nodes), covers of inner nodes
 * where each is the sum of its children's.
 */
#ifndef FOREST_TREE_PLANES_H
#define FOREST_TREE_PLANES_H

#include <stddef.h>

#include "forest/tree.h"

/* Where each array begins. */
struct tree_planes {
    uint32_t n_nodes, n_inner, n_leaves, n_covers, n_sets, n_values, n_features;
    size_t kinds;          /* a byte a node: kind, missing_left, pure */
    size_t features;       /* inner nodes, four bytes each */
    size_t inner_payloads; /* inner nodes, four: threshold, or 0 */
    size_t leaf_payloads;  /* leaves, four: class, value, or 0 */
    size_t covers;         /* all nodes or leaves, four */
    size_t sets;           /* 32 bytes each, as they are */
    size_t values;         /* four each */
    size_t importances;    /* F, eight */
    uint64_t bytes;        /* all of it */
};

/* Lays out a tree with these counts; n_nodes must be odd. */
struct tree_planes tree_planes_of(uint32_t n_nodes, uint32_t n_sets, uint32_t n_values, uint32_t n_features,
                                  bool leaf_covers);

/* Whether the cover of every inner node is the sum of its children's. */
bool tree_covers_add_up(const struct tree *tree);

/* Writes planes->bytes bytes. */
void tree_planes_write(const struct tree_planes *planes, const struct tree *tree, const uint64_t *importances,
                       uint8_t *bytes);

/* Fills the tree, whose arrays are there, and importances[F]. NULL, or what is wrong: any bytes may come in.
 */
const char *tree_planes_read(const struct tree_planes *planes, const uint8_t *bytes, uint32_t n_classes,
                             struct tree *tree, uint64_t *importances);

#endif
