/*
 * Split search that knows every case: any criterion, weights, missing values, categories, extra-trees. It is
 * also the plain reference the fast searches are tested against.
 *
 * Missing values are tried on either side. Categories are ordered by their mean target, or by their class
 * shares' first principal component, and cut like numbers: exact for regression and two classes (Breiman et
 * al., CART, 1984), a good heuristic for more (Coppersmith, Hong, Hosking, "Partitioning nominal attributes
 * in decision trees", 1999).
 */
#ifndef FOREST_SPLIT_GENERAL_H
#define FOREST_SPLIT_GENERAL_H

#include "forest/split.h"

struct general_scratch;

/* For nodes of up to n_classes classes (0: regression). NULL: out of memory. */
struct general_scratch *general_scratch_new(uint32_t n_classes);
void general_scratch_free(struct general_scratch *scratch);

/*
 * The best split of one node by one feature, into *best (found = false: none is allowed; varies is set all
 * the same). codes: the feature's code of each row. node_key names the node for extra-trees' random
 * threshold. O(n + B k).
 */
void split_search_general(const struct split_rules *rules, const struct node_rows *rows, uint32_t feature,
                          const struct feature_bins *bins, const uint8_t *codes, uint64_t node_key,
                          struct general_scratch *scratch, struct split *best);

#endif
