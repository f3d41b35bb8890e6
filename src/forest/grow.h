/*
 * Growing one tree.
 *
 * Depth first and left first, so that nodes are made in preorder. A node's random numbers hang on its key,
 * the key on the path from the root, so the order of growing does not matter. Near the root a node sweeps
 * single features; once a subtree's rows fit a processor's cache, they are copied there whole and the subtree
 * is grown from the copy.
 */
#ifndef FOREST_GROW_H
#define FOREST_GROW_H

#include "forest/codes.h"
#include "forest/gini.h"
#include "forest/grow_rules.h"
#include "forest/tree.h"

/* What all trees of a forest share, read only. */
struct grow_job {
    const struct grow_rules *rules;
    const struct bramble_table *table;
    const struct codes *codes;
    const struct gini_kernels *kernels;
    bool (*go_on)(void *context); /* asked now and then while a tree grows; false: give up */
    void *context;
};

/* One thread's scratch memory. */
struct grower;

struct grower *grower_new(const struct grow_job *job); /* NULL: out of memory */
void grower_free(struct grower *grower);

/* Shares in fixed point: their sums do not depend on the order of adding. */
enum { IMPORTANCE_BITS = 38 };

/*
 * Grows tree number `tree` into *out (caller's storage; tree_fini it) and adds the impurity decrease of each
 * feature, as shares of the tree's sum in units of 2^-IMPORTANCE_BITS, to importances[F]. False: out of
 * memory, or told to give up; *out untouched.
 */
bool grow_tree(struct grower *grower, uint32_t tree, struct tree *out, uint64_t *importances);

/* How often the tree grown last drew each row, N counts; borrowed. */
const uint16_t *grower_counts(const struct grower *grower);

#endif
