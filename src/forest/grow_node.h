/*
 * The life of a node while its tree grows: opened (its rows looked at, its best split found), then split into
 * two children or closed as a leaf. In which order nodes live is up to grow.c and grow_best_first.c.
 */
#ifndef FOREST_GROW_NODE_H
#define FOREST_GROW_NODE_H

#include "forest/grow.h"
#include "forest/growing_tree.h"
#include "forest/node_search.h"

struct grower {
    const struct grow_job *job;
    struct sample sample, spare; /* the tree's rows; where the right ones wait while rows are partitioned */
    uint16_t *counts;            /* N: how often the tree drew each row */
    double *class_scratch;       /* 2 C */
    uint8_t *side;               /* capacity: codes of a split feature, where they have to be fetched again */
    struct node_search *search;
    uint8_t *block; /* block_rows x F: rows of the subtree that is being grown */
    size_t block_rows;
    struct growing_tree tree;
    double root_weight;
    size_t rows_looked_at;   /* since job->go_on was asked */
    struct open_node *stack; /* nodes to grow, for grow_depth_first; a heap for grow_best_first */
    size_t n_open, stack_capacity;
};

/* A node with rows begin..end - 1 of the sample. */
struct open_node {
    size_t begin, end;
    uint64_t key; /* names its random numbers; hangs on the path from the root alone */
    uint32_t depth;
    uint32_t index;     /* in the tree; until it has one, its parent's */
    bool is_right;      /* a right child, whose parent is still to be told its index */
    bool in_block;      /* its rows are numbered by their place in the grower's block */
    struct split split; /* its best split, once looked at; found = false: it must be a leaf */
    double gain;        /* what the split takes off impurity times weight */
};

bool grower_push(struct grower *g, const struct open_node *node); /* false: out of memory */

/* Copies the node's rows into the block; for a subtree that will be grown whole before any other. */
void grow_node_enter_block(struct grower *g, struct open_node *node);

/* Gives the node a place in the tree, as a leaf without a value yet, and finds its best split. */
void grow_node_look(struct grower *g, struct open_node *node);

/* Ends the node as a leaf. Its rows must be the ones looked at last, or `again` gathers them once more. */
void grow_node_close(struct grower *g, const struct open_node *node, bool again);

/* Parts its rows and makes it an inner node; the children are not looked at yet. at_once: it is the node that
 * was looked at last. */
void grow_node_split(struct grower *g, struct open_node *node, bool at_once, struct open_node *left,
                     struct open_node *right);

/* Grows the tree from a root that has been looked at, until max_leaf_nodes; nodes end up in preorder. */
void grow_best_first(struct grower *g, const struct open_node *root);

#endif
