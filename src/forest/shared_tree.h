/*
 * A tree that several processes grow together, each holding the codes of some features (a shard) and all of
 * the rows' targets and weights. All know the same nodes and rows; who holds the best feature of a node parts
 * its rows and tells the others which go left.
 *
 * One step looks at all nodes of a level, or, in best-first growth, at the children of one node:
 *   shared_tree_look      closes leaves; the others are asking, each with an offer from the features held
 *   ...                   offers are compared (offer_compare); where no feature drawn varied for anybody,
 *                         shared_tree_look_further and compare again
 *   shared_tree_settle    at the winner of a node; its question and its rows' sides go to everybody
 *   shared_tree_take      everywhere, for each node asking
 *   shared_tree_advance   on to the next step, or the tree is done
 */
#ifndef FOREST_SHARED_TREE_H
#define FOREST_SHARED_TREE_H

#include "forest/grow_node.h"

struct asking_node {
    struct open_node node;
    struct offer offer; /* ours, until the best of all is put there */
    uint32_t winner;    /* whose offer that is */
    bool undecided;     /* nothing drawn varied for anybody: to be looked at further */
};

struct shared_tree {
    struct grower *grower;
    uint32_t number;
    uint32_t n_leaves;
    struct open_node *frontier; /* to be looked at in the next step */
    size_t n_frontier, frontier_capacity;
    struct asking_node *asking; /* this step's */
    size_t n_asking, asking_capacity;
};

/* False: out of memory. Free it in either case. */
bool shared_tree_init(struct shared_tree *tree, const struct grow_job *job);
void shared_tree_fini(struct shared_tree *tree);

void shared_tree_begin(struct shared_tree *tree, uint32_t number);
bool shared_tree_look(struct shared_tree *tree); /* false: out of memory, or told to give up */
void shared_tree_look_further(struct shared_tree *tree);

/* Whether offer a, of a member of lower rank, stays ahead of b. */
bool offer_stays(const struct offer *a, const struct offer *b, bool further);

/* Finds the question behind our own offer and parts the rows. sides: a bit a row, in order, 1 for left;
 * (n + 7) / 8 bytes. False: the offer was not ours. */
bool shared_tree_settle(struct shared_tree *tree, struct asking_node *asking, struct question *question,
                        uint8_t *sides);

/* Gives a node its question; parts its rows by `sides`, or, when NULL, they were parted by settle. */
void shared_tree_take(struct shared_tree *tree, struct asking_node *asking, const struct question *question,
                      const uint8_t *sides);

/* False: out of memory. No frontier left: the tree is done. */
bool shared_tree_advance(struct shared_tree *tree);
/* False: out of memory, now or before. */
bool shared_tree_finish(struct shared_tree *tree, struct tree *out, uint64_t *importances);

#endif
