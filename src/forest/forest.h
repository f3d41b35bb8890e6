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
 * Single precision: leaf values (a pure leaf's is 1) are added up in tree order, starting from 0, and the sum
 * is divided once by (float)T. ONNX Runtime does the same with our files; sums of pure leaves are exact, so
 * that ties are ties there too. Best given a few hundred rows at a time; many in all are quicker by
 * quantised.h. O(N T depth).
 */
void forest_predict_rows(const struct forest *forest, const float *x, size_t n_rows, float *out);

/* Hash of the trees alone (XXH3-128 over their canonical form), 32 hexadecimal digits and a terminator. */
void forest_hash(const struct forest *forest, char hash[33]);

#endif
