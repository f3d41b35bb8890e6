/* Steps that members take in a ring: the bits that one machine gets, and an end for all when one cannot go
 * on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/initialise.h"
#include "net/layer_list.h"
#include "net/nets.h"
#include "threads_exchange.h"
#include "train/ring.h"

enum { BATCH = 171 /* eleven microbatches, the last of 11 */, STEPS = 3, CLASSES = 5, SIZE_MOST = 128 };

struct net_spec {
    const char *name, *text;
    struct net_shape input;
};

static const struct net_spec specs[] = {
    {"tiny", "dense outputs\n", {1, {30}}},
    {"mlp", "dense 60 relu\ndropout 0.3\ndense 20 relu\ndense outputs\n", {1, {30}}},
    {"cnn",
     "conv 8 3x3 pad same relu\nmaxpool 2\nconv 12 3x3 relu\nflatten\ndense 32 relu\ndense outputs\n",
     {3, {8, 8, 2}}},
    {"residual",
     "conv 4 3x3 pad same nobias\nbatchnorm relu\n"
     "residual\nconv 8 3x3 stride 2 pad same nobias\nbatchnorm relu\nconv 8 3x3 pad same nobias\nbatchnorm\n"
     "shortcut\nconv 8 1x1 stride 2 nobias\nbatchnorm\nend relu\nglobalavgpool\ndense outputs\n",
     {3, {6, 6, 2}}},
    {"buckets",
     "dense 300\nbatchnorm relu\ndense 300\nbatchnorm relu\ndense 250 relu\ndense outputs\n",
     {1, {30}}},
};
enum { TINY, MLP, CNN, RESIDUAL, BUCKETS, N_SPECS };

/* What a training ends with. */
struct outcome {
    char hash[33];
    double losses[STEPS], norms[STEPS];
    uint64_t correct, steps;
    size_t n_state;
    float *state;
};

struct data {
    float x[BATCH * SIZE_MOST];
    uint32_t labels[BATCH];
};

static void build(struct net_graph *graph, const struct net_spec *spec)
{
    bramble_error error = {0};
    const struct layer_list_options options = {.input = spec->input, .n_outputs = CLASSES};
    if (layer_list_build(graph, spec->text, strlen(spec->text), spec->name, &options, &error))
        fail_msg("%s", error.message);
    weights_draw(graph, 3);
}

static void fill_data(struct data *data, uint32_t step)
{
    float numbers[BATCH];
    draw(data->x, BATCH * SIZE_MOST, 2 * step + 1, -1, 1);
    draw(numbers, BATCH, 2 * step + 2, 0, 1);
    for (uint32_t i = 0; i < BATCH; i++) data->labels[i] = (uint32_t)(numbers[i] * CLASSES) % CLASSES;
}

static uint32_t samples_of(uint32_t step)
{
    return step == 1 ? BATCH : step == 2 ? 37 : 160;
}

static struct trainer *trainer_of(struct net_graph *graph, bool together)
{
    struct trainer *trainer = NULL;
    bramble_error error = {0};
    struct trainer_options options = {.batch_size = BATCH,
                                      .threads = together ? 2 : 1,
                                      .seed = 5,
                                      .together = together,
                                      .loss.kind = LOSS_CROSS_ENTROPY,
                                      .optimiser = OPTIMISER_OPTIONS_INIT};
    options.optimiser.clip_norm = 0.5;
    if (trainer_new(&trainer, graph, &options, &error)) fail_msg("%s", error.message);
    return trainer;
}

static void note_step(struct outcome *outcome, uint32_t step, const struct step_result *result)
{
    outcome->losses[step] = result->loss;
    outcome->norms[step] = result->gradient_norm;
    outcome->correct += result->correct;
}

static void note_end(struct outcome *outcome, const struct net_graph *graph, struct trainer *trainer)
{
    graph_hash(graph, outcome->hash);
    outcome->steps = trainer_steps(trainer);
    const float *state = trainer_optimiser_state(trainer, &outcome->n_state);
    outcome->state = malloc((outcome->n_state + 1) * sizeof *state);
    if (outcome->n_state) memcpy(outcome->state, state, outcome->n_state * sizeof *state);
}

