/*
 * Gradients of parameters as members exchange them: one behind the other in the order in which they become
 * ready, cut into buckets, so that the first ones travel while the others are computed. Gradients that are
 * made of what all members know anyway (batch normalisation's) are not among them.
 */
#ifndef NET_BUCKETS_H
#define NET_BUCKETS_H

#include "net/peers.h"
#include "net/plan.h"

/* That a bucket has at least, but for the last one: 256 KB, so that the first ones travel soon; 4 MB where
 * all of a piece's gradients become ready at once anyway. */
enum { BUCKET_NUMBERS = 1 << 16, BUCKET_NUMBERS_BY_PIECES = 1 << 20 };

struct buckets {
    const struct plan *plan;
    size_t n_numbers;
    uint32_t n;
    struct peers_bucket *list;
    uint32_t *n_parts;                /* of each: parts of the plan, one bucket's after another's */
    uint32_t *of_part;                /* [plan->n_parts] */
    size_t (*places)[NET_INPUTS_MAX]; /* [nodes]: where a gradient is among the numbers; SIZE_MAX: it is not
                                         exchanged */
};

/* Borrows a plan of training. */
bramble_status buckets_init(struct buckets *buckets, const struct plan *plan, bramble_error *error);
void buckets_fini(struct buckets *buckets);

/* From the exchange's order to where gradients are. */
void buckets_unpack(const struct buckets *buckets, const float *numbers, float *gradients);

#endif
