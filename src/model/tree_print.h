/* A tree for people to look at. */
#ifndef MODEL_TREE_PRINT_H
#define MODEL_TREE_PRINT_H

#include "model/model.h"

/*
 * Tree number t (below n_trees) as indented text or as Graphviz. "yes" is the left child. Long lists of
 * categories and classes are cut short. *out is the caller's (mem_free). O(nodes).
 */
bramble_status tree_print(char **out, const struct bramble_model *model, uint32_t t,
                          bramble_tree_format format, bramble_error *error);

#endif
