/*
 * The life of a node while its tree grows: looked at (its best split found, its rows parted), then split into
 * two children or closed as a leaf. In which order nodes live is up to grow.c and grow_best_first.c.
 */
#ifndef FOREST_GROW_NODE_H
#define FOREST_GROW_NODE_H

#include "forest/grow.h"
#include "forest/growing_tree.h"
#include "forest/node_search.h"

struct grower {
    const struct grow_job *job;
    struct sample rows[2]; /* nodes at even depths have their rows in the first: children's are put across */
    uint16_t *counts;      /* N: how often the tree drew each row */
    double *class_scratch; /* 2 C */
    struct node_search *search;
    uint8_t *block; /* block_rows x F: rows of the subtree that is being grown */
    size_t block_rows;
    struct growing_tree tree;
    double root_weight;
    size_t rows_looked_at;   /* since job->go_on was asked */
    struct open_node *stack; /* nodes to grow, for grow_depth_first; a heap for grow_best_first */
    size_t n_open, stack_capacity;
};

/* Which child of its parent a node is: with the parent's key, that names its random numbers. */
enum node_side { NODE_LEFT, NODE_RIGHT, NODE_ROOT };

/* A node with rows begin..end - 1 of its depth's sample. */
struct open_node {
    size_t begin, end;
    size_t middle;       /* once looked at: where its right child begins */
    uint64_t parent_key; /* the root's: the tree's number */
    uint64_t key;        /* hangs on the path from the root alone; known when it splits */
    double gain;         /* what its split takes off impurity times weight */
    uint32_t depth;
    uint32_t index; /* in the tree; until it has one, its parent's */
    enum node_side side;
    bool in_block; /* its rows are numbered by their place in the grower's block */
    bool splits;   /* once looked at; or it must be a leaf */
};

/* What a node asks, and what comes of it. */
struct question {
    enum tree_node_kind kind;
    uint32_t feature;
    bool missing_left;
    float threshold; /* TREE_NUMERIC */
    uint32_t set[8]; /* TREE_CATEGORY */
    double gain;
    size_t n_left;
};

/* Draws a tree's rows; the root is still to be looked at. */
struct open_node grower_begin(struct grower *g, uint32_t tree);
/* The tree, whose nodes must be in preorder, and its importances, as grow_tree gives them. */
bool grower_finish(struct grower *g, struct tree *out, uint64_t *importances);

bool grower_push(struct grower *g, const struct open_node *node); /* false: out of memory */

/* The same with the grower's stack as a heap, for best-first growth: the node whose split gains most comes
 * out first, the older one on a tie. */
void grower_push_best(struct grower *g, const struct open_node *node);
struct open_node grower_pop_best(struct grower *g);

/* Copies the node's rows into the block; for a subtree that will be grown whole before any other. */
void grow_node_enter_block(struct grower *g, struct open_node *node);

/* Gives the node a place in the tree, finds its best split, and parts its rows by it. What it asks goes into
 * the tree at once. */
void grow_node_look(struct grower *g, struct open_node *node);

/*
 * The same in pieces, for nodes that several processes look at together, each holding some of the features
 * (node_search.h). open: gives the node a place and gathers its rows; false: it must be a leaf. offer: what
 * is held here has to say, of the node that was just opened, or once more of any (`further`). settle: who
 * made the winning offer finds its question again and parts the node's rows; false: there was none. take:
 * everybody gives the node its question, which may not gain enough to split. The rows of those who did not
 * settle are still to be parted: left ones from the front of the other sample, right ones from the back.
 */
bool grow_node_open(struct grower *g, struct open_node *node);
struct offer grow_node_offer(struct grower *g, const struct open_node *node, bool further);
bool grow_node_settle(struct grower *g, const struct open_node *node, uint32_t drawn,
                      struct question *question);
void grow_node_take(struct grower *g, struct open_node *node, const struct question *question);

/* Ends the node as a leaf. Its rows must be the ones looked at last, or `again` gathers them once more. */
void grow_node_close(struct grower *g, const struct open_node *node, bool again);

/* The children of a node that splits; they are not looked at yet. */
void grow_node_split(struct grower *g, const struct open_node *node, struct open_node *left,
                     struct open_node *right);

/* Grows the tree from a root that has not been looked at, until max_leaf_nodes; nodes end up in preorder. */
void grow_best_first(struct grower *g, const struct open_node *root);

#endif
