/*
 * The fast split search: gini, numeric features without missing values, bootstrap counts as the only weights.
 * That is the default forest, and the whole of its time. Two ways, chosen by the size of the node:
 *
 * Histogram (many rows). One feature at a time: class weights by bin, class-major, each class a row of 256
 * cells. A bin's cell has the bin's two nibbles swapped, so that 16 lanes each own 16 neighbouring bins: one
 * add a step moves all 16 prefix sums on, and no lane waits for another.
 *
 * Few rows. All features at once: a lane is a feature (and one of several candidate thresholds, where fewer
 * features leave lanes free), and every threshold is compared with every row: n^2 byte comparisons, 16 to 64
 * to an instruction, beat sorting or counting up to a hundred rows and more.
 *
 * Both divide only where a quick test says that a candidate can match the best score of the node so far.
 */
#ifndef FOREST_GINI_H
#define FOREST_GINI_H

#include <stdint.h>

#include "base/cpu.h"
#include "forest/best_cut.h"

enum {
    GINI_FEW_LANES = 64, /* bytes of a row of lanes */
    GINI_FEW_ROWS = 255, /* most rows of the second way; their weight is at most SMALL_WEIGHT */
};

/* A cell's place in its class's row. */
static inline uint8_t gini_cell(uint8_t bin)
{
    return (uint8_t)(bin << 4 | bin >> 4);
}

/* A node of few rows, for all features at once. Rows are sorted by class. */
struct gini_few {
    uint32_t n, k;          /* rows, classes */
    uint32_t weight;        /* W <= 255 */
    uint32_t lanes_per_row; /* up to 64, at least n_features: lanes from one row's codes to the next */
    uint32_t n_features, first_feature; /* lane l is feature first_feature + l in the order drawn */
    const uint32_t *class_begin; /* k + 1: rows class_begin[c]..class_begin[c + 1] - 1 are of class c */
    const uint32_t *totals;      /* k: weight of each class */
    const uint8_t *weights;      /* n */
    /* n x lanes_per_row; 0 in lanes without a feature and in GINI_FEW_LANES bytes after the last row, so that
     * every lane of a vector is a cut of its feature, or none */
    const uint8_t *codes;
    uint8_t *spread; /* room for (n + 1) x GINI_FEW_LANES, 64-byte aligned: each row repeated */
};

struct gini_kernels {
    enum cpu_level level;
    uint32_t few_rows; /* nodes up to this many rows go the second way; 0: never */
    /*
     * Offers one feature's cuts to *best and clears the cells. cells: k x 256 weights; totals: k.
     * weight: W < 65536, so that squares fit 32 bits.
     */
    void (*scan)(uint32_t *cells, uint32_t k, const uint32_t *totals, uint32_t weight, uint32_t feature,
                 struct best_cut *best);
    void (*few)(const struct gini_few *node, struct best_cut *best);
};

/* The kernels of a level that this processor has. */
const struct gini_kernels *gini_kernels_get(enum cpu_level level);

/* The scan for any weight below 2^32 and any processor: the reference the fast ones are compared with. */
void gini_scan_plain(uint32_t *cells, uint32_t k, const uint32_t *totals, uint32_t weight, uint32_t feature,
                     struct best_cut *best);
void gini_few_plain(const struct gini_few *node, struct best_cut *best);

/* Only where the processor they are named after can be met. */
extern const struct gini_kernels gini_kernels_avx512, gini_kernels_avx2, gini_kernels_neon;

#endif