static void run_alone(const struct net_spec *spec, uint32_t steps, struct outcome *outcome)
{
    struct net_graph graph;
    struct data data;
    *outcome = (struct outcome){0};
    build(&graph, spec);
    struct trainer *trainer = trainer_of(&graph, false);
    for (uint32_t step = 0; step < steps; step++) {
        fill_data(&data, step);
        struct step_result result = trainer_step(trainer, data.x, data.labels, samples_of(step), 0.01);
        assert_int_equal(result.bad_node, NET_NONE);
        note_step(outcome, step, &result);
    }
    note_end(outcome, &graph, trainer);
    trainer_free(trainer);
    graph_fini(&graph);
}

static void check_same(const struct outcome *want, const struct outcome *got)
{
    assert_memory_equal(want->losses, got->losses, sizeof want->losses);
    assert_memory_equal(want->norms, got->norms, sizeof want->norms);
    assert_int_equal(want->correct, got->correct);
    assert_int_equal(want->steps, got->steps);
    assert_string_equal(want->hash, got->hash);
    assert_int_equal(want->n_state, got->n_state);
    assert_memory_equal(want->state, got->state, want->n_state * sizeof *want->state);
}

/* A member: a thread with a network and a ring of its own. */
struct member {
    const struct net_spec *spec;
    enum reduce_slices slices;
    struct seat seats[CHANNELS];
    uint32_t poisoned_step; /* a sample of it is not a number */
    struct step_result last;
    struct outcome outcome;
    bramble_error error;
    pthread_t thread;
};

/* Shares that differ from step to step; some members have none. */
static void share_out(uint32_t *shares, uint32_t n_members, uint32_t step, uint32_t microbatches)
{
    memset(shares, 0, n_members * sizeof *shares);
    for (uint32_t i = 0; i < microbatches; i++) {
        uint32_t r = (i * 7 + step * 5 + i * i * (step + 1)) % (2 * n_members);
        shares[r < n_members ? r : step % n_members]++;
    }
}

/* The member's samples one after the other. */
static void pick(const struct division *division, uint32_t member, uint32_t samples, size_t bytes,
                 const void *from, void *to)
{
    for (uint32_t p = 0; p < division->n_pieces; p++) {
        const struct division_piece *piece = &division->pieces[p];
        if (piece->member != member) continue;
        uint32_t first = piece->first * MICROBATCH, n = (uint32_t)MICROBATCH << piece->level;
        if (first + n > samples) n = samples - first;
        memcpy(to, (const char *)from + first * bytes, n * bytes);
        to = (char *)to + n * bytes;
    }
}

static struct step_result take_step(const struct member *member, const struct ring *ring,
                                    struct trainer *trainer, struct division *division, uint32_t size,
                                    uint32_t step)
{
    uint32_t shares[MEMBERS_MAX], samples = samples_of(step), rank = member->seats[0].rank, labels[BATCH];
    struct data data;
    float *x = malloc(sizeof data.x);
    fill_data(&data, step);
    if (step == member->poisoned_step) data.x[(samples - 1) * size] = NAN;
    share_out(shares, division->n_members, step, (samples + MICROBATCH - 1) / MICROBATCH);
    division_set(division, shares);
    pick(division, rank, samples, size * sizeof(float), data.x, x);
    pick(division, rank, samples, sizeof *labels, data.labels, labels);
    struct loss_options loss = {.kind = LOSS_CROSS_ENTROPY};
    struct step_share share = {.peers = ring_peers(ring), .division = division, .samples = samples};
    share.total_weight = loss_weight(&loss, data.labels, NULL, samples, CLASSES);
    struct step_result result = trainer_step_together(trainer, x, labels, &share, 0.01);
    free(x);
    return result;
}

