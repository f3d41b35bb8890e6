/* Where things lie in a file of binned data; binned_file.h says what it is for. */
#ifndef DATA_BINNED_LAYOUT_H
#define DATA_BINNED_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BINNED_MAGIC "BRBINS01"

/* The file's first bytes, from which the places of all else follow. */
struct binned_head {
    char magic[8];
    uint64_t n_rows;
    uint32_t n_features;
    uint32_t task; /* a bramble_task */
    uint32_t n_classes;
    uint32_t has_weights; /* 0 or 1 */
    uint64_t n_edges;
    uint64_t text_bytes;
    uint32_t held_begin, held_end; /* features whose codes are there */
    uint8_t reserved[8];           /* 0 */
};

struct binned_feature {
    uint32_t n_bins;
    uint8_t type; /* a bramble_feature_type */
    uint8_t has_missing;
    uint8_t reserved[2]; /* 0 */
};

struct binned_layout {
    size_t features; /* F struct binned_feature */
    size_t edges;    /* float: for each NUMBER feature in order its bins' low values, then their high ones */
    size_t texts;    /* the target's name and the classes, each with a 0 behind it */
    size_t targets;  /* N uint16 classes or N doubles */
    size_t weights;  /* N doubles, or nothing */
    size_t codes;    /* N x (features held) bytes, by row */
    size_t bytes;    /* the whole file */
};

/* False: more than a size_t holds. The features held must be some of the F. */
bool binned_layout_init(struct binned_layout *layout, const struct binned_head *head);

#endif
