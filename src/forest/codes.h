/*
 * Feature codes in the two orders growing a tree needs: by feature, to sweep one feature over the many rows
 * of a node near the root, and by row, to fetch a few rows whole. The second is made here, from the first.
 */
#ifndef FOREST_CODES_H
#define FOREST_CODES_H

#include "data/bins.h"

struct codes {
    const struct binned *binned; /* by feature; borrowed */
    uint8_t *by_row;             /* N x F */
};

bramble_status codes_init(struct codes *codes, const struct binned *binned, uint32_t threads,
                          bramble_error *error);
void codes_fini(struct codes *codes);

#endif
