/* Prediction in blocks of rows, from a table's columns or from a matrix. */
#ifndef API_PREDICTION_H
#define API_PREDICTION_H

#include "data/table.h"
#include "model/model.h"

/* Where rows come from: `table` from row `first` on, or x, N x F row-major. */
struct prediction_rows {
    const struct bramble_table *table; /* NULL: x */
    const float *x;
    size_t first, n_rows;
};

/*
 * Any of the outputs may be NULL. classes: N class numbers, the first of the most probable. proba: N x C.
 * values: N values (regression) or class numbers. threads: 0 for all processors.
 */
struct prediction_outputs {
    uint32_t *classes;
    float *proba;
    double *values;
};

bramble_status prediction_run(const struct bramble_model *model, const struct prediction_rows *rows,
                              uint32_t threads, const struct prediction_outputs *out, bramble_error *error);

/* Whether a table's features are those the model was trained on; says what differs. */
bramble_status prediction_check_table(const struct bramble_model *model, const struct bramble_table *table,
                                      bramble_error *error);

#endif
