/* Steps of training: gradients against differences of the loss, the same bits for any number of threads, and
 * nothing changed by a step that goes wrong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "nets.h"

enum { BATCH = 53 }; /* four microbatches, the last of 5 */

struct batch {
    float x[BATCH * NET_IN], y[BATCH * NET_OUT];
    uint32_t labels[BATCH];
};

static void make_batch(struct batch *batch, uint32_t seed)
{
    draw(batch->x, BATCH * NET_IN, seed, -1, 1);
    draw(batch->y, BATCH * NET_OUT, seed + 1, -1, 1);
    for (uint32_t i = 0; i < BATCH; i++)
        batch->labels[i] = (uint32_t)(batch->x[i * NET_IN] + 2 * batch->x[i * NET_IN + 1] + 3) % NET_OUT;
}

static struct trainer_options options_for(uint32_t threads)
{
    struct trainer_options options = {
        .batch_size = BATCH, .threads = threads, .seed = 5, .optimiser = OPTIMISER_OPTIONS_INIT};
    options.loss.kind = LOSS_CROSS_ENTROPY;
    options.loss.delta = 1;
    return options;
}

static struct trainer *trainer_for(struct net_graph *graph, const struct trainer_options *options)
{
    struct trainer *trainer = NULL;
    bramble_error error = {0};
    if (trainer_new(&trainer, graph, options, &error)) fail_msg("%s", error.message);
    return trainer;
}

static double loss_of(struct trainer *trainer, const struct batch *batch)
{
    struct step_result result = trainer_gradients(trainer, batch->x, batch->y, NULL, BATCH);
    assert_int_equal(result.bad_node, NET_NONE);
    return result.loss;
}

static double greatest(const float *x, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) /* not fmax, over which gcc 12 breaks down for arm64 */
        if (fabs((double)x[i]) > most) most = fabs((double)x[i]);
    return most;
}

/* Numbers of one parameter, against differences; a few may sit where a Relu bends. */
static void check_parameter(struct net_graph *graph, struct trainer *trainer, const struct batch *batch,
                            const float *gradient, const struct net_value *value)
{
    const double h = 2e-4;
    double scale = greatest(gradient, graph->n_parameters);
    size_t wrong = 0, stride = value->size / 40 + 1;
    for (size_t i = 0; i < value->size; i += stride) {
        float *weight = graph->weights + value->offset + i, old = *weight;
        *weight = (float)(old + h);
        double above = loss_of(trainer, batch);
        *weight = (float)(old - h);
        double difference = (above - loss_of(trainer, batch)) / (2 * h);
        *weight = old;
        wrong += fabs(difference - (double)gradient[value->offset + i]) > 3e-3 * scale;
    }
    if (wrong > value->size / stride / 10)
        fail_msg("%s: %zu gradients of %zu are wrong", value->name, wrong, value->size);
}

static void check_gradients(void (*build)(struct net_graph *graph))
{
    struct net_graph graph;
    struct batch batch;
    build(&graph);
    make_batch(&batch, 3);
    struct trainer_options options = options_for(2);
    options.loss.kind = LOSS_MEAN_SQUARED_ERROR;
    struct trainer *trainer = trainer_for(&graph, &options);
    struct step_result result = trainer_gradients(trainer, batch.x, batch.y, NULL, BATCH);
    size_t bytes = graph.n_parameters * sizeof(float);
    float *gradient = malloc(bytes);
    assert_non_null(gradient);
    memcpy(gradient, trainer_gradient(trainer), bytes);
    double squares = 0;
    for (size_t i = 0; i < graph.n_parameters; i++) squares += (double)gradient[i] * (double)gradient[i];
    assert_true(squares > 0 && fabs(sqrt(squares) - result.gradient_norm) < 1e-9 * result.gradient_norm);
    for (uint32_t v = 0; v < graph.n_values; v++)
        if (graph.values[v].kind == NET_PARAMETER)
            check_parameter(&graph, trainer, &batch, gradient, &graph.values[v]);
    free(gradient);
    trainer_free(trainer);
    graph_fini(&graph);
}

static void test_gradients(void **state)
{
    (void)state;
    check_gradients(net_mlp);
    check_gradients(net_residual);
    check_gradients(net_odd);
}

/* What ten steps on batches of changing size give. */
struct outcome {
    char hash[33];
    double losses[10];
    uint64_t correct;
};

