/*
 * A step's gradients added up by its members, over an exchange: parcel by parcel, in an order that all know.
 *
 * A parcel is a bucket's numbers of some of each member's pieces (net/peers.h). Each member adds up a slice
 * of every bucket and sends it to all, a ring all-reduce's traffic without its many rounds, which slow
 * processors wait for longer than for the bytes. Where pieces become ready one after the other, those of a
 * member that has fewer come last: so all members' last ones, the smallest, travel together.
 */
#ifndef TRAIN_REDUCE_H
#define TRAIN_REDUCE_H

#include "cluster/exchange.h"
#include "net/peers.h"

/* Who adds up what. */
enum reduce_slices {
    REDUCE_EVEN,    /* every member as much as the others */
    REDUCE_CENTRAL, /* the first one everything */
    REDUCE_ROUNDED, /* even, but what each member's pieces add up to travels as int8.h has it: not exact */
};

struct reduce_room {
    void *bytes;
    size_t size;
};

struct reduce {
    const struct exchange *exchange;
    enum reduce_slices slices;
    struct exchanged *mine, *theirs; /* n_members */
    const struct peers_sums *sums;   /* of the step at hand */
    uint32_t n_rounds;               /* parcels of each bucket */
    uint32_t *n_pieces;              /* of each member */
    struct reduce_room out, sum;     /* what is sent */
    struct reduce_room pieces; /* float pointers [buckets][pieces]: the numbers that this member adds up */
    struct reduce_room store;  /* of those that came in earlier rounds */
    struct average **averages; /* [n_averages] rounded: of each bucket */
    uint32_t n_averages;
};

/* False: out of memory. reduce_fini it, whatever happens. */
bool reduce_init(struct reduce *reduce, const struct exchange *exchange, enum reduce_slices slices);
void reduce_fini(struct reduce *reduce); /* zeroed ones too */

/* A step; sums are borrowed until its last parcel. */
bramble_status reduce_begin(struct reduce *reduce, const struct peers_sums *sums, bramble_error *error);

uint32_t reduce_n_parcels(const struct reduce *reduce);

/* What of a member goes into a parcel. */
struct reduce_parcel {
    uint32_t bucket, first, n; /* pieces of the member's */
};
struct reduce_parcel reduce_parcel(const struct reduce *reduce, uint32_t number, uint32_t member);

/* Exchanges a parcel; after a bucket's last one its totals are there. All members call it for one parcel
 * after the other, once their own part of it is ready. */
bramble_status reduce_exchange(struct reduce *reduce, uint32_t number, bramble_error *error);

#endif
