/*
 * The best split of one node: which feature, and which codes go left.
 *
 * A split is scored by what it leaves to the children, always larger is better:
 *   gini            sum_c L_c^2 / n_L + sum_c R_c^2 / n_R
 *   entropy         sum_c L_c log2 L_c - n_L log2 n_L + the same of R        (fixed point, 2^-20)
 *   squared error   S_L^2 / n_L + S_R^2 / n_R, S being sums of targets less the node's mean
 * Weights, counts and sums are integers (fixed point), so it does not matter in which order they were added;
 * a score is a fixed handful of IEEE operations on them. Two features that tie go by the order they were
 * drawn in, two thresholds by the lower one. Kernels differ in speed only: any of them may search any node.
 */
#ifndef FOREST_SPLIT_H
#define FOREST_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/forest.h>

#include "data/bins.h"
#include "forest/best_cut.h"

enum { ENTROPY_TERMS = 1 << 16 };

/* A node's rows, gathered: what every search reads. n rows, W their weight. */
struct node_rows {
    size_t n;
    uint64_t weight;         /* W */
    const uint32_t *weights; /* n */
    /* classification: classes present in the node are renumbered 0..k-1, in ascending order */
    uint32_t k;
    const uint16_t *classes; /* n local class numbers */
    const uint32_t *totals;  /* k: weight of each class */
    /* regression: */
    const int64_t *targets; /* n: weight times target, fixed point */
    int64_t target_sum;
};

/* The best split found so far in a node, or of one feature. */
struct split {
    bool found;
    bool varies; /* the feature has two codes or more here, whether or not a cut is allowed */
    double score;
    uint32_t feature;
    bool missing_left;
    uint8_t bin; /* numeric: codes up to this one go left ... */
    uint8_t
        next_bin; /* ... and this is the least code present on the right (bin itself when only missing is) */
    float threshold; /* extra-trees: the threshold drawn, else NaN: to be put midway between the two bins */
    uint32_t set[8]; /* categorical: bit set: that category goes left */
};

/* How splits are searched for: the same for all nodes of a forest. */
struct split_rules {
    bramble_criterion criterion;
    bool random; /* extra-trees: one random candidate a feature */
    uint64_t min_samples_leaf;
    uint64_t seed;
    const int64_t *entropy_terms; /* entropy_term of 0..ENTROPY_TERMS - 1, for speed; or NULL */
};

static inline double gini_score_double(uint64_t left_squares, uint64_t left, uint64_t right_squares,
                                       uint64_t right)
{
    return ((double)left_squares * (double)right + (double)right_squares * (double)left) /
           ((double)left * (double)right);
}

/* Up to SMALL_WEIGHT in single precision: the operands are then exact (255^3 < 2^24). */
static inline double gini_score(uint64_t left_squares, uint64_t left, uint64_t right_squares, uint64_t right)
{
    if (left + right > SMALL_WEIGHT) return gini_score_double(left_squares, left, right_squares, right);
    return (float)(uint32_t)(left_squares * right + right_squares * left) / (float)(uint32_t)(left * right);
}

/* x log2 x in units of 2^-20, from IEEE operations alone (the C library's log differs between processors). */
int64_t entropy_term(uint64_t x);

static inline int64_t entropy_lookup(const struct split_rules *rules, uint64_t x)
{
    return rules->entropy_terms && x < ENTROPY_TERMS ? rules->entropy_terms[x] : entropy_term(x);
}

/* The node's own score, by the same formula: a split's gain is its score less this. */
double node_score(const struct node_rows *rows, bramble_criterion criterion);

/* Extra-trees: the threshold that a node draws for a feature whose values there span least..most. */
double split_draw_threshold(const struct split_rules *rules, uint64_t node_key, uint32_t feature,
                            double least, double most);

/* That threshold as a model keeps it: at or above all that goes left, below all that goes right. */
static inline float split_clamp_threshold(double drawn, float left_most, float right_least)
{
    float t = (float)drawn;
    return t < left_most || t >= right_least ? left_most : t;
}

#endif
