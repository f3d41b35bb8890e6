/*
 * What a forest is grown by: the caller's options, checked and resolved against the data, and the targets and
 * weights as integers.
 */
#ifndef FOREST_GROW_RULES_H
#define FOREST_GROW_RULES_H

#include <bramble/forest.h>

#include "data/table.h"
#include "forest/split.h"

struct grow_rules {
    struct split_rules split;
    uint32_t n_trees;
    uint32_t n_classes; /* C, 0 for regression */
    uint32_t max_depth; /* UINT32_MAX: no limit */
    uint64_t min_samples_split;
    uint32_t max_features;   /* 1..F */
    uint32_t max_leaf_nodes; /* UINT32_MAX: no limit */
    double min_impurity_decrease;
    bool bootstrap;
    uint64_t n_draws; /* rows drawn a tree, with repeats; N without bootstrap */

    /* Fixed point: a weight w is the integer w * weight_scale, a target y is (y - target_offset) *
     * target_scale; both scales are powers of two. Sums over all rows of a tree stay below 2^32 and 2^62. */
    double weight_scale;
    uint32_t *weights; /* N; NULL: all 1 (and weight_scale is 1) */
    double *balanced;  /* N; class_weight=balanced_subsample: weights that each tree balances and fixes */
    int64_t *entropy_terms; /* what split.entropy_terms points to, or NULL */
    double weight_bound;    /* what a tree's fixed weights can add up to */
    double target_offset, target_scale;
    double target_reach; /* how far targets are from the offset at most */
    int64_t *targets;    /* N, regression only */
};

/* The greatest power of two by which `most` (0: any) can be multiplied and stay at or below 2^bits. */
double fixed_point_scale(double most, int bits);

/* Fills *rules (caller's storage) or describes the option that makes no sense. */
bramble_status grow_rules_init(struct grow_rules *rules, const struct bramble_table *table,
                               const bramble_forest_options *options, bramble_error *error);
void grow_rules_fini(struct grow_rules *rules);

#endif
