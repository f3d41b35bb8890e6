/* The general split search's histogram of one feature, shared with category_order.c. All zero between
 * searches. */
#ifndef FOREST_SPLIT_GENERAL_SCRATCH_H
#define FOREST_SPLIT_GENERAL_SCRATCH_H

#include <stdint.h>

/* A bin's cells: its rows, their weight, then the weight of each class or the sum of targets. */
enum { CELL_ROWS = 0, CELL_WEIGHT = 1, CELL_CLASSES = 2, CELL_SUM = 2 };

struct general_scratch {
    uint32_t width;        /* cells a bin */
    int64_t *cells;        /* 256 bins */
    int64_t *side_classes; /* 2 x k */
    double *shares;        /* 3 x k, for category_order */
    uint64_t present[4];   /* bins with rows, a bit each */
};

#endif
