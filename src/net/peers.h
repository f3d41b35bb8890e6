/*
 * What the members of a step say to each other, as the step sees it: how the bytes travel is the business of
 * whoever fills in these functions (tests/net/test_together.c does it between threads). All members take the
 * same steps on the same divisions, so that their calls meet.
 *
 *   begin ... gather ... ready(0, 0) ... gather ... ready(1, 0) ... finish
 *
 * False: the members cannot go on together. The step is over then, and no later one begins; the reason stays
 * with the context.
 */
#ifndef NET_PEERS_H
#define NET_PEERS_H

#include <stdbool.h>

#include "net/division.h"

/* Some of the numbers of the gradients, which become ready together: buckets follow each other. */
struct peers_bucket {
    size_t first, n;
};

/* A step's gradients: of each piece of this member's what its microbatches add up to, and what all pieces of
 * all members do. Borrowed from begin to finish. */
struct peers_sums {
    const struct division *division;
    const float *mine; /* [pieces of this member][n_numbers] */
    float *totals;     /* [n_numbers], to be filled in: division_fold's */
    size_t n_numbers;
    const struct peers_bucket *buckets;
    uint32_t n_buckets;
    bool by_pieces; /* what becomes ready: first one piece in all buckets, then the next one; else one bucket
                       with all pieces after another. All members' steps are the same in this */
};

struct net_peers {
    uint32_t member;
    void *context;
    bool (*begin)(void *context, const struct peers_sums *sums);
    /* Brings mine[pieces of this member][size] of all members together in all[n_pieces][size], in the order
     * of the division. Only the thread that takes the step calls it. */
    bool (*gather)(void *context, const struct division *division, const double *mine, size_t size,
                   double *all);
    /* This bucket's numbers of this piece of ours are there; any thread calls it and is not to be kept. */
    void (*ready)(void *context, uint32_t bucket, uint32_t piece);
    /* Waits for the totals. */
    bool (*finish)(void *context);
};

#endif
