/*
 * A part of a weight's gradient on its way: outer products summed over each microbatch in turn, those sums
 * folded (net/fold.h). What is pending lies in leaves of `size` numbers, whose blocks the operator places as
 * it likes; the last microbatch's call for a block writes its total to where the gradient is.
 */
#ifndef NET_WEIGHT_PART_H
#define NET_WEIGHT_PART_H

#include "net/fold.h"
#include "net/kernels/products.h"

struct weight_part {
    const struct net_kernels *kernels;
    struct fold fold;
    uint64_t microbatches;
};

static inline size_t weight_part_bytes(size_t size)
{
    return FOLD_LEVELS * size * sizeof(float);
}

/* `scratch`: weight_part_bytes(size). */
void weight_part_begin(struct weight_part *part, const struct net_kernels *kernels, void *scratch,
                       size_t size, uint64_t samples);

/*
 * Adds to the block that begins at number `at` of the leaf: o says what is multiplied, where the total is to
 * go (g, g_stride), and how rows lie in a leaf (sums_stride). `first` starts a microbatch's sums for the
 * block, the `last` call ends them.
 */
void weight_part_outer(struct weight_part *part, const struct net_outer *o, size_t at, bool first, bool last);
void weight_part_channel_outer(struct weight_part *part, const struct net_outer *o, size_t at, bool first,
                               bool last);
/* A bias' gradient: o->b summed, n columns. */
void weight_part_sum(struct weight_part *part, const struct net_outer *o, size_t at, bool first, bool last);

void weight_part_next(struct weight_part *part); /* microbatch */

#endif
