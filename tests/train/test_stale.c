/* Members that train by way of the first one without waiting for each other: every batch once, never further
 * apart than they may be, alone what one machine does, and an end for all when one cannot go on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/nets.h"
#include "threads_exchange.h"
#include "train/stale.h"

#define RATE 0.02

enum { ROWS = 205, BATCH = 20, BATCHES = 11 /* the last of 5 */, EPOCHS = 5, NEVER = 1000 };

/* --- trainings --- */

struct data {
    float x[EPOCHS][ROWS * NET_IN];
    uint32_t labels[EPOCHS][ROWS];
};

/* A member: a thread that works; the first has another that serves. */
struct member {
    struct game *game;
    struct seat seats[CHANNELS];
    struct exchange exchanges[CHANNELS];
    struct net_graph graph;
    struct trainer *trainer;
    struct stale_worker worker;
    uint32_t n_batches;
    bramble_error error;
    pthread_t thread;
};

struct game {
    struct meeting meeting;
    struct data data;
    struct member members[MEMBERS_MAX];
    uint32_t staleness, first; /* batches of the first epoch that are done already */
    uint32_t poisoned;         /* batch of the second epoch that has what is no number */
    uint32_t slow;             /* this member takes a while */
    /* The server's. */
    struct net_graph graph;
    struct trainer *trainer;
    struct stale_server server;
    struct step_result failed; /* the result that is no good */
    uint32_t applied, waits;   /* waits: how often it stopped for what is whole */
    double losses[EPOCHS];
    bramble_error error;
};

static void fill(struct data *data)
{
    for (uint32_t e = 0; e < EPOCHS; e++) {
        draw(data->x[e], ROWS * NET_IN, 1, -1, 1);
        for (uint32_t r = 0; r < ROWS; r++)
            data->labels[e][r] = (uint32_t)(2 * (data->x[e][r * NET_IN] + 1) + 0.5F) % NET_OUT;
    }
}

static struct trainer *trainer_of(struct net_graph *graph)
{
    struct trainer *trainer = NULL;
    struct trainer_options options = {.batch_size = BATCH,
                                      .threads = 1,
                                      .seed = 5,
                                      .loss.kind = LOSS_CROSS_ENTROPY,
                                      .optimiser = OPTIMISER_OPTIONS_INIT};
    options.optimiser.clip_norm = 1;
    net_residual(graph);
    assert_int_equal(trainer_new(&trainer, graph, &options, NULL), BRAMBLE_OK);
    return trainer;
}

static uint32_t samples_of(uint64_t batch)
{
    return batch + 1 == BATCHES ? ROWS % BATCH : BATCH;
}

static void end_member(struct member *member, const bramble_error *error)
{
    if (error->status && !member->error.status) member->error = *error;
    if (error->status) meeting_drop(&member->game->meeting);
}

/* What net_data would make of the batch. */
static struct net_batch batch_of(struct member *member, struct batches_state at)
{
    struct data *data = &member->game->data;
    bool ours = turns_want(&member->worker.turns, at, samples_of(at.batch), 0);
    return (struct net_batch){.x = data->x[at.epoch] + at.batch * BATCH * NET_IN,
                              .target = data->labels[at.epoch] + at.batch * BATCH,
                              .samples = samples_of(at.batch),
                              .n = ours ? samples_of(at.batch) : 0};
}

static void *work(void *context)
{
    struct member *member = context;
    bramble_error error = {0};
    bramble_status status = BRAMBLE_OK;
    for (struct batches_state at = {0, member->game->first}; !status && at.epoch < EPOCHS;) {
        struct net_batch batch = batch_of(member, at);
        if (turns_are_over(&member->worker.turns)) break;
        if (batch.n && member->seats[0].rank == member->game->slow)
            nanosleep(&(struct timespec){0, 3000000}, NULL);
        status = stale_worker_pass(&member->worker, at, &batch, &error);
        member->n_batches += batch.n > 0;
        if (++at.batch == BATCHES) at = (struct batches_state){at.epoch + 1, 0};
    }
    end_member(member, &error);
    return NULL;
}

/* No batch that is at work is further from the oldest than it may be. */
static void check_distance(const struct game *game)
{
    const struct handout *handout = &game->server.handout;
    uint64_t least = handout->next, most = 0;
    for (uint32_t m = 0; m < handout->n_members; m++) {
        if (handout->at[m] == HANDOUT_NONE) continue;
        if (handout->at[m] < least) least = handout->at[m];
        if (handout->at[m] > most) most = handout->at[m];
    }
    assert_true(most < least || most / handout->n_members - least / handout->n_members <= game->staleness);
}

