/*
 * Feature codes in the two orders growing a tree needs: by feature, to sweep one feature over the many rows
 * of a node near the root, and by row, to fetch a few rows whole. The second is made here, from the first;
 * where codes came by row only (data/binned_file.h), that order does for both, a tenth slower and in half the
 * memory.
 */
#ifndef FOREST_CODES_H
#define FOREST_CODES_H

#include "data/bins.h"

struct codes {
    const struct binned *binned; /* borrowed */
    const uint8_t *by_row;       /* N x F: binned's, or made here */
    uint8_t *owned;
};

bramble_status codes_init(struct codes *codes, const struct binned *binned, uint32_t threads,
                          bramble_error *error);
void codes_fini(struct codes *codes);

#endif
