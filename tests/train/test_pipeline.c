/* Members of a pipeline, as threads of one process, against one machine that trains the whole network. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/initialise.h"
#include "net/layer_list.h"
#include "net/stage.h"
#include "net/nets.h"
#include "threads_exchange.h"
#include "train/pipeline.h"

enum { BATCH = 171 /* eleven microbatches, the last of 11 */, STEPS = 4, CLASSES = 5, SIZE_MOST = 128 };

static const char mlp[] = "dense 200 relu\ndropout 0.3\ndense 180 relu\ndense 190 relu\ndense outputs\n";
static const char cnn[] = "conv 8 3x3 pad same relu\nmaxpool 2\nresidual\nconv 8 3x3 pad same relu\nend\n"
                          "conv 12 3x3 relu\nflatten\ndense 32 relu\ndense outputs\n";
static const char norm[] = "dense 100\nbatchnorm relu\ndense 80\nbatchnorm relu\ndense outputs\n";

struct run {
    const char *text;
    struct net_shape input;
    uint32_t n_members, stages_least, diverges_at; /* step, from 1 */
    double rates[MEMBERS_MAX], memory;
    struct meeting meeting;
    struct pipeline_stage_seen {
        struct step_result results[STEPS];
        uint32_t n_stages, stage;
        bramble_status status;
        bramble_error error;
    } seen[MEMBERS_MAX];
    float *weights; /* what the first member gathers: [n_weights], of the whole network */
    struct net_graph whole;
    float x[BATCH * SIZE_MOST], weight[BATCH];
    uint32_t labels[BATCH];
};

struct seats {
    struct run *run;
    uint32_t rank;
};

static const struct optimiser_options optimiser = {
    .kind = OPTIMISER_SGD, .momentum = 0.9, .weight_decay = 1e-3, .clip_norm = 0.8};

static double rate_of(const struct run *run, uint32_t step)
{
    return run->diverges_at && step + 1 >= run->diverges_at ? 1e30 : 0.1;
}

static void build(struct net_graph *graph, const struct run *run)
{
    bramble_error error = {0};
    const struct layer_list_options options = {.input = run->input, .n_outputs = CLASSES};
    if (layer_list_build(graph, run->text, strlen(run->text), "net", &options, &error))
        fail_msg("%s", error.message);
    weights_draw(graph, 7);
}

static struct run *run_new(const char *text, struct net_shape input, uint32_t n_members)
{
    struct run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    run->text = text;
    run->input = input;
    run->n_members = n_members;
    run->stages_least = n_members;
    run->memory = 1e12;
    for (uint32_t m = 0; m < MEMBERS_MAX; m++) run->rates[m] = 1e9;
    build(&run->whole, run);
    draw(run->x, sizeof run->x / sizeof *run->x, 3, -1, 1);
    draw(run->weight, BATCH, 5, 0, 2);
    for (size_t i = 0; i < BATCH; i++)
        run->labels[i] = (uint32_t)(run->x[i * 7] * 2 + 10 * run->x[i * 5] + 20) % CLASSES;
    run->weights = calloc(run->whole.n_weights, sizeof *run->weights);
    assert_non_null(run->weights);
    return run;
}

static void run_free(struct run *run)
{
    graph_fini(&run->whole);
    free(run->weights);
    free(run);
}

static struct net_batch batch_of(struct run *run)
{
    return (struct net_batch){.x = run->x,
                              .target = run->labels,
                              .sample_weight = run->weight,
                              .all_weights = run->weight,
                              .samples = BATCH,
                              .n = BATCH};
}

