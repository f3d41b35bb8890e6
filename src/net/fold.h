/*
 * Sums over microbatches in an order that does not depend on who computed them: the leaves of a fixed binary
 * tree, ((0 + 1) + (2 + 3)) + ((4 + 5) + ...), the way a binary counter carries. Who has the sums of some
 * aligned subtrees adds those instead of their leaves, and the total is the same (division.h).
 */
#ifndef NET_FOLD_H
#define NET_FOLD_H

#include <stddef.h>
#include <stdint.h>

enum { FOLD_LEVELS = 24 }; /* for fewer than 2^24 microbatches */

/* Room for fold_levels(n) partial sums of `size` numbers is the caller's. */
struct fold {
    float *levels; /* [levels][size]; level l, when bit l of count is set: the sum of 2^l leaves */
    size_t size;
    uint64_t count; /* leaves added */
};

uint32_t fold_levels(uint64_t n_leaves); /* partial sums that may be pending at once */
void fold_begin(struct fold *fold, float *levels, size_t size);
/* Where the next leaf's `size` numbers are to be written; then fold_add takes them in. */
float *fold_leaf(struct fold *fold);
void fold_add(struct fold *fold);
/* The same for the sum of the next 2^level leaves; the count must be a multiple of that. */
float *fold_subtree(struct fold *fold, uint32_t level);
void fold_add_subtree(struct fold *fold, uint32_t level);
/* For those who add while they write: to the leaf's numbers those of these levels (bits) are to be added, the
 * lowest first; then fold_added instead of fold_add. With fold_pending's levels the leaf, if it is the last,
 * becomes the total. */
uint32_t fold_carries(const struct fold *fold);
uint32_t fold_pending(const struct fold *fold);
void fold_added(struct fold *fold);
/* Adds up what is pending, smallest subtrees first, into total[size]; no leaves give 0. The total may be
 * level 0. */
void fold_end(struct fold *fold, float *total);

/* The same for n leaves of `size` numbers that all lie there, stride numbers apart. */
void fold_floats(const float *leaves, uint64_t n, size_t size, size_t stride, float *total);
/* The same for n leaves of `size` doubles that all lie there, stride numbers apart; sums into leaves[0]. */
void fold_doubles(double *leaves, uint64_t n, size_t size, size_t stride);

#endif
