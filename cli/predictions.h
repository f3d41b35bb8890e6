/* Predictions as files: CSV with a header, or NPY. */
#ifndef CLI_PREDICTIONS_H
#define CLI_PREDICTIONS_H

#include <bramble/bramble.h>

#include "base/str.h"

struct predictions {
    const bramble_schema *schema;
    size_t n_rows;      /* N */
    uint32_t n_classes; /* C, 0 for regression */
    double *values;     /* N class numbers or values; NULL when shares are there */
    float *shares;      /* N x C probabilities, or NULL */
};

/* A file format: bytes before the rows, and rows begin..end-1; both are appended to *out. */
struct prediction_format {
    const char *ending; /* ".csv" */
    void (*head)(const struct predictions *predictions, struct str *out);
    void (*rows)(const struct predictions *predictions, size_t begin, size_t end, struct str *out);
};

/* Header: "prediction", or the names of the classes. Numbers have nine digits, which give a float back. */
extern const struct prediction_format prediction_csv;

/* Version 1.0, little endian, C order: int64 [N] when every class is a whole number, else unicode [N];
 * float32 [N, C] of probabilities; float32 [N] of values. */
extern const struct prediction_format prediction_npy;

#endif
