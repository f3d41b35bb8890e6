/*
 * A table's features and targets by row: what training on batches gathers from. Takes about as much memory as
 * the table, and no longer needs it.
 */
#ifndef DATA_ROWS_H
#define DATA_ROWS_H

#include "data/encoder.h"

/* A row is the values of its features, one after the other: a float each NUMBER, a byte each other. */
struct rows {
    size_t n_rows;
    uint32_t n_features;
    size_t row_bytes;
    uint8_t *types;       /* F bramble_feature_type */
    const uint8_t *bytes; /* N x row_bytes */
    const void *targets;  /* N uint32_t classes, or N floats, standardised; NULL: none */
    void *owned, *owned_targets;
};

/* Copies. The targets are encoded, the features are not yet. */
bramble_status rows_init(struct rows *out, const struct bramble_table *table, const struct encoder *encoder,
                         bramble_error *error);
void rows_fini(struct rows *rows); /* zeroed ones too */

/* Row r as the encoder says into out[D]. */
struct row_encoder;
bramble_status row_encoder_new(struct row_encoder **out, const struct encoder *encoder,
                               const struct rows *rows, bramble_error *error);
void row_encoder_free(struct row_encoder *coder); /* NULL is fine */
void row_encoder_encode(const struct row_encoder *coder, size_t row, float *out);

#endif
