/* Steps that several members take together: the bits that one machine gets, whoever has which share. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/initialise.h"
#include "net/layer_list.h"
#include "nets.h"
#include "thread_peers.h"

enum { BATCH = 171 /* eleven microbatches, the last of 11 */, STEPS = 4, CLASSES = 5, SIZE_MOST = 128 };

struct net_spec {
    const char *name, *text;
    struct net_shape input;
};

static const struct net_spec specs[] = {
    {"mlp", "dense 40 relu\ndropout 0.3\ndense 20 relu\ndense outputs\n", {1, {30}}},
    {"cnn",
     "conv 8 3x3 pad same relu\nmaxpool 2\nconv 12 3x3 relu\nflatten\ndense 32 relu\ndense outputs\n",
     {3, {8, 8, 2}}},
    {"residual",
     "conv 4 3x3 pad same nobias\nbatchnorm relu\n"
     "repeat 2\nresidual\nconv 4 3x3 pad same nobias\nbatchnorm relu\n"
     "conv 4 3x3 pad same nobias\nbatchnorm\nend relu\nend\n"
     "residual\nconv 8 3x3 stride 2 pad same nobias\nbatchnorm relu\nconv 8 3x3 pad same nobias\nbatchnorm\n"
     "shortcut\nconv 8 1x1 stride 2 nobias\nbatchnorm\nend relu\nglobalavgpool\ndense outputs\n",
     {3, {6, 6, 2}}},
    {"attention",
     "reshape 8x8\ndense 16\nposition\nresidual\nlayernorm\nattention 4\nend\n"
     "residual\nlayernorm\ndense 32 gelu\ndropout 0.1\ndense 16\nend\nlayernorm\nglobalavgpool\n"
     "dense outputs\n",
     {1, {64}}},
    {"recurrent", "reshape 6x5\nlstm 7 bidirectional\ngru 6 last\ndense outputs\n", {1, {30}}},
    {"wide", "dense 700 relu\ndense 700 relu\ndense 150 relu\ndense outputs\n", {1, {30}}},
};
enum { N_SPECS = sizeof specs / sizeof *specs };

struct task {
    const struct net_spec *spec; /* NULL: net_odd */
    struct optimiser_options optimiser;
    enum loss_kind loss;
    bool weighted; /* classes differ */
};

struct data {
    float *x; /* [BATCH][SIZE_MOST] */
    uint32_t labels[BATCH];
    float y[BATCH * CLASSES];
};

/* What a run ends with. */
struct outcome {
    char hash[33];
    double losses[STEPS], norms[STEPS];
    uint64_t correct, steps;
    size_t n_state;
    float *state;
};

static void outcome_free(struct outcome *outcome)
{
    free(outcome->state);
}

static void build(struct net_graph *graph, const struct net_spec *spec)
{
    bramble_error error = {0};
    if (!spec) {
        net_odd(graph);
        return;
    }
    const struct layer_list_options options = {.input = spec->input, .n_outputs = CLASSES};
    if (layer_list_build(graph, spec->text, strlen(spec->text), spec->name, &options, &error))
        fail_msg("%s", error.message);
    weights_draw(graph, 3);
}

static size_t input_size(const struct net_graph *graph)
{
    return graph->values[graph->input].size;
}

static void fill_data(struct data *data, uint32_t step)
{
    draw(data->x, BATCH * SIZE_MOST, 2 * step + 1, -1, 1);
    draw(data->y, BATCH * CLASSES, 2 * step + 2, 0, 1);
    for (uint32_t i = 0; i < BATCH; i++) data->labels[i] = (uint32_t)(data->y[i] * CLASSES) % CLASSES;
}

static uint64_t samples_of(uint32_t step)
{
    return step == 1 ? BATCH : step == 2 ? 37 : 160;
}