static void *run_member(void *context)
{
    struct member *member = context;
    struct exchange exchanges[CHANNELS];
    struct net_graph graph;
    struct division division;
    struct ring *ring;
    for (uint32_t c = 0; c < CHANNELS; c++) exchanges[c] = exchange_of(&member->seats[c]);
    build(&graph, member->spec);
    struct trainer *trainer = trainer_of(&graph, true);
    assert_int_equal(division_init(&division, exchanges->n_members, BATCH / MICROBATCH + 1, NULL),
                     BRAMBLE_OK);
    assert_int_equal(ring_new(&ring, exchanges, member->slices, NULL), BRAMBLE_OK);
    for (uint32_t step = 0; step < STEPS; step++) {
        member->last = take_step(member, ring, trainer, &division, graph.values[graph.input].size, step);
        if (member->last.broken || member->last.bad_node != NET_NONE) break;
        note_step(&member->outcome, step, &member->last);
        assert_true(ring_waited(ring) >= 0);
    }
    member->error = *ring_error(ring);
    ring_free(ring); /* which may be in an exchange that the others do not come to */
    if (member->last.broken) meeting_drop(member->seats->meeting);
    note_end(&member->outcome, &graph, trainer);
    division_fini(&division);
    trainer_free(trainer);
    graph_fini(&graph);
    return NULL;
}

struct game {
    struct meeting meeting;
    struct member members[MEMBERS_MAX];
};

static void play_as(struct game *game, enum reduce_slices slices, const struct net_spec *spec, uint32_t n,
                    const struct fault *fault, uint32_t poisoned_step)
{
    memset(game, 0, sizeof *game);
    meeting_init(&game->meeting, n);
    if (fault) game->meeting.fault = *fault;
    for (uint32_t m = 0; m < n; m++) {
        struct member *member = &game->members[m];
        member->spec = spec;
        member->slices = slices;
        member->poisoned_step = poisoned_step;
        for (uint32_t c = 0; c < CHANNELS; c++) member->seats[c] = (struct seat){&game->meeting, m, c};
        assert_int_equal(pthread_create(&member->thread, NULL, run_member, member), 0);
    }
    for (uint32_t m = 0; m < n; m++) pthread_join(game->members[m].thread, NULL);
}

static void play(struct game *game, const struct net_spec *spec, uint32_t n, const struct fault *fault,
                 uint32_t poisoned_step)
{
    play_as(game, REDUCE_EVEN, spec, n, fault, poisoned_step);
}

static void game_fini(struct game *game)
{
    for (uint32_t m = 0; m < game->meeting.n_members; m++) free(game->members[m].outcome.state);
    meeting_fini(&game->meeting);
}

static void test_members_get_the_bits_of_one(void **state)
{
    (void)state;
    struct game game;
    for (uint32_t s = 0; s < N_SPECS; s++) {
        struct outcome alone;
        run_alone(&specs[s], STEPS, &alone);
        for (uint32_t n = 1; n <= MEMBERS_MAX; n++) {
            play(&game, &specs[s], n, NULL, STEPS);
            for (uint32_t m = 0; m < n; m++) {
                assert_false(game.members[m].last.broken);
                assert_int_equal(game.members[m].error.status, BRAMBLE_OK);
                check_same(&alone, &game.members[m].outcome);
            }
            game_fini(&game);
        }
        free(alone.state);
    }
}

/* Of all steps, by so many members: of each piece that the member with most of them has a round a bucket, or
 * one for all of them. */
static size_t rounds_of_pieces(uint32_t n_members, size_t buckets, bool gathers)
{
    size_t rounds = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t shares[MEMBERS_MAX], most = 1;
        share_out(shares, n_members, step, (samples_of(step) + MICROBATCH - 1) / MICROBATCH);
        for (uint32_t m = 0; m < n_members; m++) {
            uint32_t pieces = (uint32_t)__builtin_popcount(shares[m]);
            if (pieces > most) most = pieces;
        }
        rounds += (gathers ? 1 : most) * buckets;
    }
    return rounds;
}

