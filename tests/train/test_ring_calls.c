/* A ring by itself: pieces of buckets that become ready in any order, what it tells of waiting, and which
 * error stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "threads_exchange.h"
#include "train/ring.h"

enum { MICROBATCHES = 23, STEPS = 8, DOUBLES = 7, BUCKETS = 8, NUMBERS = 80967 };

static const size_t sizes[BUCKETS] = {5, 16, 2047, 2048, 2049, 70001, 1, 4800};

static void lay_buckets(struct peers_bucket *buckets)
{
    size_t first = 0;
    for (uint32_t b = 0; b < BUCKETS; b++) {
        buckets[b] = (struct peers_bucket){first, sizes[b]};
        first += sizes[b];
    }
    assert_int_equal(first, NUMBERS);
}

/* --- members --- */

/* A member: a thread that takes steps, and one beside it that says what is ready. */
struct member {
    struct seat seats[CHANNELS];
    const struct net_peers *peers;
    uint32_t step, wrong;
    struct peers_bucket buckets[BUCKETS];
    struct division division;
    float *pieces, *mine; /* [n_pieces][NUMBERS] of everybody, [own pieces][NUMBERS] */
    pthread_t thread;
    bramble_error error;
};

/* Of all sizes, so that another order of adding them up is another sum. */
static double number_of(uint32_t step, uint32_t piece, size_t i)
{
    uint32_t x = (uint32_t)i * 2654435761u + piece * 40503u + step * 977u;
    x = (x ^ x >> 15) * 2246822519u;
    x ^= x >> 13;
    return ((double)x / 4294967296 - 0.5) * (double)(1u << x % 20);
}

/* Every fourth step has one member alone with all of it. */
static void share_out(uint32_t *shares, uint32_t n_members, uint32_t step)
{
    memset(shares, 0, n_members * sizeof *shares);
    for (uint32_t i = 0; i < MICROBATCHES; i++)
        shares[step % 4 == 3 ? step % n_members : (i * i + step * i) % n_members]++;
}

/* Before a piece of a bucket is ready its numbers are not there. */
static void fill_bucket(const struct member *member, const struct peers_bucket *bucket, uint32_t piece)
{
    for (uint32_t p = 0, own = 0; p < member->division.n_pieces; p++) {
        if (member->division.pieces[p].member != member->seats[0].rank) continue;
        if (own++ == piece)
            memcpy(member->mine + piece * NUMBERS + bucket->first,
                   member->pieces + p * NUMBERS + bucket->first, bucket->n * sizeof(float));
    }
}

/* An odd factor's order; every other one of them. */
static void say_ready(const struct member *member, uint32_t from)
{
    uint32_t factor = 2 * (member->step + member->seats[0].rank) + 1;
    uint32_t n_pieces = division_pieces_of(&member->division, member->seats[0].rank);
    for (uint32_t i = from; i < BUCKETS * n_pieces; i += 2) {
        uint32_t bucket = (i * factor + member->step) % BUCKETS, piece = (i / BUCKETS + bucket) % n_pieces;
        fill_bucket(member, &member->buckets[bucket], piece);
        member->peers->ready(member->peers->context, bucket, piece);
    }
}

static void *help(void *context)
{
    say_ready(context, 0);
    return NULL;
}

static void check_gather(struct member *member)
{
    const struct division *division = &member->division;
    double mine[MICROBATCHES * DOUBLES], all[MICROBATCHES * DOUBLES] = {0}, *at = mine;
    for (uint32_t p = 0; p < division->n_pieces; p++)
        for (size_t i = 0; i < DOUBLES && division->pieces[p].member == member->seats[0].rank; i++)
            *at++ = number_of(member->step, p, i);
    if (!member->peers->gather(member->peers->context, division, mine, DOUBLES, all)) member->wrong++;
    for (uint32_t p = 0; p < division->n_pieces; p++)
        for (size_t i = 0; i < DOUBLES; i++)
            member->wrong += all[p * DOUBLES + i] != number_of(member->step, p, i);
}

