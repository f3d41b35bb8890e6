/* An exchange between threads of one process, for tests of what members do together. */
#ifndef TESTS_TRAIN_THREADS_EXCHANGE_H
#define TESTS_TRAIN_THREADS_EXCHANGE_H

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "cluster/exchange.h"

enum { MEMBERS_MAX = 5 };

struct meeting {
    pthread_barrier_t barrier;
    uint32_t n_members;
    struct exchanged sent[MEMBERS_MAX];
    size_t rounds, bytes;   /* exchanges so far, and what was sent in them to one member each */
    size_t spoilt_round;    /* in this round (1 is the first), if not 0, ... */
    uint32_t spoilt_member; /* ... this member sends ... */
    size_t spoilt_byte;     /* ... this byte ... */
    uint8_t spoilt_bits;    /* ... with these bits the other way */
};

/* One member's place in it. */
struct seat {
    struct meeting *meeting;
    uint32_t rank;
    uint8_t *mine; /* a copy, as a network would have it */
};

static bramble_status seat_all_gather(void *context, const void *mine, size_t length,
                                      struct exchanged *theirs, bramble_error *error)
{
    (void)error;
    struct seat *seat = context;
    struct meeting *meeting = seat->meeting;
    pthread_barrier_wait(&meeting->barrier); /* the last round's bytes are no longer used by anyone */
    free(seat->mine);
    seat->mine = malloc(length + 1);
    memcpy(seat->mine, mine, length);
    if (meeting->spoilt_round == meeting->rounds + 1 && meeting->spoilt_member == seat->rank &&
        meeting->spoilt_byte < length)
        seat->mine[meeting->spoilt_byte] ^= meeting->spoilt_bits;
    meeting->sent[seat->rank] = (struct exchanged){seat->mine, length};
    pthread_barrier_wait(&meeting->barrier);
    memcpy(theirs, meeting->sent, meeting->n_members * sizeof *theirs);
    pthread_barrier_wait(&meeting->barrier);
    if (seat->rank == 0) {
        meeting->rounds++;
        for (uint32_t m = 0; m < meeting->n_members; m++) meeting->bytes += theirs[m].length;
    }
    return BRAMBLE_OK;
}

static inline struct exchange exchange_of(struct seat *seat)
{
    return (struct exchange){seat->rank, seat->meeting->n_members, seat, seat_all_gather};
}

#endif
