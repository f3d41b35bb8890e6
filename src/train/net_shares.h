/*
 * Who trains on what: each batch's microbatches divided among members by what one takes each of them. Members
 * tell each other every few steps how long theirs took, and all come to the same shares, ahead of the batches
 * that are being made.
 */
#ifndef TRAIN_NET_SHARES_H
#define TRAIN_NET_SHARES_H

#include "cluster/exchange.h"
#include "data/batches.h"
#include "net/division.h"

struct net_shares;

/* For epochs of so many rows in batches of so many samples; `threads` are this member's. All members call it
 * as one exchange. */
bramble_status net_shares_new(struct net_shares **out, const struct exchange *exchange, uint64_t rows,
                              uint32_t batch_size, uint32_t threads, bramble_error *error);
void net_shares_free(struct net_shares *shares); /* NULL is fine */

/* Of the batch of so many samples that step number `step` (from 0) is on. Valid until the next call. */
const struct division *net_shares_division(struct net_shares *shares, uint64_t step, uint32_t samples);

/* Whether a sample is this member's: struct batches_options' `wants`, with the shares as its context. */
bool net_shares_want(void *shares, struct batches_state batch, uint32_t samples, uint32_t sample);

/* The same of any number of things, at the step asked about last; shares[n_members], until the next call. */
const uint32_t *net_shares_of(struct net_shares *shares, uint32_t n);

/* This member's part of the division asked for last took it so long. */
void net_shares_took(struct net_shares *shares, double seconds);

/* After each step: now and then all members exchange what theirs took, and divide anew. Steps go on from any
 * number; all members' are the same. */
bramble_status net_shares_settle(struct net_shares *shares, uint64_t step, const struct exchange *exchange,
                                 bramble_error *error);

#endif
