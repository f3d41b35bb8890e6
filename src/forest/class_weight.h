/* Weights a class, as scikit-learn's class_weight gives them. */
#ifndef FOREST_CLASS_WEIGHT_H
#define FOREST_CLASS_WEIGHT_H

#include "data/table.h"

/*
 * option: NULL, "balanced" (N / (C * rows of the class)), "balanced_subsample" (the same a tree, on its own
 * sample), or "LABEL=WEIGHT,...", classes not named weighing 1. *weights becomes N weights a row, the table's
 * own included (the caller's to mem_free), or stays NULL when nothing changes. *each_tree:
 * balanced_subsample.
 */
bramble_status class_weight_apply(double **weights, bool *each_tree, const struct bramble_table *table,
                                  const char *option, bramble_error *error);

/* "balanced": what a row of each class weighs when there are rows[c] of class c. */
void class_weight_balance(const double *rows, uint32_t n_classes, double *weight);

#endif
