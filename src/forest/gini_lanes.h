/*
 * What the vector kernels of every processor share: they find, many lanes at a time, the cuts that may match
 * the best so far, and leave those few to the exact code here.
 *
 * A cut may match if numerator > best * denominator * GINI_SLACK in single precision, both sides being those
 * of gini_score. The slack is wider than all roundings together (at most six times 2^-24 on the left, four on
 * the right, W <= 65535), so that no cut is lost; what passes for nothing is found out exactly. Cuts with one
 * side empty never pass: both sides of the comparison are 0, or the right one NaN.
 */
#ifndef FOREST_GINI_LANES_H
#define FOREST_GINI_LANES_H

#include "forest/gini.h"

#define GINI_SLACK (1 - 0x1p-20f)

enum { GINI_STEPS = 16 }; /* of a scan: lane l is at bin 16 l + step */

/* A step of a scan: weight on either side and its classes' squares, by lane. */
struct gini_step {
    uint32_t left[16], left_squares[16], right[16], right_squares[16];
};

/* Offers the cuts of the lanes in `mask` (bit l: lane l), none of which leaves a side empty. */
void gini_offer_step(const struct gini_step *at, uint32_t mask, uint32_t step, uint32_t feature,
                     struct best_cut *best);

/* Candidates of a node of few rows, by lane. */
struct gini_few_step {
    uint16_t left[GINI_FEW_LANES], left_squares[GINI_FEW_LANES], right_squares[GINI_FEW_LANES];
};

/* The same for candidates whose thresholds are the codes from `row` on. */
void gini_offer_few(const struct gini_few *node, const struct gini_few_step *at, uint64_t mask, uint32_t row,
                    struct best_cut *best);

/* Repeats each row's codes to fill GINI_FEW_LANES bytes of node->spread, every byte XORed with `flip`. */
void gini_few_spread(const struct gini_few *node, uint8_t flip);

/* Sum of squared class weights. */
uint32_t gini_squares(const uint32_t *totals, uint32_t k);

#endif
