/* Where the bins of a number feature begin and end. */
#ifndef DATA_BIN_EDGES_H
#define DATA_BIN_EDGES_H

#include "data/bins.h"

/*
 * Sets bins->n_bins, low and high from N values, NaN being missing; bins->has_missing is set already. One
 * block, at low, holds both and is the caller's to mem_free. One bin a value where they fit, else bins of
 * about equal weight, a frequent value having one to itself. O(N) for few different values, otherwise a radix
 * sort of N keys in 8 N bytes. False: out of memory.
 */
bool bin_edges_find(struct feature_bins *bins, const float *x, size_t n);

#endif