static struct outcome train(void (*build)(struct net_graph *graph), uint32_t threads)
{
    struct net_graph graph;
    struct batch batch;
    struct outcome outcome = {0};
    build(&graph);
    struct trainer_options options = options_for(threads);
    options.optimiser.clip_norm = 0.5;
    struct trainer *trainer = trainer_for(&graph, &options);
    for (uint32_t step = 0; step < 10; step++) {
        make_batch(&batch, step);
        uint64_t samples = step % 3 == 2 ? 17 : step == 4 ? 1 : BATCH;
        if (step == 4 && graph.n_states) samples = 3; /* a variance needs more than one */
        struct step_result result = trainer_step(trainer, batch.x, batch.labels, samples, 0.05);
        assert_int_equal(result.bad_node, NET_NONE);
        outcome.losses[step] = result.loss;
        outcome.correct += result.correct;
    }
    assert_int_equal(trainer_steps(trainer), 10);
    graph_hash(&graph, outcome.hash);
    trainer_free(trainer);
    graph_fini(&graph);
    return outcome;
}

static void check_threads(void (*build)(struct net_graph *graph))
{
    struct outcome one = train(build, 1);
    const uint32_t threads[] = {2, 3, 8, 0};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        struct outcome other = train(build, threads[t]);
        assert_string_equal(one.hash, other.hash);
        assert_memory_equal(one.losses, other.losses, sizeof one.losses);
        assert_int_equal(one.correct, other.correct);
    }
}

static void test_threads_give_the_same_bits(void **state)
{
    (void)state;
    check_threads(net_mlp);
    check_threads(net_residual);
    check_threads(net_odd);
}

static void test_training_learns(void **state)
{
    (void)state;
    struct net_graph graph;
    struct batch batch;
    net_residual(&graph);
    make_batch(&batch, 1);
    struct trainer_options options = options_for(2);
    struct trainer *trainer = trainer_for(&graph, &options);
    struct step_result first = trainer_step(trainer, batch.x, batch.labels, BATCH, 0.05), last = first;
    for (int step = 0; step < 60; step++) last = trainer_step(trainer, batch.x, batch.labels, BATCH, 0.05);
    assert_true(last.loss < first.loss / 4);
    assert_true(last.correct > BATCH * 9 / 10);
    assert_true(trainer_bytes(trainer) > graph.n_parameters * 8);
    trainer_free(trainer);
    graph_fini(&graph);
}

/* A run that is continued with the optimiser's state and the count of steps goes on as if nothing had been.
 */
static void test_continuing(void **state)
{
    (void)state;
    struct net_graph graph, copy;
    struct batch batch;
    char straight[33], continued[33];
    net_residual(&graph);
    make_batch(&batch, 1);
    struct trainer_options options = options_for(2);
    options.optimiser.kind = OPTIMISER_ADAM;
    struct trainer *trainer = trainer_for(&graph, &options);
    for (int step = 0; step < 3; step++) trainer_step(trainer, batch.x, batch.labels, BATCH, 0.01);
    assert_int_equal(graph_copy(&copy, &graph, NULL), BRAMBLE_OK);
    struct trainer *other = trainer_for(&copy, &options);
    size_t n, n_other;
    const float *from = trainer_optimiser_state(trainer, &n);
    float *to = trainer_optimiser_state(other, &n_other);
    assert_int_equal(n, n_other);
    memcpy(to, from, n * sizeof *to);
    trainer_set_steps(other, trainer_steps(trainer));
    for (int step = 0; step < 3; step++) {
        trainer_step(trainer, batch.x, batch.labels, BATCH, 0.01);
        trainer_step(other, batch.x, batch.labels, BATCH, 0.01);
    }
    graph_hash(&graph, straight);
    graph_hash(&copy, continued);
    assert_string_equal(straight, continued);
    trainer_free(trainer);
    trainer_free(other);
    graph_fini(&graph);
    graph_fini(&copy);
}

/* The node that makes or reads a value. */
static uint32_t node_at(const struct net_graph *graph, const char *op, uint32_t occurrence)
{
    for (uint32_t n = 0; n < graph->n_nodes; n++)
        if (strcmp(graph->nodes[n].op->name, op) == 0 && occurrence-- == 0) return n;
    fail_msg("there is no %s", op);
    return NET_NONE;
}

static void test_what_is_not_finite(void **state)
{
    (void)state;
    struct net_graph graph;
    struct batch batch;
    char before[33], after[33];
    net_residual(&graph);
    make_batch(&batch, 1);
    struct trainer_options options = options_for(2);
    struct trainer *trainer = trainer_for(&graph, &options);
    trainer_step(trainer, batch.x, batch.labels, BATCH, 0.05);
    graph_hash(&graph, before);
    batch.x[40 * NET_IN] = NAN;
    struct step_result result = trainer_step(trainer, batch.x, batch.labels, BATCH, 0.05);
    assert_int_equal(result.bad_node, node_at(&graph, "Gemm", 0));
    assert_false(isfinite(result.loss));
    graph_hash(&graph, after);
    assert_string_equal(before, after); /* running means too */
    assert_int_equal(trainer_steps(trainer), 1);
    make_batch(&batch, 1);
    uint32_t second = node_at(&graph, "Gemm", 1);
    float *weight = graph_numbers(&graph, graph.nodes[second].inputs[1]), old = *weight;
    *weight = INFINITY;
    result = trainer_step(trainer, batch.x, batch.labels, BATCH, 0.05);
    assert_int_equal(result.bad_node, second);
    *weight = old;
    result = trainer_step(trainer, batch.x, batch.labels, BATCH, 0.05);
    assert_int_equal(result.bad_node, NET_NONE);
    trainer_free(trainer);
    graph_fini(&graph);
}