/* One application; now and then all that is out is waited for, as for a snapshot. */
static bramble_status serve_once(struct game *game, struct batches_state at, bramble_error *error)
{
    struct stale_applied applied;
    bramble_status status = stale_server_serve(&game->server, RATE, &applied, error);
    if (status) return status;
    game->failed = applied.result;
    if (applied.result.bad_node != NET_NONE || !isfinite(applied.result.loss))
        return error_set(error, BRAMBLE_ERR_DATA, "diverged");
    game->applied++;
    game->losses[at.epoch] += applied.result.loss * applied.samples;
    check_distance(game);
    if (at.batch % 4 == 3 || game->server.holds_back) game->waits += !stale_server_is_whole(&game->server);
    return BRAMBLE_OK;
}

static void serve(struct game *game)
{
    bramble_error error = {0};
    bramble_status status = BRAMBLE_OK;
    for (uint32_t epoch = 0; !status && epoch < EPOCHS; epoch++) {
        uint64_t first = epoch ? 0 : game->first;
        stale_server_begin(&game->server, first);
        turns_tell(&game->members[0].worker.turns,
                   (struct batches_state){epoch, handout_first(0, first, BATCHES)});
        for (uint64_t b = first; !status && b < BATCHES; b++)
            status = serve_once(game, (struct batches_state){epoch, b}, &error);
        if (!status) assert_true(handout_is_over(&game->server.handout));
    }
    game->error = error;
    if (status) meeting_drop(&game->meeting);
    turns_end(&game->members[0].worker.turns);
}

static struct stale_net net_of(const struct exchange *exchanges, struct trainer *trainer,
                               const struct net_graph *graph)
{
    return (struct stale_net){exchanges,       trainer, graph->weights, graph->n_parameters,
                              graph->n_states, ROWS,    BATCH};
}

static void start_member(struct game *game, uint32_t rank)
{
    struct member *member = &game->members[rank];
    member->game = game;
    for (uint32_t c = 0; c < CHANNELS; c++) {
        member->seats[c] = (struct seat){&game->meeting, rank, c};
        member->exchanges[c] = exchange_of(&member->seats[c]);
    }
    member->trainer = trainer_of(&member->graph);
    const struct stale_net net = net_of(member->exchanges, member->trainer, &member->graph);
    assert_int_equal(stale_worker_init(&member->worker, &net, NULL), BRAMBLE_OK);
    if (rank)
        turns_tell(&member->worker.turns,
                   (struct batches_state){0, handout_first(rank, game->first, BATCHES)});
}

static void play(struct game *game, uint32_t n, const struct fault *fault)
{
    meeting_init(&game->meeting, n);
    if (fault) game->meeting.fault = *fault;
    fill(&game->data);
    if (game->poisoned < BATCHES) game->data.x[1][game->poisoned * BATCH * NET_IN] = NAN;
    for (uint32_t m = 0; m < n; m++) start_member(game, m);
    game->trainer = trainer_of(&game->graph);
    const struct stale_net net = net_of(game->members[0].exchanges, game->trainer, &game->graph);
    assert_int_equal(stale_server_init(&game->server, &net, game->staleness, NULL), BRAMBLE_OK);
    for (uint32_t m = 0; m < n; m++)
        assert_int_equal(pthread_create(&game->members[m].thread, NULL, work, &game->members[m]), 0);
    serve(game);
    for (uint32_t m = 0; m < n; m++) pthread_join(game->members[m].thread, NULL);
}

static struct game *game_new(uint32_t staleness)
{
    struct game *game = calloc(1, sizeof *game);
    *game = (struct game){.staleness = staleness, .poisoned = NEVER, .slow = NEVER};
    return game;
}

static void game_free(struct game *game)
{
    for (uint32_t m = 0; m < game->meeting.n_members; m++) {
        stale_worker_fini(&game->members[m].worker);
        trainer_free(game->members[m].trainer);
        graph_fini(&game->members[m].graph);
    }
    stale_server_fini(&game->server);
    trainer_free(game->trainer);
    graph_fini(&game->graph);
    meeting_fini(&game->meeting);
    free(game);
}

static void test_alone_it_is_one_machine(void **state)
{
    (void)state;
    struct net_graph graph;
    struct game *game = game_new(1);
    char want[33], got[33];
    double losses[EPOCHS] = {0};
    play(game, 1, NULL);
    struct trainer *trainer = trainer_of(&graph);
    for (uint32_t e = 0; e < EPOCHS; e++)
        for (uint32_t b = 0; b < BATCHES; b++)
            losses[e] += trainer_step(trainer, game->data.x[e] + b * BATCH * NET_IN,
                                      game->data.labels[e] + b * BATCH, samples_of(b), RATE)
                             .loss *
                         samples_of(b);
    graph_hash(&graph, want);
    graph_hash(&game->graph, got);
    assert_string_equal(want, got);
    assert_memory_equal(losses, game->losses, sizeof losses);
    assert_int_equal(game->waits, 0);
    trainer_free(trainer);
    graph_fini(&graph);
    game_free(game);
}