/* What the first member has in the end, of the whole network. */
static bramble_status gather(struct run *run, struct pipeline *p, const struct net_graph *graph,
                             uint32_t rank, bramble_error *error)
{
    const struct pipeline_state state = pipeline_state(p);
    struct net_checkpoint mine = {.weights = state.weights,
                                  .optimiser = state.optimiser,
                                  .n_weights = state.n_weights,
                                  .n_optimiser = state.n_optimiser};
    struct net_checkpoint whole = {.weights = run->weights};
    whole.optimiser = calloc(graph->n_parameters, sizeof *whole.optimiser);
    bramble_status status = pipeline_gather(p, rank ? NULL : &whole, &mine, error);
    /* And out again: nothing may change by that. */
    if (!status) memset(state.weights, 0, state.n_weights * sizeof *state.weights);
    if (!status) status = pipeline_scatter(p, rank ? NULL : &whole, &mine, error);
    if (!status) status = pipeline_gather(p, rank ? NULL : &whole, &mine, error);
    free(whole.optimiser);
    return status;
}

static bramble_status take_steps(struct run *run, struct pipeline *p, const struct net_graph *graph,
                                 uint32_t rank)
{
    struct pipeline_stage_seen *seen = &run->seen[rank];
    seen->n_stages = pipeline_stages(p)->n;
    seen->stage = pipeline_stage(p);
    for (uint32_t step = 0; step < STEPS; step++) {
        bool agreed = rank == 0 && step == 2;
        struct net_batch batch = batch_of(run);
        seen->results[step] = pipeline_step(p, &batch, step + 1, rate_of(run, step), &agreed);
        if (seen->results[step].broken) {
            seen->error = *pipeline_error(p);
            return seen->error.status;
        }
        if (seen->results[step].bad_node != NET_NONE) return BRAMBLE_OK;
        if (agreed != (step == 2)) return BRAMBLE_ERR_IO;
    }
    return gather(run, p, graph, rank, &seen->error);
}

static void *member(void *argument)
{
    struct seats *at = argument;
    struct run *run = at->run;
    struct pipeline_stage_seen *seen = &run->seen[at->rank];
    struct seat seats[CHANNELS] = {{&run->meeting, at->rank, 0}, {&run->meeting, at->rank, 1}};
    const struct exchange exchanges[CHANNELS] = {exchange_of(&seats[0]), exchange_of(&seats[1])};
    const struct pipeline_node node = {run->rates[at->rank], run->memory, 1e-6, 1};
    const struct pipeline_options options = {.batch_size = BATCH,
                                             .threads = 1,
                                             .seed = 9,
                                             .loss = {.kind = LOSS_CROSS_ENTROPY},
                                             .optimiser = optimiser,
                                             .node = &node};
    struct net_graph graph;
    struct pipeline *p = NULL;
    build(&graph, run);
    seen->status = pipeline_new(&p, &graph, &options, exchanges, &seen->error);
    free(graph.weights); /* nobody reads them any more */
    graph.weights = NULL;
    if (!seen->status) seen->status = take_steps(run, p, &graph, at->rank);
    if (seen->status) meeting_drop(&run->meeting); /* as the engine does */
    pipeline_free(p);
    graph_fini(&graph);
    return NULL;
}

static void go(struct run *run)
{
    pthread_t threads[MEMBERS_MAX];
    struct seats seats[MEMBERS_MAX];
    struct fault fault = run->meeting.fault;
    meeting_init(&run->meeting, run->n_members);
    run->meeting.fault = fault;
    for (uint32_t m = 0; m < run->n_members; m++) {
        seats[m] = (struct seats){run, m};
        assert_int_equal(pthread_create(&threads[m], NULL, member, &seats[m]), 0);
    }
    for (uint32_t m = 0; m < run->n_members; m++) pthread_join(threads[m], NULL);
    meeting_fini(&run->meeting);
}

