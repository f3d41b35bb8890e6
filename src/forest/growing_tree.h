/* A tree while it grows: arrays that stretch. */
#ifndef FOREST_GROWING_TREE_H
#define FOREST_GROWING_TREE_H

#include "forest/tree.h"

struct growing_tree {
    uint32_t n_nodes, n_sets, n_values;
    uint32_t node_capacity, set_capacity, value_capacity;
    struct tree_node *nodes;
    double *gains; /* impurity decrease of each node's split, times its weight; 0 for leaves */
    struct category_set *sets;
    float *values;
    bool failed; /* out of memory: what was added since is lost */
};

/* Index of a new node, value or set; 0 when failed. */
uint32_t growing_tree_add_node(struct growing_tree *tree);
uint32_t growing_tree_add_set(struct growing_tree *tree, const uint32_t word[8]);
uint32_t growing_tree_add_values(struct growing_tree *tree, uint32_t n); /* index of the first of n floats */

void growing_tree_clear(struct growing_tree *tree); /* keeps the memory */
void growing_tree_fini(struct growing_tree *tree);
/* Rewrites nodes, sets and shares from the order they were made in to preorder. The children of a node must
 * have been made together, the left one first. */
void growing_tree_renumber(struct growing_tree *tree, uint32_t n_classes);
bool growing_tree_finish(const struct growing_tree *tree,
                         struct tree *out); /* exact copies; false: out of memory */

#endif
