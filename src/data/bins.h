/*
 * Features as small codes: each feature's values sorted into at most 256 bins, one byte a row.
 *
 * A feature with at most 256 different values (255 beside missing ones) gets one bin a value: trees on codes
 * are then exactly the trees on values. Others are cut at quantiles of all N values, so that the bins depend
 * on the data only, never on a sample or on who cut. A missing value has the bin after the last.
 */
#ifndef DATA_BINS_H
#define DATA_BINS_H

#include "data/table.h"

struct feature_bins {
    uint16_t n_bins;         /* bins of present values, 0..256 */
    bool has_missing;        /* code n_bins is "missing" */
    bool categorical;        /* code = category number; no order */
    const float *low, *high; /* n_bins each: least and greatest value in the bin; NULL when categorical */
};

struct binned {
    size_t n_rows;           /* N */
    uint32_t n_features;     /* F */
    const uint8_t **columns; /* F arrays of N codes; NULL when there is only by_row */
    /* Codes of the features held_begin..held_end - 1, which are all F but in a shard: that of row r and
     * feature f is by_row[r * (held_end - held_begin) + f]. NULL when there are only columns.
     * (In a shard it points to held_begin bytes before them.) */
    const uint8_t *by_row;
    uint32_t held_begin, held_end;
    uint8_t *owned;            /* storage of the columns that are not the table's own bytes */
    struct feature_bins *bins; /* F */
    float byte_values[256];    /* 0, 1, 2, ...: low and high of every byte feature */
};

/* Whether the codes of all features are there. */
static inline bool binned_is_whole(const struct binned *binned)
{
    return binned->held_begin == 0 && binned->held_end == binned->n_features;
}

/*
 * *out is the caller's to free; it borrows the table's byte columns and must not outlive it.
 * O(F N log N) at worst, on `threads` threads; the result does not depend on them.
 */
bramble_status binned_new(struct binned **out, const struct bramble_table *table, uint32_t threads,
                          bramble_error *error);
void binned_free(struct binned *binned);

#endif
