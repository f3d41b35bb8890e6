/*
 * What members of a training step say to each other (net/peers.h), over exchanges (cluster/exchange.h).
 *
 * Gradients go parcel by parcel (reduce.h), on a thread of the ring's own, while the ones behind them are
 * computed. All pieces are added in the division's order, so the sums have one machine's bits.
 */
#ifndef TRAIN_RING_H
#define TRAIN_RING_H

#include "cluster/exchange.h"
#include "net/peers.h"
#include "train/reduce.h"

struct ring;

/* exchanges[2] are ways to the same members that may be used at the same time; borrowed. All members' slices
 * are of one kind. */
bramble_status ring_new(struct ring **out, const struct exchange exchanges[2], enum reduce_slices slices,
                        bramble_error *error);
/* Also in the midst of a step; nobody may be in it then, and the exchanges are of no use any more. NULL is
 * fine. */
void ring_free(struct ring *ring);

/* Borrowed. */
const struct net_peers *ring_peers(const struct ring *ring);

/* Why a step was broken. */
const bramble_error *ring_error(const struct ring *ring);

/* Seconds that the thread which takes steps waited for others in the last one. */
double ring_waited(const struct ring *ring);

#endif
