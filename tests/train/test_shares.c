/* Shares: the best there are for given times, the same for all members, and every sample somebody's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/operator.h"
#include "threads_exchange.h"
#include "train/net_shares.h"
#include "train/shares.h"

/* Epochs of ten batches of ten microbatches, the last batch of three, the last one of those of 5. */
enum { SAMPLES = 160, LAST = 37, ROWS = 9 * SAMPLES + LAST, EPOCH_STEPS = 10, STEPS_MAX = 400 };
enum { MICROBATCHES = SAMPLES / MICROBATCH, AHEAD = 2 };

/* --- shares_divide --- */

static double longest(const uint32_t *shares, const double *seconds, uint32_t n)
{
    double most = 0;
    for (uint32_t m = 0; m < n; m++)
        if (shares[m] * seconds[m] > most) most = shares[m] * seconds[m];
    return most;
}

/* The best that can be of the members from m on, who have `left` microbatches. */
static double best(uint32_t *shares, const double *seconds, uint32_t n, uint32_t m, uint32_t left)
{
    double least = 1e300;
    if (m + 1 == n) {
        shares[m] = left;
        return longest(shares, seconds, n);
    }
    for (shares[m] = 0; shares[m] <= left; shares[m]++) {
        uint32_t mine = shares[m];
        double here = best(shares, seconds, n, m + 1, left - mine);
        if (here < least) least = here;
        shares[m] = mine;
    }
    return least;
}

static void test_division_is_the_best(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (int i = 0; i < 400; i++) {
        double seconds[4];
        uint32_t shares[4], other[4], sum = 0, n = 1 + (uint32_t)i % 4, microbatches = (uint32_t)i / 4 % 13;
        for (uint32_t m = 0; m < n; m++) {
            random = random * 1664525u + 1013904223u;
            seconds[m] = i % 3 ? (double)(1 + (random >> 24)) / 100 : 1 + (double)(random >> 30);
        }
        shares_divide(shares, seconds, n, microbatches);
        for (uint32_t m = 0; m < n; m++) sum += shares[m];
        assert_int_equal(sum, microbatches);
        assert_true(longest(shares, seconds, n) == best(other, seconds, n, 0, microbatches));
    }
}

static void test_ties_go_to_the_first(void **state)
{
    (void)state;
    uint32_t shares[3];
    shares_divide(shares, (const double[]){2, 2, 2}, 3, 5);
    assert_memory_equal(shares, ((uint32_t[]){2, 2, 1}), sizeof shares);
    shares_divide(shares, (const double[]){2, 1, 1}, 3, 1);
    assert_memory_equal(shares, ((uint32_t[]){0, 1, 0}), sizeof shares);
    shares_divide(shares, (const double[]){2, 1, 2}, 3, 3);
    assert_memory_equal(shares, ((uint32_t[]){1, 2, 0}), sizeof shares);
    shares_divide(shares, (const double[]){1e-9}, 1, 100000);
    assert_int_equal(shares[0], 100000);
}

/* --- net_shares --- */

/* What a microbatch takes a member at a step. */
typedef double speed_of(uint32_t rank, uint64_t step);

/* A member: it takes steps, and a thread of its own makes batches ahead of them. */
struct member {
    struct seat seat;
    struct net_shares *shares;
    speed_of *speed;
    uint64_t first, steps; /* it takes first..first + steps - 1 */
    uint32_t threads;
    pthread_t thread, maker;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t taken, made; /* batches, under the lock */
    bool stop;            /* as well */
    uint8_t wanted[STEPS_MAX][SAMPLES];
    uint32_t division[STEPS_MAX][MICROBATCHES]; /* owners */
    uint32_t own[STEPS_MAX];
    bramble_status status;
    bramble_error error;
};

static uint32_t samples_of(uint64_t step)
{
    return step % EPOCH_STEPS == EPOCH_STEPS - 1 ? LAST : SAMPLES;
}

