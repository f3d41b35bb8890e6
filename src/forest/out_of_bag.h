/*
 * The out-of-bag score: each row judged by the trees that did not draw it (Breiman 1996). Sums are integers
 * in fixed point, so that trees may report in any order and from any thread.
 */
#ifndef FOREST_OUT_OF_BAG_H
#define FOREST_OUT_OF_BAG_H

#include "forest/grow_rules.h"
#include "forest/tree.h"

struct out_of_bag;

/* Memory: 8 N max(C, 1) + 4 N bytes. NULL: out of memory. Borrows both. */
struct out_of_bag *out_of_bag_new(const struct grow_rules *rules, const struct bramble_table *table);
void out_of_bag_free(struct out_of_bag *oob);

/* Adds a tree's say on the rows with counts[row] = 0. May be called from several threads at once. */
void out_of_bag_add(struct out_of_bag *oob, const struct tree *tree, const uint16_t *counts);

/* Accuracy or R2 over the rows that some tree did not draw, each counting once as in scikit-learn; NaN when
 * there are none. */
double out_of_bag_score(const struct out_of_bag *oob);

#endif
