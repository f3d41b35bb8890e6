/* The order in which categories are cut like numbers. */
#ifndef FOREST_CATEGORY_ORDER_H
#define FOREST_CATEGORY_ORDER_H

#include "forest/split.h"
#include "forest/split_general_scratch.h"

/*
 * Sorts the m present categories in `order`: by mean target, or by the projection of their class shares on
 * those shares' first principal component (fixed number of power iterations); ties by number. O(m k + m^2).
 */
void category_order(const struct node_rows *rows, struct general_scratch *scratch, uint8_t *order,
                    uint32_t m);

#endif
