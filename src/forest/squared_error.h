/*
 * The fast split search for regression: numeric features without missing values, any weights. The same two
 * ways as in gini.h: one feature's sums by bin for many rows, every row against every threshold for few.
 */
#ifndef FOREST_SQUARED_ERROR_H
#define FOREST_SQUARED_ERROR_H

#include <stdbool.h>

#include "base/cpu.h"
#include "forest/best_cut.h"

enum {
    SQUARED_FEW_LANES = 64, /* candidates that the few-rows search holds at once */
    SQUARED_FEW_ROWS = 64,  /* most rows it takes; their weight is at most 255 */
};

/* One feature's sums by bin, at squared_cell: 8 lanes each own 32 neighbouring bins. All 0 between searches.
 */
struct squared_cells {
    int64_t sum[MAX_BINS]; /* of targets less the node's mean */
    uint32_t weight[MAX_BINS];
};

static inline uint8_t squared_cell(uint8_t bin)
{
    return (uint8_t)(bin << 3 | bin >> 5);
}

static inline double squared_score(int64_t left_sum, uint64_t left, int64_t right_sum, uint64_t right)
{
    return (double)left_sum * (double)left_sum / (double)left +
           (double)right_sum * (double)right_sum / (double)right;
}

/* A cut may match the best if this holds, but for rounding; it saves two divisions a cut. */
static inline bool squared_promising(double left_sum, double left, double right_sum, double right,
                                     double best)
{
    return left_sum * left_sum * right + right_sum * right_sum * left >=
           best * (1 - 0x1p-46) * (left * right);
}

/* A node of few rows, for all features at once. */
struct squared_few {
    uint32_t n, weight;     /* rows; W <= 255 */
    uint32_t n_features;    /* 1..SQUARED_FEW_LANES */
    uint32_t first_feature; /* in the order drawn */
    int64_t sum;            /* of targets */
    const int64_t *targets; /* n, weight times (target less the node's mean) */
    const uint8_t *weights; /* n */
    const uint8_t *codes;   /* n x n_features, padded by SQUARED_FEW_LANES bytes */
};

struct squared_kernels {
    uint32_t few_rows; /* nodes up to this many rows are searched by `few` */
    /* Offers one feature's cuts to *best and clears the cells. sum, weight: of the whole node. */
    void (*scan)(struct squared_cells *cells, int64_t sum, uint32_t weight, uint32_t feature,
                 struct best_cut *best);
    void (*few)(const struct squared_few *node, struct best_cut *best);
};

const struct squared_kernels *squared_kernels_get(enum cpu_level level);

void squared_scan_plain(struct squared_cells *cells, int64_t sum, uint32_t weight, uint32_t feature,
                        struct best_cut *best);
/* Sorts each feature's rows by code: for processors whose vectors are too short for n^2. */
void squared_few_plain(const struct squared_few *node, struct best_cut *best);

extern const struct squared_kernels squared_kernels_avx512;

#endif