/* All have the server's weights in the end, each batch was applied, and the slow one did fewest. */
static void test_members_at_their_own_pace(void **state)
{
    (void)state;
    uint32_t waits = 0;
    for (uint32_t n = 2; n <= MEMBERS_MAX; n++) {
        struct game *game = game_new(1 + n % 3);
        game->slow = n % 2 ? n - 1 : NEVER;
        game->first = n == 4 ? 9 : 0; /* two batches are left of the first epoch */
        play(game, n, NULL);
        uint32_t sum = 0;
        for (uint32_t m = 0; m < n; m++) {
            assert_int_equal(game->members[m].error.status, BRAMBLE_OK);
            assert_memory_equal(game->members[m].graph.weights, game->graph.weights,
                                (game->graph.n_parameters + game->graph.n_states) * sizeof(float));
            if (game->slow < n)
                assert_true(game->members[m].n_batches >= game->members[game->slow].n_batches);
            sum += game->members[m].n_batches;
        }
        assert_int_equal(game->error.status, BRAMBLE_OK);
        assert_int_equal(game->applied, EPOCHS * BATCHES - game->first);
        assert_int_equal(sum, game->applied);
        assert_int_equal(trainer_steps(game->trainer), game->applied);
        assert_true(game->losses[EPOCHS - 1] < game->losses[1]);
        waits += game->waits;
        game_free(game);
    }
    assert_true(waits > 0);
}

/* The others end too, wherever they are. */
static void check_ends(const struct game *game)
{
    for (uint32_t m = 0; m < game->meeting.n_members; m++)
        assert_true(game->members[m].error.status || game->members[m].n_batches > 0 || m == 0);
    assert_true(game->applied < EPOCHS * BATCHES);
    assert_int_equal(trainer_steps(game->trainer), game->server.applied);
}

static void test_what_is_not_finite(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 3; n++) {
        struct game *game = game_new(2);
        game->poisoned = 2 * n;
        play(game, n, NULL);
        assert_int_equal(game->error.status, BRAMBLE_ERR_DATA);
        assert_int_equal(game->failed.bad_node, 0);
        check_ends(game);
        game_free(game);
    }
}

/* What the server is sent, and what it sends, of wrong lengths and with heads that say something else. */
static void test_nonsense_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct fault fault;
        const char *says;
    } some[] = {
        {{.round = 1, .longer = 4}, "no gradient of its batch"},
        {{.round = 3, .longer = -4}, "no gradient of its batch"},
        {{.round = 2, .longer = -(int)sizeof(float) * 400}, "no gradient of its batch"},
        {{.round = 2, .byte = 0, .bits = 1}, "no gradient of its batch"},    /* another batch */
        {{.round = 2, .byte = 7, .bits = 0x80}, "no gradient of its batch"}, /* one that is none */
        {{.round = 1, .byte = 9, .bits = 1}, "no gradient of its batch"},    /* too many right */
        {{.round = 1, .byte = 24, .bits = 1}, "no gradient of its batch"},   /* numbers too many */
        {{.round = 1, .channel = 1, .longer = 1}, "what are no weights"},
        {{.round = 2, .channel = 1, .longer = -8}, "what are no weights"},
        {{.round = 2, .channel = 1, .byte = 6, .bits = 1}, "what are no weights"},
        {{.round = 2, .channel = 1, .byte = 0, .bits = 0xff}, "what are no weights"},
    };
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        struct fault fault = some[i].fault;
        struct game *game = game_new(2);
        fault.letter = true;
        fault.member = fault.channel ? 0 : 2;
        play(game, 3, &fault);
        bool said = strstr(game->error.message, some[i].says) != NULL;
        for (uint32_t m = 0; m < 3; m++) said |= strstr(game->members[m].error.message, some[i].says) != NULL;
        if (!said) fail_msg("fault %zu: %s", i, game->error.message);
        check_ends(game);
        game_free(game);
    }
}

static void test_a_member_that_leaves(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        struct game *game = game_new(1);
        const struct fault fault = {
            .letter = true, .round = 1 + i, .channel = i % 2, .member = i % 2 ? 0 : 1 + i % 2, .fails = true};
        play(game, 3, &fault);
        assert_true(game->error.status != BRAMBLE_OK);
        check_ends(game);
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
    struct exchange exchanges[] = {exchange_of(&seat), exchange_of(&seat)};
    struct net_graph graph;
    struct trainer *trainer = trainer_of(&graph);
    const struct stale_net net = net_of(exchanges, trainer, &graph);
    for (size_t n = 1;; n++) {
        struct stale_server server = {0};
        struct stale_worker worker;
        mem_fail_at(n, 0);
        bramble_status status = stale_server_init(&server, &net, 1, NULL);
        bramble_status other = stale_worker_init(&worker, &net, NULL);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        stale_server_fini(&server);
        stale_worker_fini(&worker);
        assert_int_equal(status == BRAMBLE_ERR_MEMORY || other == BRAMBLE_ERR_MEMORY, reached);
        if (!reached) break;
    }
    trainer_free(trainer);
    graph_fini(&graph);
    meeting_fini(&meeting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone_it_is_one_machine), cmocka_unit_test(test_members_at_their_own_pace),
        cmocka_unit_test(test_what_is_not_finite),      cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_a_member_that_leaves),    cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
