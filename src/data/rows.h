/*
 * A table's features and targets by row: what training on batches gathers from. Takes about as much room as
 * the table, in memory or in a file (data/spill.h), and no longer needs it.
 */
#ifndef DATA_ROWS_H
#define DATA_ROWS_H

#include "data/encoder.h"
#include "data/spill.h"

/* A row is the values of its features, one after the other: a float each NUMBER, a byte each other. */
struct rows {
    size_t n_rows;
    uint32_t n_features;
    size_t row_bytes;
    uint8_t *types;       /* F bramble_feature_type */
    const uint8_t *bytes; /* N x row_bytes */
    const void *targets;  /* N uint32_t classes, or N floats, standardised; NULL: none */
    const float *weights; /* N, the table's divided by the greatest of all its rows'; NULL: all 1 */
    struct spill *spill;  /* holds all of them: they may be in a file */
    bool mapped;          /* they lie in a file (data/rows_file.h) that memory may not hold */
    void *owned, *owned_targets, *owned_weights;
};

/* Copies. The targets are encoded, the features are not yet. */
bramble_status rows_init(struct rows *out, const struct bramble_table *table, const struct encoder *encoder,
                         bramble_error *error);
/* The same of these n rows of the table, in this order: quickest where their numbers rise. */
bramble_status rows_init_listed(struct rows *out, const struct bramble_table *table,
                                const struct encoder *encoder, const uint32_t *numbers, size_t n,
                                bramble_error *error);
void rows_fini(struct rows *rows); /* zeroed ones too */

/* Rows first..first + n - 1: borrowed, not to be ended by rows_fini. */
struct rows rows_part(const struct rows *rows, size_t first, size_t n);

size_t rows_file_bytes(const struct rows *rows); /* of them in a file */

/* These n rows will be read soon: where they are in a file, they are brought into memory meanwhile. */
void rows_want(const struct rows *rows, const uint32_t *numbers, size_t n);

/* Row r as the encoder says into out[D]. */
struct row_encoder;
bramble_status row_encoder_new(struct row_encoder **out, const struct encoder *encoder,
                               const struct rows *rows, bramble_error *error);
void row_encoder_free(struct row_encoder *coder); /* NULL is fine */
void row_encoder_encode(const struct row_encoder *coder, size_t row, float *out);

#endif
