/* Exchanges between threads of one process, for tests of what members do together: as many ways to the same
 * members as there are channels, and what can go wrong on them. */
#ifndef TESTS_TRAIN_THREADS_EXCHANGE_H
#define TESTS_TRAIN_THREADS_EXCHANGE_H

#include <pthread.h>
#include <stdbool.h>

#include "cluster/exchange.h"

enum { MEMBERS_MAX = 5, CHANNELS = 2 };

/* What goes wrong, once. */
struct fault {
    size_t round; /* of the channel's exchanges: 1 is the first; 0: nothing goes wrong */
    bool letter;  /* it is of the member's letters on the channel instead */
    uint32_t channel, member;
    bool fails;   /* the member's call returns "the wire broke", and the others wait for it; else it sends */
    int longer;   /* ... the others so many bytes more, or fewer where there are so many, ... */
    size_t byte;  /* ... and all, itself too, this byte ... */
    uint8_t bits; /* ... with these bits the other way */
};

struct posted {
    struct posted *next;
    uint32_t from;
    struct exchanged letter;
};

/* One way. What is sent in a round lies here until the one after the next: a copy, as a network would have
 * it. */
struct channel {
    size_t rounds[MEMBERS_MAX];                         /* that each member is in, or was */
    size_t bytes;                                       /* sent in them to member 0 */
    struct exchanged sent[2][MEMBERS_MAX][MEMBERS_MAX]; /* of even and odd rounds: from, to */
    size_t n_letters[MEMBERS_MAX];                      /* that each member sent */
    struct posted *posted[MEMBERS_MAX], *lent[MEMBERS_MAX];
};

struct meeting {
    uint32_t n_members;
    struct fault fault;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct channel channels[CHANNELS];
    bool dropped, left[MEMBERS_MAX];
};

void meeting_init(struct meeting *meeting, uint32_t n_members);
void meeting_fini(struct meeting *meeting);

/* What the engine does when a member gives up: exchanges fail for all. */
void meeting_drop(struct meeting *meeting);

/* One member's place at one of the ways. */
struct seat {
    struct meeting *meeting;
    uint32_t rank, channel;
};

struct exchange exchange_of(struct seat *seat);

#endif
