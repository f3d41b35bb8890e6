/*
 * A forest made ready to predict many rows: nodes of half the size that compare 16-bit codes instead of
 * floats, so that twice as much of the trees and of the rows is at hand.
 *
 * A feature's codes are its values on a straight scale from its least threshold to its greatest, rounded
 * down. Rounding keeps order: where the codes of a value and a threshold differ, value and threshold stand in
 * that order. Where they are equal, and where a value has no place on the scale (missing, category), the tree
 * itself is asked. So every row reaches the leaf that tree_child leads to, whatever the thresholds.
 */
#ifndef FOREST_QUANTISED_H
#define FOREST_QUANTISED_H

#include "forest/forest.h"

enum { QUANTISED_NONE = 0 }; /* the code of a value that has no place on its feature's scale */

struct quantised_node {
    uint32_t right; /* as in the tree; below 2 in a leaf, 1 if it is pure */
    union {
        struct {
            uint16_t feature, code;
        };
        uint32_t leaf; /* the tree's class_id, values or (its bits) value: looking there would miss caches */
    };
};

struct quantised_scale {
    float low, codes_per_unit; /* low is NaN where there is no scale: all values are NONE */
};

struct quantised {
    const struct forest *forest;    /* borrowed */
    struct quantised_scale *scales; /* F */
    struct quantised_node *nodes;   /* of all trees, each in the order of its tree.nodes */
};

/* Whether predicting n rows that way is quicker, preparation included; never for more features than a node
 * can name. O(T). */
bool quantised_pays(const struct forest *forest, size_t n_rows);

/* The caller's to free; the forest must outlive it and be one that can pay. NULL: out of memory. O(nodes). */
struct quantised *quantised_new(const struct forest *forest);
void quantised_free(struct quantised *quantised); /* NULL is fine */

/* x: N x F floats to N x F codes. */
void quantised_rows(const struct quantised *quantised, const float *x, size_t n_rows, uint16_t *codes);

/* What forest_predict_rows does, bit for bit. codes: room for N x F. */
void quantised_predict_rows(const struct quantised *quantised, const float *x, size_t n_rows, uint16_t *codes,
                            float *out);

#endif