/* Gradients that meet at one member are added up in the same order; all buckets go there and back. */
static void test_a_central_member(void **state)
{
    (void)state;
    static const size_t buckets[N_SPECS] = {[RESIDUAL] = 1, [BUCKETS] = 3};
    struct game game;
    for (uint32_t s = RESIDUAL; s <= BUCKETS; s++) {
        struct outcome alone;
        run_alone(&specs[s], STEPS, &alone);
        for (uint32_t n = 1; n <= MEMBERS_MAX; n += 2) {
            play_as(&game, REDUCE_CENTRAL, &specs[s], n, NULL, STEPS);
            for (uint32_t m = 0; m < n; m++) {
                assert_int_equal(game.members[m].error.status, BRAMBLE_OK);
                check_same(&alone, &game.members[m].outcome);
            }
            size_t rounds = rounds_of_pieces(n, buckets[s], true) + (n > 1 ? STEPS * buckets[s] : 0);
            assert_int_equal(game.meeting.channels[1].rounds[0], rounds);
            game_fini(&game);
        }
        free(alone.state);
    }
}

/* The totals of small buckets need no round of their own, those of others do. */
static void test_both_ways_are_gone(void **state)
{
    (void)state;
    static const size_t totals[N_SPECS] = {[TINY] = 0, [MLP] = 1, [CNN] = 1, [RESIDUAL] = 0, [BUCKETS] = 3};
    struct game game;
    for (uint32_t s = 0; s < N_SPECS; s++) {
        play(&game, &specs[s], 3, NULL, STEPS);
        size_t rounds =
            rounds_of_pieces(3, s == BUCKETS ? 3 : 1, s == RESIDUAL || s == BUCKETS) + STEPS * totals[s];
        assert_int_equal(game.meeting.channels[1].rounds[0], rounds);
        game_fini(&game);
    }
}

/* Whoever got this far has what one machine has then, alone[steps]. */
static void check_whole_steps(const struct game *game, const struct outcome *alone)
{
    for (uint32_t m = 0; m < game->meeting.n_members; m++) {
        assert_true(game->members[m].outcome.steps <= STEPS);
        check_same(&alone[game->members[m].outcome.steps], &game->members[m].outcome);
    }
}

static void run_prefixes(const struct net_spec *spec, struct outcome alone[STEPS + 1])
{
    for (uint32_t steps = 0; steps <= STEPS; steps++) run_alone(spec, steps, &alone[steps]);
}

static void free_prefixes(struct outcome alone[STEPS + 1])
{
    for (uint32_t steps = 0; steps <= STEPS; steps++) free(alone[steps].state);
}

/* One member's exchange fails: it says so, and its end is that of all. */
static void check_failing(const struct net_spec *spec, const struct outcome *alone, uint32_t n,
                          struct fault fault)
{
    struct game game;
    play(&game, spec, n, &fault, STEPS);
    const struct member *failed = &game.members[fault.member];
    assert_true(failed->last.broken);
    assert_string_equal(failed->error.message, "the wire broke");
    for (uint32_t m = 0; m < n; m++) {
        const struct member *member = &game.members[m];
        if (!member->last.broken) assert_int_equal(member->outcome.steps, STEPS);
        if (member->last.broken) assert_true(member->error.status && *member->error.message);
    }
    check_whole_steps(&game, alone);
    game_fini(&game);
}

static void test_an_exchange_that_fails(void **state)
{
    (void)state;
    static const uint32_t some[] = {MLP, RESIDUAL, BUCKETS};
    for (size_t s = 0; s < sizeof some / sizeof *some; s++) {
        struct game whole;
        struct outcome alone[STEPS + 1];
        run_prefixes(&specs[some[s]], alone);
        play(&whole, &specs[some[s]], 3, NULL, STEPS);
        for (uint32_t c = 0; c < CHANNELS; c++)
            for (size_t k = 1; k <= whole.meeting.channels[c].rounds[0]; k++)
                check_failing(&specs[some[s]], alone, 2 + k % 2,
                              (struct fault){.round = k, .channel = c, .member = (k + c) % 2, .fails = true});
        game_fini(&whole);
        free_prefixes(alone);
    }
}

