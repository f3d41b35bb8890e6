/*
 * One decision tree, as prediction and files want it: nodes in preorder, so that the left child of node i is
 * node i + 1 and only the right child needs an index. Sets and shares stand in the order of their nodes.
 */
#ifndef FOREST_TREE_H
#define FOREST_TREE_H

#include <stdbool.h>
#include <stdint.h>

enum tree_node_kind {
    TREE_LEAF = 0, /* value */
    TREE_NUMERIC,  /* left when x <= threshold */
    TREE_CATEGORY, /* left when category x is in set */
};

struct tree_node {
    union {
        float threshold;   /* NUMERIC */
        uint32_t set;      /* CATEGORY: index into tree.sets */
        uint32_t class_id; /* LEAF of a classification tree with pure = 1: the one class */
        uint32_t values;   /* LEAF of a classification tree with pure = 0: index into tree.values, C shares */
        float value;       /* LEAF of a regression tree */
    };
    uint32_t right; /* index of the right child; 0 in a leaf */
    uint32_t kind : 2;
    uint32_t missing_left : 1; /* where NaN goes */
    uint32_t pure : 1;
    uint32_t feature : 28;
    float cover; /* weight of the training rows that reached it (hitrate in ONNX) */
};

/* 256 categories as bits: bit c & 31 of word[c >> 5] set means category c goes left. */
struct category_set {
    uint32_t word[8];
};

struct tree {
    uint32_t n_nodes, n_sets;
    uint32_t n_values; /* floats in values: C for each impure leaf */
    uint32_t depth;    /* the deepest leaf's distance from the root */
    struct tree_node *nodes;
    struct category_set *sets;
    float *values;
};

void tree_fini(struct tree *tree);

/* Sets depth from the nodes; false: out of memory. O(n). */
bool tree_measure(struct tree *tree);

/* The child a value leads to. */
static inline uint32_t tree_child(const struct tree *tree, uint32_t i, float x)
{
    const struct tree_node *node = &tree->nodes[i];
    bool left;
    if (x != x)
        left = node->missing_left;
    else if (node->kind == TREE_NUMERIC)
        left = x <= node->threshold;
    else if (x >= 0 && x < 256 && x == (float)(uint32_t)x)
        left = tree->sets[node->set].word[(uint32_t)x >> 5] >> ((uint32_t)x & 31) & 1;
    else
        left = false; /* as a chain of equality tests in ONNX does */
    return left ? i + 1 : node->right;
}

#endif
