/*
 * Dense arrays of numbers, as IDX and NPY files store them, poured into the columns of a raw table.
 *
 * The source streams: values are decoded and turned from rows into columns a chunk at a time. What a header
 * promises is not believed: room grows with the values that really arrive, and both too few and too many
 * bytes are errors. Columns of features hold bytes for as long as all their values are whole numbers 0..255,
 * else float32; targets and weights hold bytes or doubles.
 */
#ifndef DATA_DENSE_H
#define DATA_DENSE_H

#include "data/byte_source.h"
#include "data/dense_type.h"
#include "data/reader.h"

enum { DENSE_RANK_MAX = 32, DENSE_CHANNELS_MAX = 4 };

/* N rows of F values; F is the product of all dimensions but the first (1 when there is one only). */
struct dense_array {
    struct dense_type type;
    uint32_t rank;
    uint64_t shape[DENSE_RANK_MAX];
    bool fortran; /* the first dimension varies fastest */
    size_t n_rows, n_columns;
};

/*
 * Works out N and F from the shape. Refuses empty arrays, sizes that overflow, more columns than a table can
 * have, and what does not agree with the size of the file. Call it after the header, before making room.
 */
bramble_status dense_measure(struct dense_array *array, const struct byte_source *source,
                             bramble_error *error);

/* Fills the N values of columns first..first+F-1 of a resolved table and sees the source's true end. O(N F).
 */
bramble_status dense_read(const struct dense_array *array, struct byte_source *source, struct raw_table *raw,
                          uint32_t first, bramble_error *error);

/* Height and width where a row is an image: N x height x width, or that with 1 to 4 channels behind it; else
 * shape stays as it is. */
void dense_image_shape(const struct dense_array *array, uint32_t shape[2]);

#endif
