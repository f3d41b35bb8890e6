/*
 * Growing a forest tree by tree, in any order, anywhere: what forest_fit does on one machine's threads and a
 * cluster on many.
 */
#ifndef FOREST_FOREST_GROWER_H
#define FOREST_FOREST_GROWER_H

#include "data/bins.h"
#include "forest/forest.h"

struct forest_grower;

/* Checks the options against the table and prepares `threads` threads. Borrows table and binned. */
bramble_status forest_grower_new(struct forest_grower **out, const struct bramble_table *table,
                                 const struct binned *binned, const bramble_forest_options *options,
                                 uint32_t threads, bramble_error *error);
void forest_grower_free(struct forest_grower *grower); /* NULL is fine */

/* Grows tree `number` on `thread` (each thread's calls one after the other) into *tree (tree_fini it) and
 * adds to importances[F] (fixed point, grow.h). go_on as in grow.h. BRAMBLE_ERR_CANCELLED when it said false.
 */
bramble_status forest_grower_tree(struct forest_grower *grower, uint32_t thread, uint32_t number,
                                  bool (*go_on)(void *context), void *context, struct tree *tree,
                                  uint64_t *importances, bramble_error *error);

/* Makes a forest of all T trees (taken over) and the sum of their importances. With options.oob_score, scores
 * the rows by the trees that did not draw them: needs the table's columns. */
bramble_status forest_grower_finish(struct forest_grower *grower, struct tree *trees,
                                    const uint64_t *importances, struct forest **out, bramble_error *error);

#endif
