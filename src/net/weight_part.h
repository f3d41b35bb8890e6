/*
 * A part of a weight's gradient on its way: outer products summed over each microbatch in turn, those sums
 * folded (net/fold.h). A leaf's blocks lie one behind the other, wherever the operator puts them.
 */
#ifndef NET_WEIGHT_PART_H
#define NET_WEIGHT_PART_H

#include "net/fold.h"
#include "net/kernels/products.h"

struct weight_part {
    const struct net_kernels *kernels;
    struct fold fold;
    float *total; /* [size], after weight_part_end */
};

static inline size_t weight_part_bytes(size_t size)
{
    return (FOLD_LEVELS + 1) * size * sizeof(float);
}

/* `scratch`: weight_part_bytes(size). */
void weight_part_begin(struct weight_part *part, const struct net_kernels *kernels, void *scratch,
                       size_t size);

/* Sums of the microbatch that is being dealt with, into the block that begins at number `at` of its leaf:
 * o says what is multiplied and g_stride. `first` starts them; the `last` call for a block ends them. */
void weight_part_outer(struct weight_part *part, const struct net_outer *o, size_t at, bool first, bool last);
void weight_part_channel_outer(struct weight_part *part, const struct net_outer *o, size_t at, bool first,
                               bool last);
/* A bias' gradient: o->b summed, n columns. */
void weight_part_sum(struct weight_part *part, const struct net_outer *o, size_t at, bool first, bool last);

void weight_part_next(struct weight_part *part); /* microbatch */
void weight_part_end(struct weight_part *part);

#endif