static void *make_batches(void *context)
{
    struct member *member = context;
    for (uint64_t i = 0; i < member->steps + AHEAD; i++) {
        uint64_t step = member->first + i;
        pthread_mutex_lock(&member->lock);
        while (!member->stop && i > member->taken + AHEAD - 1 && i >= AHEAD + 1)
            pthread_cond_wait(&member->changed, &member->lock);
        bool stop = member->stop;
        pthread_mutex_unlock(&member->lock);
        if (stop) break;
        for (uint32_t s = 0; s < samples_of(step); s++)
            member->wanted[i][s] = net_shares_want(
                member->shares, (struct batches_state){step / EPOCH_STEPS, step % EPOCH_STEPS},
                samples_of(step), s);
        pthread_mutex_lock(&member->lock);
        member->made++;
        pthread_cond_broadcast(&member->changed);
        pthread_mutex_unlock(&member->lock);
    }
    return NULL;
}

/* The batch of step number i is handed out. */
static void await_batch(struct member *member)
{
    pthread_mutex_lock(&member->lock);
    while (member->made <= member->taken) pthread_cond_wait(&member->changed, &member->lock);
    member->taken++;
    pthread_cond_broadcast(&member->changed);
    pthread_mutex_unlock(&member->lock);
}

static void note_division(struct member *member, uint64_t i, const struct division *division)
{
    assert_int_equal(division->n_microbatches, (samples_of(member->first + i) + MICROBATCH - 1) / MICROBATCH);
    for (uint32_t p = 0; p < division->n_pieces; p++) {
        const struct division_piece *piece = &division->pieces[p];
        for (uint32_t k = 0; k < 1u << piece->level; k++)
            member->division[i][piece->first + k] = piece->member;
        if (piece->member == member->seat.rank) member->own[i] += 1u << piece->level;
    }
}

static void take_steps(struct member *member, const struct exchange *exchange)
{
    pthread_create(&member->maker, NULL, make_batches, member);
    for (uint64_t i = 0; i < member->steps && !member->status; i++) {
        uint64_t step = member->first + i;
        await_batch(member);
        note_division(member, i, net_shares_division(member->shares, step, samples_of(step)));
        net_shares_took(member->shares, member->own[i] * member->speed(member->seat.rank, step));
        member->status = net_shares_settle(member->shares, step, exchange, &member->error);
    }
    pthread_mutex_lock(&member->lock);
    member->stop = member->status != BRAMBLE_OK;
    member->taken += member->steps;
    pthread_cond_broadcast(&member->changed);
    pthread_mutex_unlock(&member->lock);
    pthread_join(member->maker, NULL);
}

static void *run_member(void *context)
{
    struct member *member = context;
    struct exchange exchange = exchange_of(&member->seat);
    pthread_mutex_init(&member->lock, NULL);
    pthread_cond_init(&member->changed, NULL);
    member->status =
        net_shares_new(&member->shares, &exchange, ROWS, SAMPLES, member->threads, &member->error);
    if (!member->status) take_steps(member, &exchange);
    if (member->status) meeting_drop(member->seat.meeting);
    net_shares_free(member->shares);
    pthread_cond_destroy(&member->changed);
    pthread_mutex_destroy(&member->lock);
    return NULL;
}

struct game {
    struct meeting meeting;
    struct member members[MEMBERS_MAX];
};

static struct game *play(uint32_t n, speed_of *speed, uint64_t first, uint64_t steps,
                         const struct fault *fault)
{
    struct game *game = calloc(1, sizeof *game);
    meeting_init(&game->meeting, n);
    if (fault) game->meeting.fault = *fault;
    for (uint32_t m = 0; m < n; m++) {
        struct member *member = &game->members[m];
        member->seat = (struct seat){&game->meeting, m, 0};
        member->speed = speed;
        member->first = first;
        member->steps = steps;
        member->threads = m * 3; /* nobody knows how many the first has */
        assert_int_equal(pthread_create(&member->thread, NULL, run_member, member), 0);
    }
    for (uint32_t m = 0; m < n; m++) pthread_join(game->members[m].thread, NULL);
    return game;
}

static void game_free(struct game *game)
{
    meeting_fini(&game->meeting);
    free(game);
}

