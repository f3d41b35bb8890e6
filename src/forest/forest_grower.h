/*
 * Growing a forest tree by tree, in any order, anywhere: what forest_fit does on one machine's threads and a
 * cluster on many. First new; then, where trees are grown, prepare and tree; and where all of them have come
 * together, finish.
 */
#ifndef FOREST_FOREST_GROWER_H
#define FOREST_FOREST_GROWER_H

#include "data/bins.h"
#include "forest/forest.h"

struct forest_grower;

/* Checks the options against the table, which is borrowed; for 1..1024 threads. */
bramble_status forest_grower_new(struct forest_grower **out, const struct bramble_table *table,
                                 const bramble_forest_options *options, uint32_t threads,
                                 bramble_error *error);
void forest_grower_free(struct forest_grower *grower); /* NULL is fine */

/* Gets ready to grow: from `binned` (borrowed), or, when it is NULL, from the table, binned here. */
bramble_status forest_grower_prepare(struct forest_grower *grower, const struct binned *binned,
                                     bramble_error *error);

uint32_t forest_grower_n_trees(const struct forest_grower *grower); /* T */

/*
 * Grows tree `number` on `thread` (each thread's calls one after the other) into *tree (tree_fini it) and
 * adds to importances[F] (fixed point, grow.h). go_on as in grow.h; BRAMBLE_ERR_CANCELLED when it said false.
 * With options.oob_score and a table that has columns, the tree also has its say on the rows it did not draw.
 */
bramble_status forest_grower_tree(struct forest_grower *grower, uint32_t thread, uint32_t number,
                                  bool (*go_on)(void *context), void *context, struct tree *tree,
                                  uint64_t *importances, bramble_error *error);

/*
 * Makes a forest of all T trees, here or elsewhere grown, and the sum of their importances. The array of
 * trees is taken over if it succeeds. With options.oob_score (the table must have columns) the trees that
 * were not grown here have their say now, on all threads; go_on (NULL is fine) is asked between them.
 */
bramble_status forest_grower_finish(struct forest_grower *grower, struct tree *trees,
                                    const uint64_t *importances, bool (*go_on)(void *context), void *context,
                                    struct forest **out, bramble_error *error);

#endif