static struct trainer *trainer_of(struct net_graph *graph, const struct task *task, bool together)
{
    static const float weights[CLASSES] = {0.3f, 1.7f, 0.9f, 2.1f, 0.7f};
    struct trainer *trainer = NULL;
    bramble_error error = {0};
    struct trainer_options options = {.batch_size = BATCH,
                                      .threads = together ? 2 : 1,
                                      .seed = 5,
                                      .together = together,
                                      .loss = {.kind = task->loss, .delta = 1},
                                      .optimiser = task->optimiser};
    if (task->weighted) options.loss.class_weight = weights;
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

static const void *target_of(const struct task *task, const struct data *data)
{
    return task->loss == LOSS_CROSS_ENTROPY ? (const void *)data->labels : data->y;
}

static void run_alone(const struct task *task, struct outcome *outcome)
{
    struct net_graph graph;
    struct data data = {.x = malloc(sizeof(float) * BATCH * SIZE_MOST)};
    *outcome = (struct outcome){0};
    build(&graph, task->spec);
    struct trainer *trainer = trainer_of(&graph, task, false);
    for (uint32_t step = 0; step < STEPS; step++) {
        fill_data(&data, step);
        struct step_result result =
            trainer_step(trainer, data.x, target_of(task, &data), samples_of(step), 0.01);
        assert_int_equal(result.bad_node, NET_NONE);
        note_step(outcome, step, &result);
    }
    note_end(outcome, &graph, trainer);
    trainer_free(trainer);
    graph_fini(&graph);
    free(data.x);
}

/* A member: a thread with a network of its own. */
struct member {
    const struct task *task;
    struct peers_seat seat;
    pthread_t thread;
    struct outcome outcome;
    struct step_result last;
    uint32_t poisoned_step; /* a sample of it is not a number; STEPS: none */
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
static void pick(const struct division *division, uint32_t member, uint64_t samples, size_t bytes,
                 const void *from, void *to)
{
    for (uint32_t p = 0; p < division->n_pieces; p++) {
        const struct division_piece *piece = &division->pieces[p];
        if (piece->member != member) continue;
        uint64_t first = (uint64_t)piece->first * MICROBATCH, n = (uint64_t)MICROBATCH << piece->level;
        if (first + n > samples) n = samples - first;
        memcpy(to, (const char *)from + first * bytes, n * bytes);
        to = (char *)to + n * bytes;
    }
}

static struct step_result take_step(struct member *member, struct trainer *trainer, struct division *division,
                                    size_t size, uint32_t step)
{
    uint32_t shares[PEERS_MAX], n = member->seat.meeting->n_members;
    uint64_t samples = samples_of(step);
    bool classes = member->task->loss == LOSS_CROSS_ENTROPY;
    size_t target_bytes = classes ? sizeof(uint32_t) : CLASSES * sizeof(float);
    struct data data = {.x = malloc(sizeof(float) * BATCH * SIZE_MOST)};
    float *x = malloc(sizeof(float) * BATCH * size + 1);
    void *target = malloc(BATCH * target_bytes);
    fill_data(&data, step);
    if (step == member->poisoned_step) data.x[(samples - 1) * size] = NAN;
    share_out(shares, n, step, (uint32_t)((samples + MICROBATCH - 1) / MICROBATCH));
    division_set(division, shares);
    pick(division, member->seat.member, samples, size * sizeof(float), data.x, x);
    pick(division, member->seat.member, samples, target_bytes, target_of(member->task, &data), target);
    static const float weights[CLASSES] = {0.3f, 1.7f, 0.9f, 2.1f, 0.7f};
    struct loss_options loss = {.kind = member->task->loss,
                                .class_weight = member->task->weighted ? weights : NULL};
    struct net_peers peers = seat_peers(&member->seat);
    struct step_share share = {.peers = &peers, .division = division, .samples = samples};
    share.total_weight = loss_weight(&loss, target_of(member->task, &data), NULL, samples, CLASSES);
    struct step_result result = trainer_step_together(trainer, x, target, &share, 0.01);
    free(data.x);
    free(x);
    free(target);
    return result;
}

static void *run_member(void *context)
{
    struct member *member = context;
    struct net_graph graph;
    struct division division;
    build(&graph, member->task->spec);
    struct trainer *trainer = trainer_of(&graph, member->task, true);
    uint32_t n = member->seat.meeting->n_members;
    assert_int_equal(division_init(&division, n, (BATCH + MICROBATCH - 1) / MICROBATCH, NULL), BRAMBLE_OK);
    for (uint32_t step = 0; step < STEPS; step++) {
        member->last = take_step(member, trainer, &division, input_size(&graph), step);
        if (member->last.broken || member->last.bad_node != NET_NONE) break;
        note_step(&member->outcome, step, &member->last);
    }
    note_end(&member->outcome, &graph, trainer);
    division_fini(&division);
    trainer_free(trainer);
    graph_fini(&graph);
    return NULL;
}

static void run_members(const struct task *task, struct member *members, uint32_t n, uint32_t breaks_at,
                        uint32_t poisoned_step)
{
    struct peers_meeting meeting = {.n_members = n, .breaks_at = breaks_at};
    pthread_barrier_init(&meeting.barrier, NULL, n);
    for (uint32_t m = 0; m < n; m++) {
        memset(&members[m], 0, sizeof members[m]);
        members[m].task = task;
        members[m].poisoned_step = poisoned_step;
        members[m].seat.meeting = &meeting;
        members[m].seat.member = m;
        assert_int_equal(pthread_create(&members[m].thread, NULL, run_member, &members[m]), 0);
    }
    for (uint32_t m = 0; m < n; m++) pthread_join(members[m].thread, NULL);
    pthread_barrier_destroy(&meeting.barrier);
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

static void check_members(const struct task *task, uint32_t n)
{
    struct outcome alone;
    struct member members[PEERS_MAX];
    run_alone(task, &alone);
    run_members(task, members, n, 0, STEPS);
    for (uint32_t m = 0; m < n; m++) {
        check_same(&alone, &members[m].outcome);
        assert_int_equal(members[m].seat.wrong, 0);
        outcome_free(&members[m].outcome);
    }
    outcome_free(&alone);
}

static const uint32_t counts[] = {1, 2, 3, 5};

static void test_networks(void **state)
{
    (void)state;
    struct task task = {.optimiser = OPTIMISER_OPTIONS_INIT};
    task.optimiser.clip_norm = 0.5;
    for (size_t s = 0; s < N_SPECS; s++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            task.spec = &specs[s];
            check_members(&task, counts[c]);
        }
    task.spec = NULL; /* a weight that two nodes train */
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) check_members(&task, counts[c]);
}

static void test_optimisers(void **state)
{
    (void)state;
    for (int kind = OPTIMISER_SGD; kind <= OPTIMISER_RMSPROP; kind++) {
        struct task task = {.spec = &specs[2], .optimiser = OPTIMISER_OPTIONS_INIT};
        task.optimiser.kind = (enum optimiser_kind)kind;
        task.optimiser.weight_decay = 0.01;
        check_members(&task, 3);
    }
}

static void test_losses(void **state)
{
    (void)state;
    struct task task = {.spec = &specs[0], .optimiser = OPTIMISER_OPTIONS_INIT, .weighted = true};
    check_members(&task, 3);
    task.weighted = false;
    for (int kind = LOSS_MEAN_SQUARED_ERROR; kind <= LOSS_HUBER; kind++) {
        task.loss = (enum loss_kind)kind;
        check_members(&task, 3);
    }
}

/* The last step goes wrong: nothing of it stays, and the steps before are as they were. */
static void test_what_breaks(void **state)
{
    (void)state;
    struct task task = {.spec = &specs[2], .optimiser = OPTIMISER_OPTIONS_INIT};
    struct member two[PEERS_MAX], members[PEERS_MAX];
    run_members(&task, two, 2, 0, STEPS);
    uint32_t a_step = two[0].seat.gathers / STEPS;
    for (uint32_t m = 0; m < 2; m++) outcome_free(&two[m].outcome);
    run_members(&task, two, 2, a_step + 1, STEPS);
    for (uint32_t at = a_step + 1; at <= 2 * a_step; at++) {
        run_members(&task, members, 2, at, STEPS);
        for (uint32_t m = 0; m < 2; m++) {
            assert_true(members[m].last.broken);
            assert_int_equal(members[m].outcome.steps, 1);
            check_same(&two[0].outcome, &members[m].outcome);
            outcome_free(&members[m].outcome);
        }
    }
    for (uint32_t m = 0; m < 2; m++) outcome_free(&two[m].outcome);
}

/* All members say the same about a number that one of them met. */
static void test_what_is_not_finite(void **state)
{
    (void)state;
    struct task task = {.spec = &specs[2], .optimiser = OPTIMISER_OPTIONS_INIT};
    struct member members[PEERS_MAX];
    run_members(&task, members, 3, 0, 1);
    for (uint32_t m = 0; m < 3; m++) {
        assert_false(members[m].last.broken);
        assert_int_equal(members[m].last.bad_node, 0);
        assert_int_equal(members[m].outcome.steps, 1);
        assert_string_equal(members[m].outcome.hash, members[0].outcome.hash);
        outcome_free(&members[m].outcome);
    }
}

static void test_every_allocation(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct net_graph graph;
    struct trainer_options options = {.batch_size = BATCH, .threads = 1, .together = true};
    options.optimiser = (struct optimiser_options)OPTIMISER_OPTIONS_INIT;
    build(&graph, &specs[2]);
    for (size_t n = 1;; n++) {
        struct trainer *trainer = NULL;
        bramble_error error = {0};
        mem_fail_at(n, 0);
        bramble_status status = trainer_new(&trainer, &graph, &options, &error);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        trainer_free(trainer);
        assert_int_equal(status, reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK);
        if (!reached) break;
    }
    graph_fini(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_optimisers),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_what_breaks),
        cmocka_unit_test(test_what_is_not_finite),
        cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