/* How many name the member whose lengths were wrong; then none went on. */
static uint32_t check_named(const struct game *game, uint32_t wrong)
{
    char name[64];
    uint32_t n_named = 0, n_broken = 0;
    snprintf(name, sizeof name, "member %u of the run sent what is no part of this step", wrong + 1);
    for (uint32_t m = 0; m < game->meeting.n_members; m++) {
        const struct member *member = &game->members[m];
        n_broken += member->last.broken;
        if (strcmp(member->error.message, name) != 0) continue;
        assert_int_equal(member->error.status, BRAMBLE_ERR_IO);
        assert_int_not_equal(m, wrong);
        n_named++;
    }
    assert_int_equal(n_broken, n_named ? game->meeting.n_members : 0);
    return n_named;
}

/* A member sends more than its part, or less where it has one: others name it. */
static void test_wrong_lengths_are_refused(void **state)
{
    (void)state;
    static const int longer[] = {1, 4, 64, -1, -4};
    static const uint32_t some[] = {TINY, RESIDUAL, BUCKETS};
    struct outcome alone[3][STEPS + 1];
    uint32_t n_shorter = 0;
    for (uint32_t i = 0; i < 3; i++) run_prefixes(&specs[some[i]], alone[i]);
    for (uint32_t i = 0; i < 60; i++) {
        struct fault fault = {
            .round = 1 + i % 2, .channel = i / 2 % 2, .member = i / 4 % 3, .longer = longer[i / 12]};
        struct game game;
        play_as(&game, i / 8 % 2 ? REDUCE_CENTRAL : REDUCE_EVEN, &specs[some[i % 3]], 3, &fault, STEPS);
        uint32_t n_named = check_named(&game, fault.member);
        if (fault.longer > 0) assert_true(n_named > 0);
        n_shorter += fault.longer < 0 && n_named;
        check_whole_steps(&game, alone[i % 3]);
        game_fini(&game);
    }
    for (uint32_t i = 0; i < 3; i++) free_prefixes(alone[i]);
    assert_true(n_shorter > 10);
}

/* A number that is none is no broken ring: all say the same of it, and end without each other. */
static void test_what_is_not_finite(void **state)
{
    (void)state;
    struct game game;
    for (uint32_t s = RESIDUAL; s <= BUCKETS; s++) {
        play(&game, &specs[s], 3, NULL, 1);
        for (uint32_t m = 0; m < 3; m++) {
            assert_false(game.members[m].last.broken);
            assert_int_equal(game.members[m].last.bad_node, 0);
            assert_int_equal(game.members[m].error.status, BRAMBLE_OK);
            assert_int_equal(game.members[m].outcome.steps, 1);
            assert_string_equal(game.members[m].outcome.hash, game.members[0].outcome.hash);
        }
        game_fini(&game);
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
    struct seat seats[CHANNELS] = {{&meeting, 0, 0}, {&meeting, 0, 1}};
    const struct exchange exchanges[CHANNELS] = {exchange_of(&seats[0]), exchange_of(&seats[1])};
    for (size_t n = 1;; n++) {
        struct ring *ring = NULL;
        mem_fail_at(n, 0);
        bramble_status status = ring_new(&ring, exchanges, REDUCE_EVEN, NULL);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        ring_free(ring);
        assert_int_equal(status, reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK);
        if (!reached) break;
    }
    ring_free(NULL);
    meeting_fini(&meeting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_get_the_bits_of_one),
        cmocka_unit_test(test_a_central_member),
        cmocka_unit_test(test_both_ways_are_gone),
        cmocka_unit_test(test_an_exchange_that_fails),
        cmocka_unit_test(test_wrong_lengths_are_refused),
        cmocka_unit_test(test_what_is_not_finite),
        cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