static void run_with(const struct net_graph *graph, const float *x, uint64_t samples, uint32_t threads,
                     float *out)
{
    bramble_error error = {0};
    if (net_run(graph, x, samples, threads, out, &error)) fail_msg("%s", error.message);
}

static void check_run(void (*build)(struct net_graph *graph))
{
    struct net_graph graph;
    float x[100 * NET_IN], one[100 * NET_OUT], out[100 * NET_OUT + 1];
    build(&graph);
    draw(x, 100 * NET_IN, 9, -1, 1);
    for (uint64_t i = 0; i < 100; i++) run_with(&graph, x + i * NET_IN, 1, 1, one + i * NET_OUT);
    for (uint64_t samples = 0; samples <= 100; samples += samples < 34 ? 1 : 22)
        for (uint32_t threads = 1; threads < 4; threads++) {
            out[samples * NET_OUT] = 77;
            run_with(&graph, x, samples, threads, out);
            assert_memory_equal(out, one, samples * NET_OUT * sizeof *out);
            assert_true(out[samples * NET_OUT] == 77);
        }
    graph_fini(&graph);
}

/* A sample's prediction does not depend on what it is predicted with. */
static void test_prediction(void **state)
{
    (void)state;
    check_run(net_mlp);
    check_run(net_residual);
    check_run(net_odd);
}

/* Without normalisation, prediction is what the loss sees. */
static void test_prediction_is_what_was_trained(void **state)
{
    (void)state;
    struct net_graph graph;
    struct batch batch;
    float out[BATCH * NET_OUT];
    net_odd(&graph);
    make_batch(&batch, 1);
    struct trainer_options options = options_for(1);
    options.loss.kind = LOSS_MEAN_SQUARED_ERROR;
    struct trainer *trainer = trainer_for(&graph, &options);
    trainer_step(trainer, batch.x, batch.y, BATCH, 0.01);
    double seen = loss_of(trainer, &batch), sum = 0;
    run_with(&graph, batch.x, BATCH, 2, out);
    for (size_t i = 0; i < BATCH * NET_OUT; i++) sum += pow((double)out[i] - (double)batch.y[i], 2);
    assert_true(fabs(sum / (BATCH * NET_OUT) - seen) < 1e-6 * seen);
    trainer_free(trainer);
    graph_fini(&graph);
}

static void test_what_cannot_be_trained(void **state)
{
    (void)state;
    struct net_graph graph;
    struct trainer *trainer = NULL;
    struct trainer_options options = options_for(1);
    bramble_error error = {0};
    net_mlp(&graph);
    struct net_operator fixed = *graph.nodes[2].op;
    fixed.parameter_gradient = NULL;
    graph.nodes[2].op = &fixed;
    assert_int_equal(trainer_new(&trainer, &graph, &options, &error), BRAMBLE_ERR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "Gemm cannot train its parameter weight"));
    assert_null(trainer);
    graph_fini(&graph);
}

static void test_every_allocation(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct net_graph graph;
    struct batch batch;
    float out[BATCH * NET_OUT];
    net_odd(&graph);
    make_batch(&batch, 1);
    struct trainer_options options = options_for(2);
    for (size_t n = 1;; n++) {
        struct trainer *trainer = NULL;
        bramble_error error = {0};
        mem_fail_at(n, 0);
        bramble_status status = trainer_new(&trainer, &graph, &options, &error);
        if (!status) trainer_step(trainer, batch.x, batch.labels, BATCH, 0.01);
        if (!status) status = net_run(&graph, batch.x, BATCH, 2, out, &error);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        trainer_free(trainer);
        if (status != (reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK))
            fail_msg("allocation %zu: %d %s", n, (int)status, error.message);
        if (!reached) break;
    }
    graph_fini(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_threads_give_the_same_bits),
        cmocka_unit_test(test_training_learns),
        cmocka_unit_test(test_continuing),
        cmocka_unit_test(test_what_is_not_finite),
        cmocka_unit_test(test_prediction),
        cmocka_unit_test(test_prediction_is_what_was_trained),
        cmocka_unit_test(test_what_cannot_be_trained),
        cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
