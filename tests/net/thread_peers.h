/* Members of a step as threads of one process. */
#ifndef TESTS_NET_THREAD_PEERS_H
#define TESTS_NET_THREAD_PEERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "net/peers.h"

enum { PEERS_MAX = 5, PEERS_BUCKETS_MAX = 64 };

struct peers_meeting {
    pthread_barrier_t barrier;
    uint32_t n_members;
    uint32_t breaks_at; /* the gather, counted from 1, that fails; 0: none */
    const struct peers_sums *sums[PEERS_MAX];
    const double *doubles[PEERS_MAX];
};

struct peers_seat {
    struct peers_meeting *meeting;
    uint32_t member, gathers, wrong;      /* wrong: calls that peers.h does not allow */
    atomic_uint ready[PEERS_BUCKETS_MAX]; /* bit p: of its own piece p */
    atomic_uint twice;
};

static bool seat_begin(void *context, const struct peers_sums *sums)
{
    struct peers_seat *seat = context;
    seat->meeting->sums[seat->member] = sums;
    seat->wrong += sums->n_buckets > PEERS_BUCKETS_MAX;
    for (uint32_t b = 0; b < PEERS_BUCKETS_MAX; b++) atomic_store(&seat->ready[b], 0);
    return true;
}

/* What member says of its own piece number `own`. */
static bool seat_gather(void *context, const struct division *division, const double *mine, size_t size,
                        double *all)
{
    struct peers_seat *seat = context;
    struct peers_meeting *meeting = seat->meeting;
    uint32_t own[PEERS_MAX] = {0};
    if (++seat->gathers == meeting->breaks_at) return false;
    meeting->doubles[seat->member] = mine;
    pthread_barrier_wait(&meeting->barrier);
    for (uint32_t p = 0; p < division->n_pieces; p++) {
        uint32_t member = division->pieces[p].member;
        memcpy(all + p * size, meeting->doubles[member] + own[member]++ * size, size * sizeof *all);
    }
    pthread_barrier_wait(&meeting->barrier);
    return true;
}

static void seat_ready(void *context, uint32_t bucket, uint32_t piece)
{
    struct peers_seat *seat = context;
    if (atomic_fetch_or(&seat->ready[bucket], 1u << piece) >> piece & 1) atomic_fetch_add(&seat->twice, 1);
}

static bool seat_finish(void *context)
{
    struct peers_seat *seat = context;
    struct peers_meeting *meeting = seat->meeting;
    const struct peers_sums *sums = meeting->sums[seat->member];
    const float *pieces[PEERS_MAX * 24];
    uint32_t own[PEERS_MAX] = {0};
    size_t numbers = 0;
    uint32_t all = (1u << division_pieces_of(sums->division, seat->member)) - 1;
    seat->wrong += atomic_load(&seat->twice);
    for (uint32_t b = 0; b < sums->n_buckets; b++) {
        seat->wrong += atomic_load(&seat->ready[b]) != all || sums->buckets[b].first != numbers;
        numbers += sums->buckets[b].n;
    }
    seat->wrong += numbers != sums->n_numbers;
    pthread_barrier_wait(&meeting->barrier);
    for (uint32_t p = 0; p < sums->division->n_pieces; p++) {
        uint32_t member = sums->division->pieces[p].member;
        pieces[p] = meeting->sums[member]->mine + own[member]++ * numbers;
    }
    division_fold(sums->division, pieces, numbers, sums->totals);
    pthread_barrier_wait(&meeting->barrier);
    return true;
}

static inline struct net_peers seat_peers(struct peers_seat *seat)
{
    return (struct net_peers){seat->member, seat, seat_begin, seat_gather, seat_ready, seat_finish};
}

#endif