/* One machine takes the same steps: the same results, for all members, and the same weights. */
static void compare(struct run *run)
{
    struct trainer *trainer;
    const struct trainer_options options = {.batch_size = BATCH,
                                            .threads = 1,
                                            .seed = 9,
                                            .loss = {.kind = LOSS_CROSS_ENTROPY},
                                            .optimiser = optimiser};
    assert_int_equal(trainer_new(&trainer, &run->whole, &options, NULL), BRAMBLE_OK);
    for (uint32_t step = 0; step < STEPS; step++) {
        struct step_result one =
            trainer_step_weighted(trainer, run->x, run->labels, run->weight, BATCH, rate_of(run, step));
        for (uint32_t m = 0; m < run->n_members; m++) {
            const struct step_result *result = &run->seen[m].results[step];
            assert_int_equal(result->bad_node, one.bad_node);
            if (one.bad_node != NET_NONE) continue;
            assert_true(result->loss == one.loss && result->gradient_norm == one.gradient_norm);
            assert_int_equal(result->correct, one.correct);
        }
        if (one.bad_node != NET_NONE) {
            assert_int_equal(step + 1, run->diverges_at + 1);
            trainer_free(trainer);
            return;
        }
    }
    assert_int_equal(run->diverges_at, 0);
    size_t n = run->whole.n_parameters + run->whole.n_states;
    assert_memory_equal(run->weights, run->whole.weights, n * sizeof(float));
    trainer_free(trainer);
}

static void check(struct run *run)
{
    go(run);
    for (uint32_t m = 0; m < run->n_members; m++) {
        if (run->seen[m].status) fail_msg("member %u: %s", m, run->seen[m].error.message);
        assert_int_equal(run->seen[m].n_stages, run->stages_least);
    }
    compare(run);
    run_free(run);
}

static void test_same_as_one(void **state)
{
    (void)state;
    check(run_new(mlp, SHAPE(30), 2));
    check(run_new(mlp, SHAPE(30), 3));
    check(run_new(cnn, SHAPE(8, 8, 2), 2));
    check(run_new(mlp, SHAPE(30), 1));
}

/* A member that is too slow to help gets nothing to do, and is there all the same. */
static void test_idle_member(void **state)
{
    (void)state;
    for (uint32_t slow = 0; slow < 3; slow++) {
        struct run *run = run_new(mlp, SHAPE(30), 3);
        run->rates[slow] = 1e3;
        run->stages_least = 2;
        check(run);
    }
}

/* The whole batch is one group: there is nothing to win but memory. */
static void test_normalisation(void **state)
{
    (void)state;
    struct run *run = run_new(norm, SHAPE(30), 2);
    run->stages_least = 1;
    check(run);
    run = run_new(norm, SHAPE(30), 2);
    run->memory = 600e3;
    check(run);
}

static void test_divergence(void **state)
{
    (void)state;
    struct run *run = run_new(mlp, SHAPE(30), 3);
    run->diverges_at = 2; /* that step's weights run away, and the next one finds out */
    check(run);
}

static void test_no_room(void **state)
{
    (void)state;
    struct run *run = run_new(mlp, SHAPE(30), 2);
    run->memory = 1000;
    go(run);
    uint32_t says = 0; /* all come to it by themselves, unless another's end is quicker */
    for (uint32_t m = 0; m < 2; m++) {
        if (run->seen[m].status == BRAMBLE_ERR_CANCELLED) continue;
        assert_int_equal(run->seen[m].status, BRAMBLE_ERR_UNSUPPORTED);
        assert_non_null(strstr(run->seen[m].error.message, "does not fit these nodes"));
        says++;
    }
    assert_true(says > 0);
    run_free(run);
}

/* What is not as long as it has to be is refused, and a wire that breaks ends it for all. */
static void test_faults(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < 4; kind++) {
        struct run *run = run_new(mlp, SHAPE(30), 2);
        run->meeting.fault = (struct fault){.round = kind % 2 ? 4 : 5,
                                            .channel = kind / 2,
                                            .member = kind / 2 ? 1 : 0,
                                            .fails = kind % 2,
                                            .longer = 4};
        go(run);
        for (uint32_t m = 0; m < 2; m++) assert_int_not_equal(run->seen[m].status, BRAMBLE_OK);
        const char *words = kind % 2 ? "the wire broke" : "is no part of this step";
        assert_true(strstr(run->seen[0].error.message, words) || strstr(run->seen[1].error.message, words));
        run_free(run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_one),   cmocka_unit_test(test_idle_member),
        cmocka_unit_test(test_normalisation), cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_no_room),       cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
