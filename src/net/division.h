/*
 * How members share a batch: each gets some of its microbatches, in pieces that are whole subtrees of
 * fold.h's tree, as many as its share has binary digits that are 1. So what a member hands in is its pieces'
 * sums, few of them, and their total has the bits that one machine would get.
 */
#ifndef NET_DIVISION_H
#define NET_DIVISION_H

#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

struct division_piece {
    uint32_t first, level; /* 2^level microbatches; first is a multiple of that */
    uint32_t member;
};

struct division {
    uint32_t n_members, n_microbatches, n_pieces;
    struct division_piece *pieces; /* in the order of the batch */
};

/* For batches of up to microbatches_most, below 2^24. */
bramble_status division_init(struct division *out, uint32_t n_members, uint32_t microbatches_most,
                             bramble_error *error);
void division_fini(struct division *division); /* zeroed ones too */

/* Gives member m shares[m] microbatches, which may be none, of the batch that all shares make up. */
void division_set(struct division *division, const uint32_t *shares);

uint32_t division_pieces_of(const struct division *division, uint32_t member);

/* The total of all pieces' sums, sums[n_pieces][size], into the first one's place; all are overwritten. */
void division_fold_doubles(const struct division *division, double *sums, size_t size);
/* The same for numbers that lie anywhere; into total[n]. */
void division_fold(const struct division *division, const float *const *sums, size_t n, float *total);

#endif
