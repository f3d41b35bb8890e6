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
    double weight_scale; /* by which real weights became integers; the rules', or the tree's own */
    uint32_t *row;
    uint32_t *weight;
    uint16_t *class_id; /* classification */
    int64_t *target;    /* regression: weight times target */
};

bool sample_init(struct sample *sample, size_t capacity, bool classify); /* false: out of memory */
void sample_fini(struct sample *sample);

/*
 * Draws tree `tree`'s rows into *sample, and how often each row was drawn into counts[N]. Rows of weight 0
 * are left out; if that leaves none, the first row with a weight stands in. O(N). The draws depend on seed
 * and tree alone. class_scratch: 2 C doubles.
 */
void sample_draw(struct sample *sample, const struct grow_rules *rules, const struct bramble_table *table,
                 uint32_t tree, uint16_t *counts, double *class_scratch);

/* How often tree `tree` draws each row, into counts[N]: the bootstrap alone, whatever the rows weigh. */
void sample_counts(const struct grow_rules *rules, size_t n_rows, uint32_t tree, uint16_t *counts);

#endif
