/* Rows that networks learn in the API's tests. */
#ifndef TESTS_API_SIGN_ROWS_H
#define TESTS_API_SIGN_ROWS_H

#include <bramble/bramble.h>
#include <math.h>

#include "scratch.h"

enum { ROWS = 256, FEATURES = 3 };

/* Class 1 where the first two numbers have the same sign; the third is noise. */
struct rows {
    float x[ROWS * FEATURES];
    double y[ROWS];
};

static inline void fill(struct rows *rows, uint32_t seed)
{
    for (unsigned i = 0; i < ROWS; i++) {
        float *x = rows->x + i * FEATURES;
        for (unsigned j = 0; j < FEATURES; j++) {
            seed = seed * 1664525u + 1013904223u;
            x[j] = (float)(seed >> 8) / (1 << 23) - 1;
        }
        rows->y[i] = (x[0] > 0) == (x[1] > 0);
    }
}

static inline bramble_table *table_of(const struct rows *rows, bramble_task task)
{
    bramble_table *table;
    assert_int_equal(bramble_table_from_arrays(&table, ROWS, FEATURES, rows->x, rows->y, NULL, task, NULL),
                     BRAMBLE_OK);
    return table;
}

static inline double accuracy(const bramble_model *model, const struct rows *rows)
{
    double predictions[ROWS];
    assert_int_equal(bramble_model_predict_rows(model, rows->x, ROWS, 2, predictions, NULL), BRAMBLE_OK);
    unsigned right = 0;
    for (unsigned i = 0; i < ROWS; i++) right += predictions[i] == rows->y[i];
    return (double)right / ROWS;
}

#endif
