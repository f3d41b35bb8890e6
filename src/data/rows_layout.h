/* Where things lie in a file of rows, and what its numbers have to be; rows_file.h says what it is for. */
#ifndef DATA_ROWS_LAYOUT_H
#define DATA_ROWS_LAYOUT_H

#include "data/rows.h"

#define ROWS_MAGIC "BRROWS01"

/* The file's first bytes, from which the places of all else follow. */
struct rows_head {
    char magic[8];
    uint64_t n_rows, n_validation;
    uint64_t row_bytes;
    uint64_t encoder_bytes;
    uint32_t n_features;
    uint32_t task;        /* a bramble_task */
    uint32_t n_classes;   /* 0 for a regression */
    uint32_t has_weights; /* 0 or 1 */
    uint32_t shape[2];    /* height and width of images, else 0 */
};

struct rows_layout {
    size_t types;      /* F bytes: a bramble_feature_type each */
    size_t categories; /* F bytes: how many a one-hot CATEGORY has, 0 for all others */
    size_t encoder;    /* encoder_to_json's text, with a 0 behind it */
    size_t targets;    /* N uint32 classes or N floats */
    size_t weights;    /* N floats, or nothing */
    size_t rows;       /* N x row_bytes */
    size_t bytes;      /* the whole file */
};

/* False: more than a size_t holds. */
bool rows_layout_init(struct rows_layout *layout, const struct rows_head *head);

/* Why nothing can be trained on these rows, of which the last n_validation are set aside; NULL: it can.
 * O(N). */
const char *rows_fault(const struct rows *rows, size_t n_validation, const struct encoder *encoder);

#endif