/* All members divide alike, and everybody's batches have its own samples and no others. */
static void check_agreement(const struct game *game)
{
    for (uint32_t m = 0; m < game->meeting.n_members; m++) {
        const struct member *member = &game->members[m];
        if (member->status) fail_msg("%s", member->error.message);
        assert_memory_equal(member->division, game->members[0].division, sizeof member->division);
        for (uint64_t i = 0; i < member->steps; i++)
            for (uint32_t s = 0; s < samples_of(member->first + i); s++)
                assert_int_equal(member->wanted[i][s], member->division[i][s / MICROBATCH] == m);
    }
}

static double changing(uint32_t rank, uint64_t step)
{
    return (1 + rank) * (double)(1 + (step / 16 + rank) % 3) * 1e-3;
}

static void test_members_agree(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= MEMBERS_MAX; n++)
        for (uint64_t first = 0; first < 17; first++) {
            struct game *game = play(n, changing, first, 60, NULL);
            check_agreement(game);
            uint32_t n_changes = 0;
            for (uint64_t i = 1; i < 60; i++)
                n_changes += samples_of(first + i) == samples_of(first + i - 1) &&
                             memcmp(game->members[0].division[i], game->members[0].division[i - 1],
                                    sizeof game->members[0].division[i]) != 0;
            assert_int_equal(n_changes > 0, n > 1);
            game_free(game);
        }
}

/* The second member is as fast as the first but for a while, when it takes a hundred times as long. */
static double slow_for_a_while(uint32_t rank, uint64_t step)
{
    return rank == 1 && step >= 50 && step < 100 ? 1.0 : 0.01;
}

static void test_shares_follow_speed(void **state)
{
    (void)state;
    struct game *game = play(2, slow_for_a_while, 0, STEPS_MAX - AHEAD, NULL);
    const struct member *member = &game->members[1];
    check_agreement(game);
    assert_int_equal(member->own[40], 5);
    assert_int_equal(member->own[80], 0);
    assert_int_equal(member->own[STEPS_MAX - AHEAD - 2], 5);
    game_free(game);
}

/* Nonsense: a time that is negative, none, enormous, or no number's length. */
static void test_nonsense_is_refused(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        {.byte = 7, .bits = 0x80}, {.byte = 7, .bits = 0x40}, {.longer = 1}, {.longer = -1}, {.longer = -8}};
    for (uint32_t i = 0; i < 6 * sizeof faults / sizeof *faults; i++) {
        struct fault fault = faults[i / 6];
        char name[64];
        uint32_t n_named = 0;
        fault.round = 1 + i % 3;
        fault.member = 1 + i % 2;
        snprintf(name, sizeof name, "member %u of the run sent no time", fault.member + 1);
        struct game *game = play(3, changing, 0, 40, &fault);
        for (uint32_t m = 0; m < 3; m++) {
            assert_int_not_equal(game->members[m].status, BRAMBLE_OK);
            n_named += strcmp(game->members[m].error.message, name) == 0;
        }
        assert_true(n_named > 0);
        game_free(game);
    }
}

static void test_every_allocation(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct meeting meeting;
    meeting_init(&meeting, 1);
    struct seat seat = {&meeting, 0, 0};
    const struct exchange exchange = exchange_of(&seat);
    for (size_t n = 1;; n++) {
        struct net_shares *shares = NULL;
        mem_fail_at(n, 0);
        bramble_status status = net_shares_new(&shares, &exchange, ROWS, SAMPLES, 1, NULL);
        for (uint64_t step = 0; !status && step < 8; step++)
            status = net_shares_settle(shares, step, &exchange, NULL);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        net_shares_free(shares);
        assert_int_equal(status, reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK);
        if (!reached) break;
    }
    meeting_fini(&meeting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_division_is_the_best), cmocka_unit_test(test_ties_go_to_the_first),
        cmocka_unit_test(test_members_agree),        cmocka_unit_test(test_shares_follow_speed),
        cmocka_unit_test(test_nonsense_is_refused),  cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