static void check_totals(struct member *member, const float *totals)
{
    const float *places[MICROBATCHES];
    float *want = malloc(NUMBERS * sizeof *want);
    for (uint32_t p = 0; p < member->division.n_pieces; p++) places[p] = member->pieces + p * NUMBERS;
    division_fold(&member->division, places, NUMBERS, want);
    member->wrong += memcmp(want, totals, NUMBERS * sizeof *want) != 0;
    free(want);
}

static void take_step(struct member *member)
{
    float *totals = calloc(NUMBERS, sizeof *totals);
    const struct peers_sums sums = {&member->division, member->mine,        totals, NUMBERS, member->buckets,
                                    BUCKETS,           member->step / 4 % 2};
    pthread_t helper;
    memset(member->mine, 0, MICROBATCHES * NUMBERS * sizeof *member->mine);
    for (size_t i = 0; i < member->division.n_pieces * (size_t)NUMBERS; i++)
        member->pieces[i] = (float)number_of(member->step, (uint32_t)(i / NUMBERS), i % NUMBERS);
    member->wrong += !member->peers->begin(member->peers->context, &sums);
    check_gather(member);
    pthread_create(&helper, NULL, help, member);
    check_gather(member);
    say_ready(member, 1);
    pthread_join(helper, NULL);
    member->wrong += !member->peers->finish(member->peers->context);
    check_totals(member, totals);
    free(totals);
}

static void *run_member(void *context)
{
    struct member *member = context;
    struct exchange exchanges[CHANNELS];
    struct ring *ring;
    member->pieces = malloc(MICROBATCHES * NUMBERS * sizeof *member->pieces);
    member->mine = malloc(MICROBATCHES * NUMBERS * sizeof *member->mine);
    for (uint32_t c = 0; c < CHANNELS; c++) exchanges[c] = exchange_of(&member->seats[c]);
    member->wrong += division_init(&member->division, exchanges->n_members, MICROBATCHES, NULL) != BRAMBLE_OK;
    member->wrong += ring_new(&ring, exchanges, REDUCE_EVEN, NULL) != BRAMBLE_OK;
    member->peers = ring_peers(ring);
    for (member->step = 0; member->step < STEPS && !member->wrong; member->step++) {
        uint32_t shares[MEMBERS_MAX];
        share_out(shares, exchanges->n_members, member->step);
        division_set(&member->division, shares);
        take_step(member);
    }
    member->error = *ring_error(ring);
    if (member->wrong) meeting_drop(member->seats->meeting);
    ring_free(ring);
    division_fini(&member->division);
    free(member->pieces);
    free(member->mine);
    return NULL;
}

static void test_ready_in_any_order(void **state)
{
    (void)state;
    struct member members[MEMBERS_MAX];
    for (uint32_t n = 1; n <= MEMBERS_MAX; n++) {
        struct meeting meeting;
        meeting_init(&meeting, n);
        memset(members, 0, sizeof members);
        for (uint32_t m = 0; m < n; m++) {
            for (uint32_t c = 0; c < CHANNELS; c++) members[m].seats[c] = (struct seat){&meeting, m, c};
            lay_buckets(members[m].buckets);
            assert_int_equal(pthread_create(&members[m].thread, NULL, run_member, &members[m]), 0);
        }
        for (uint32_t m = 0; m < n; m++) pthread_join(members[m].thread, NULL);
        for (uint32_t m = 0; m < n; m++)
            if (members[m].wrong)
                fail_msg("%u members, step %u: %s", n, members[m].step, members[m].error.message);
        meeting_fini(&meeting);
    }
}

/* --- one member alone, whose exchanges are this test's --- */

struct way {
    const char *fails; /* with this; NULL: it does not */
    double hold, held; /* seconds: at least so long, and how long it was */
};

static bramble_status way_all_gather(void *context, const void *mine, size_t length, struct exchanged *theirs,
                                     bramble_error *error)
{
    struct way *way = context;
    double start = clock_seconds();
    while ((way->held = clock_seconds() - start) < way->hold)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (way->fails) return error_set(error, BRAMBLE_ERR_IO, "%s", way->fails);
    *theirs = (struct exchanged){mine, length};
    return BRAMBLE_OK;
}

static void way_leave(void *context)
{
    (void)context;
}

