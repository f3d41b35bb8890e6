/*
 * A member's part of a step: which microbatches are its own, and what of them goes into the sums over all.
 * Within the machine its own microbatches are numbered from 0, one after the other; only what depends on a
 * sample's place in the batch asks for that.
 */
#ifndef NET_SHARE_H
#define NET_SHARE_H

#include <stdatomic.h>

#include "net/buckets.h"
#include "net/fold.h"

/* A subtree's microbatches; a machine that is alone has all of them in one piece. */
struct share_piece {
    uint32_t first, n; /* first: among the member's own */
};

struct share {
    const struct plan *plan;
    struct buckets buckets;
    const struct net_peers *peers;
    const struct division *division;
    uint32_t n_own, n_pieces;
    uint32_t *numbers; /* [n_own]: in the batch */
    struct share_piece pieces[FOLD_LEVELS];
    double *all;          /* room for sums of all pieces */
    float *mine, *totals; /* as peers_sums has them */
    atomic_uint *left;    /* [buckets][FOLD_LEVELS]: jobs until a piece is ready there */
    struct peers_sums sums;
    bool broken; /* the members cannot go on together */
};

/* Borrows a plan of training. */
bramble_status share_new(struct share **out, const struct plan *plan, bramble_error *error);
void share_free(struct share *share);
size_t share_bytes(const struct share *share); /* when it has one piece */

/* The division is of at most the plan's microbatches. Both are borrowed until the step is over. */
void share_begin(struct share *share, const struct net_peers *peers, const struct division *division);

/* The sum over the batch of what its microbatches put into leaves[own microbatches][stride], `size` doubles
 * each; into leaves[0]. */
void share_add_up(struct share *share, double *leaves, size_t size, size_t stride);

/* Where a node's input's gradient goes, of a piece. NULL: nowhere. */
float *share_gradient(const struct share *share, uint32_t piece, uint32_t node, uint32_t input);
/* A part of a gradient is done, of one piece. Any thread's. */
void share_part_done(struct share *share, uint32_t part, uint32_t piece);

/* Waits for what all members' gradients add up to. */
void share_finish(struct share *share, float *gradients);

/* The least of what the members say; to those that have no microbatch nobody listens. */
uint32_t share_least(struct share *share, uint32_t number);

#endif
