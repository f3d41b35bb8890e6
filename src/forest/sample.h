/* The rows one tree learns from. */
#ifndef FOREST_SAMPLE_H
#define FOREST_SAMPLE_H

#include "forest/grow_rules.h"

/*
 * Parallel arrays over the m different rows drawn, in ascending order of rows; growing a tree partitions them
 * in place. Repeats of a row are a weight, not copies: a bootstrap of N has 0.63 N different rows.
 */
struct sample {
    size_t n, capacity;
    uint32_t *row;
    uint32_t *weight;
    uint16_t *class_id; /* classification */
    int64_t *target;    /* regression: weight times target */
};

bool sample_init(struct sample *sample, size_t capacity, bool classify); /* false: out of memory */
void sample_fini(struct sample *sample);

/*
 * Draws tree `tree`'s rows into *sample. counts: scratch of N. Rows of weight 0 are left out; when no other
 * was drawn, one that has a weight is the sample. O(N). The draws depend on seed and tree alone.
 */
void sample_draw(struct sample *sample, const struct grow_rules *rules, const struct bramble_table *table,
                 uint32_t tree, uint16_t *counts);

/* How often tree `tree` draws each row, into counts[N]; the same draws again, for out-of-bag scores. */
void sample_counts(const struct grow_rules *rules, size_t n_rows, uint32_t tree, uint16_t *counts);

#endif