/* All that a step of one member needs. */
struct alone {
    struct way ways[2];
    struct exchange exchanges[2];
    struct division division;
    float mine[NUMBERS], totals[NUMBERS];
    struct peers_bucket buckets[BUCKETS];
    struct peers_sums sums;
    struct ring *ring;
    const struct net_peers *peers;
};

static struct alone *alone_new(void)
{
    struct alone *alone = calloc(1, sizeof *alone);
    for (uint32_t i = 0; i < 2; i++)
        alone->exchanges[i] = (struct exchange){
            .n_members = 1, .context = &alone->ways[i], .all_gather = way_all_gather, .leave = way_leave};
    assert_int_equal(division_init(&alone->division, 1, 1, NULL), BRAMBLE_OK);
    division_set(&alone->division, (const uint32_t[]){1});
    for (size_t i = 0; i < NUMBERS; i++) alone->mine[i] = (float)number_of(0, 0, i);
    lay_buckets(alone->buckets);
    alone->sums = (struct peers_sums){&alone->division, alone->mine, alone->totals, NUMBERS,
                                      alone->buckets,   BUCKETS,     true};
    assert_int_equal(ring_new(&alone->ring, alone->exchanges, REDUCE_EVEN, NULL), BRAMBLE_OK);
    alone->peers = ring_peers(alone->ring);
    return alone;
}

static void alone_free(struct alone *alone)
{
    ring_free(alone->ring);
    division_fini(&alone->division);
    free(alone);
}

static bool alone_begin(struct alone *alone)
{
    return alone->peers->begin(alone->peers->context, &alone->sums);
}

static bool alone_gather(struct alone *alone)
{
    double mine = 1.5, all = 0;
    bool good = alone->peers->gather(alone->peers->context, &alone->division, &mine, 1, &all);
    if (good) assert_true(all == mine);
    return good;
}

static bool alone_finish(struct alone *alone)
{
    for (uint32_t b = 0; b < BUCKETS; b++) alone->peers->ready(alone->peers->context, b, 0);
    bool good = alone->peers->finish(alone->peers->context);
    if (good) assert_memory_equal(alone->totals, alone->mine, sizeof alone->mine);
    return good;
}

/* As little as what was held up, and no more than the whole step. */
static void test_waiting_is_told(void **state)
{
    (void)state;
    struct alone *alone = alone_new();
    alone->ways[0].hold = 0.05;
    assert_true(alone_begin(alone));
    assert_true(alone_gather(alone));
    double held = alone->ways[0].held;
    assert_true(alone_gather(alone));
    assert_true(ring_waited(alone->ring) >= held + alone->ways[0].held);
    assert_true(alone_finish(alone));
    double start = clock_seconds();
    assert_true(alone_begin(alone));
    assert_true(alone_finish(alone));
    assert_true(ring_waited(alone->ring) > 0);
    assert_true(ring_waited(alone->ring) <= clock_seconds() - start);
    alone_free(alone);
}

static void test_the_first_error_stays(void **state)
{
    (void)state;
    struct alone *alone = alone_new();
    alone->ways[0].fails = "the first way broke";
    alone->ways[1].fails = "the second way broke";
    assert_true(alone_begin(alone));
    assert_false(alone_finish(alone));
    assert_string_equal(ring_error(alone->ring)->message, "the second way broke");
    assert_false(alone_gather(alone));
    assert_false(alone_begin(alone));
    assert_int_equal(ring_error(alone->ring)->status, BRAMBLE_ERR_IO);
    assert_string_equal(ring_error(alone->ring)->message, "the second way broke");
    alone_free(alone);
}

static void test_every_allocation_of_a_step(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    size_t n = 1;
    for (bool reached = true; reached; n++) {
        struct alone *alone = alone_new();
        mem_fail_at(n, 0);
        bool good = alone_begin(alone) && alone_gather(alone) && alone_finish(alone);
        reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        assert_int_equal(good, !reached);
        assert_int_equal(ring_error(alone->ring)->status, reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK);
        alone_free(alone);
    }
    assert_true(n > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ready_in_any_order),
        cmocka_unit_test(test_waiting_is_told),
        cmocka_unit_test(test_the_first_error_stays),
        cmocka_unit_test(test_every_allocation_of_a_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
