/*
 * A trained forest: T trees and what was learned beside them.
 */
#ifndef FOREST_FOREST_H
#define FOREST_FOREST_H

#include <stddef.h>

#include <bramble/forest.h>

#include "data/table.h"
#include "forest/tree.h"

struct forest {
    bramble_task task;
    uint32_t n_features; /* F */
    uint32_t n_classes;  /* C, 0 for regression */
    uint32_t n_trees;    /* T */
    struct tree *trees;
    double *importances; /* F, summing to 1, or all 0 */
    double oob_score;    /* NaN when not asked for */
};

void forest_free(struct forest *forest); /* NULL is fine */

/* Grows a forest; *out is the caller's to free. The options are checked here, against the table. */
bramble_status forest_fit(struct forest **out, const struct bramble_table *table,
                          const bramble_forest_options *options, bramble_forest_stats *stats,
                          bramble_error *error);

/*
 * Leaf values averaged over the trees. x: N x F row-major, NaN for missing.
 * out: N x C class shares (classification) or N values (regression), row-major float.
 * The sums are single precision, of leaf value times (float)(1.0 / T) rounded once, in tree order, exactly as
 * ONNX Runtime adds the weights in our files. O(N T depth).
 */
void forest_predict_rows(const struct forest *forest, const float *x, size_t n_rows, uint32_t threads,
                         float *out);

/* The weight a leaf share or value gets in sums and files: share / T in double, rounded to float once. */
static inline float forest_leaf_weight(const struct forest *forest, float share)
{
    return (float)((double)share / forest->n_trees);
}

/* Hash of the trees alone (XXH3-128 over their canonical form), 32 hexadecimal digits and a terminator. */
void forest_hash(const struct forest *forest, char hash[33]);

#endif
