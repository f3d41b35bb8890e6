/*
 * Which batch of an epoch is whose, where members take them at their own pace: each batch once, in order, to
 * whoever is free.
 *
 * Stale synchronous parallel (Ho et al., "More Effective Distributed ML via a Stale Synchronous Parallel
 * Parameter Server", NIPS 2013): who works in clock c sees all that was done in clocks before c - staleness,
 * and waits until it can. A clock here is as many batches as there are members, by their numbers: batch b of
 * n members is of clock b / n. Members as fast as each other do one a clock, as in the paper; a slow one
 * holds the others up only when they are `staleness` clocks ahead of its batch.
 */
#ifndef TRAIN_HANDOUT_H
#define TRAIN_HANDOUT_H

#include <stdbool.h>
#include <stdint.h>

#include <bramble/error.h>

#define HANDOUT_NONE UINT64_MAX

struct handout {
    uint32_t n_members, staleness;
    uint64_t n_batches, next; /* of the epoch; the one that is handed out next */
    uint64_t *at;             /* of each member: its batch, or HANDOUT_NONE */
};

bramble_status handout_init(struct handout *out, uint32_t n_members, uint32_t staleness,
                            bramble_error *error);
void handout_fini(struct handout *handout); /* zeroed ones too */

/* The first batch of a member in what is left of an epoch, known to all: HANDOUT_NONE when there are fewer.
 */
uint64_t handout_first(uint32_t member, uint64_t first, uint64_t n_batches);

/* Batches first..n_batches - 1 are left: every member has its first one. */
void handout_begin(struct handout *handout, uint64_t first, uint64_t n_batches);

/* The member's batch is done. */
void handout_done(struct handout *handout, uint32_t member);

/* Gives a member that has none the next batch: HANDOUT_NONE while it must wait, or when there is no more. */
uint64_t handout_next(struct handout *handout, uint32_t member);

/* Whether all are done; and whether those that are done are the first ones of the epoch. */
bool handout_is_over(const struct handout *handout);
bool handout_is_prefix(const struct handout *handout);

#endif
