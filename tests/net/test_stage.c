/* Networks trained in parts, a group of microbatches at a time: the bits that the whole network's trainer
 * gives, wherever it is cut. */
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
#include "nets.h"

enum { BATCH = 171 /* eleven microbatches, the last of 11 */, STEPS = 2, CLASSES = 5, STAGES_MOST = 4 };
enum { SIZE_MOST = 128, NODES_MOST = 200 };

struct net_spec {
    const char *name, *text;
    struct net_shape input;
};

static const struct net_spec specs[] = {
    {"mlp", "dense 40 relu\ndropout 0.3\ndense 20 relu\ndense outputs\n", {1, {30}}},
    {"cnn",
     "conv 8 3x3 pad same relu\nmaxpool 2\ndropout 0.2\nconv 12 3x3 relu\nflatten\ndense 32 relu\n"
     "dense outputs\n",
     {3, {8, 8, 2}}},
    {"residual",
     "conv 4 3x3 pad same nobias\nbatchnorm relu\n"
     "residual\nconv 4 3x3 pad same nobias\nbatchnorm relu\n"
     "conv 4 3x3 pad same nobias\nbatchnorm\nend relu\nglobalavgpool\ndense outputs\n",
     {3, {6, 6, 2}}},
    {"attention",
     "reshape 8x8\ndense 16\nposition\nresidual\nlayernorm\nattention 4\nend\n"
     "residual\nlayernorm\ndense 32 gelu\ndropout 0.1\ndense 16\nend\nlayernorm\nglobalavgpool\n"
     "dense outputs\n",
     {1, {64}}},
    {"recurrent", "reshape 6x5\nlstm 7 bidirectional\ngru 6 last\ndense outputs\n", {1, {30}}},
};
enum { N_SPECS = sizeof specs / sizeof *specs };

struct data {
    float x[BATCH * SIZE_MOST], weight[BATCH];
    uint32_t labels[BATCH];
};

static const struct optimiser_options optimiser = {
    .kind = OPTIMISER_SGD, .momentum = 0.9, .weight_decay = 1e-3, .clip_norm = 0.8};

static struct data *data_new(void)
{
    struct data *data = malloc(sizeof *data);
    assert_non_null(data);
    draw(data->x, sizeof data->x / sizeof *data->x, 3, -1, 1);
    draw(data->weight, BATCH, 5, 0, 2);
    for (size_t i = 0; i < BATCH; i++)
        data->labels[i] = (uint32_t)(data->x[i * 7] * 2 + 10 * data->x[i * 5] + 20) % CLASSES;
    return data;
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
    weights_draw(graph, 7);
}

/* --- parts --- */

struct line {
    uint32_t n, group;
    struct net_part parts[STAGES_MOST];
    struct stage *stages[STAGES_MOST];
};

static void line_init(struct line *line, const struct net_graph *whole, const uint32_t *places, uint32_t n,
                      uint32_t group, uint32_t bundle)
{
    bramble_error error = {0};
    static struct net_cut cuts[NODES_MOST + 1];
    assert_true(whole->n_nodes <= NODES_MOST);
    *line = (struct line){.n = n, .group = group};
    assert_int_equal(cut_find(whole, cuts, NULL), BRAMBLE_OK);
    for (uint32_t s = 0; s < n; s++) {
        assert_true(cuts[places[s + 1]].n > 0);
        if (cut_part(&line->parts[s], whole, places[s], places[s + 1], cuts, &error))
            fail_msg("%s", error.message);
        struct stage_options options = {.batch_size = BATCH,
                                        .group = group,
                                        .bundle = bundle,
                                        .slots = 2 * (n - 1 - s) + 1,
                                        .threads = 2,
                                        .first = s == 0,
                                        .last = s + 1 == n,
                                        .seed = 9,
                                        .loss = {.kind = LOSS_CROSS_ENTROPY},
                                        .optimiser = optimiser};
        if (stage_new(&line->stages[s], &line->parts[s], &options, &error)) fail_msg("%s", error.message);
    }
}

static void line_fini(struct line *line)
{
    for (uint32_t s = 0; s < line->n; s++) {
        stage_free(line->stages[s]);
        cut_part_fini(&line->parts[s]);
    }
}

/* What stages hand on between two ticks: copies, as a wire would have them. */
struct wire {
    float *there[STAGES_MOST], *back[STAGES_MOST];
};

static float *sent(float *old, const float *numbers, size_t n)
{
    free(old);
    if (!numbers) return NULL;
    float *copy = malloc(n * sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, numbers, n * sizeof *copy);
    return copy;
}

/* What stage s does in a tick; into what is sent at its end. */
static void tick(struct line *line, uint32_t s, uint32_t t, const struct data *data, const struct wire *wire,
                 struct wire *next, double total_weight)
{
    struct stage *stage = line->stages[s];
    const struct net_graph *graph = &line->parts[s].graph;
    uint32_t n = line->n, there = t - s, back = t - (2 * (n - 1) - s), groups = stage_groups(stage);
    size_t in = graph->values[graph->input].size, out = graph->values[graph->output].size;
    uint64_t first, samples;
    if (there < groups) {
        samples = stage_group(stage, there, &first);
        const float *x = s ? wire->there[s] : data->x + first * in;
        const struct stage_target target = {data->labels, data->weight, total_weight};
        stage_take(stage, there, x);
        const float *output = stage_forward(stage, there);
        if (s + 1 == n) {
            assert_null(output);
            next->back[s] = sent(NULL, stage_turn(stage, there, &target), samples * in);
            stage_settle(stage, there);
        } else {
            next->there[s + 1] = sent(NULL, output, samples * out);
        }
    }
    if (s + 1 == n || back >= groups) return;
    samples = stage_group(stage, back, &first);
    next->back[s] = sent(NULL, stage_backward(stage, back, wire->back[s + 1]), samples * in);
    stage_settle(stage, back);
}

static double line_step(struct line *line, const struct data *data, uint64_t step, double *norm)
{
    struct loss_options loss = {.kind = LOSS_CROSS_ENTROPY};
    double total = loss_weight(&loss, data->labels, data->weight, BATCH, CLASSES), squares = 0;
    struct wire wire = {0};
    for (uint32_t s = 0; s < line->n; s++) stage_begin(line->stages[s], BATCH, step);
    uint32_t groups = stage_groups(line->stages[0]);
    for (uint32_t t = 0; t < groups + 2 * (line->n - 1); t++) {
        struct wire next = {0};
        for (uint32_t s = 0; s < line->n; s++) tick(line, s, t, data, &wire, &next, total);
        for (uint32_t s = 0; s < line->n; s++) {
            free(wire.there[s]);
            free(wire.back[s]);
        }
        wire = next;
    }
    for (uint32_t s = 0; s < line->n; s++) {
        assert_null(wire.there[s]);
        free(wire.back[s]);
        uint32_t n;
        const double *of_ranges = stage_squares(line->stages[s], &n);
        for (uint32_t i = 0; i < n; i++) squares += of_ranges[i];
    }
    struct loss_sum sum = stage_loss(line->stages[line->n - 1]);
    *norm = sqrt(squares);
    return sum.loss / sum.weight;
}

/* --- the whole --- */

static struct trainer *whole_new(struct net_graph *graph)
{
    bramble_error error = {0};
    struct trainer *trainer;
    const struct trainer_options options = {.batch_size = BATCH,
                                            .threads = 1,
                                            .seed = 9,
                                            .loss = {.kind = LOSS_CROSS_ENTROPY},
                                            .optimiser = optimiser};
    if (trainer_new(&trainer, graph, &options, &error)) fail_msg("%s", error.message);
    return trainer;
}

static void assert_same(const char *name, const uint32_t *places, const struct net_graph *whole,
                        const struct line *line)
{
    for (uint32_t s = 0; s < line->n; s++)
        for (uint32_t v = 0; v < line->parts[s].graph.n_values; v++) {
            const struct net_value *value = &line->parts[s].graph.values[v];
            uint32_t of = line->parts[s].values[v];
            if (value->kind != NET_PARAMETER && value->kind != NET_STATE) continue;
            assert_true(of != NET_NONE && whole->values[of].size == value->size);
            if (memcmp(graph_numbers(&line->parts[s].graph, v), graph_numbers(whole, of),
                       value->size * sizeof(float)))
                fail_msg("%s cut at %u and %u in groups of %u: %s differs", name, places[1], places[2],
                         line->group, value->name);
        }
}

static void compare(const struct net_spec *spec, const uint32_t *places, uint32_t n, uint32_t group,
                    uint32_t bundle)
{
    struct data *data = data_new();
    struct net_graph whole;
    struct line line;
    build(&whole, spec);
    line_init(&line, &whole, places, n, group, bundle);
    struct trainer *trainer = whole_new(&whole);
    for (uint64_t step = 1; step <= STEPS; step++) {
        double norm, loss = line_step(&line, data, step, &norm);
        struct step_result result =
            trainer_step_weighted(trainer, data->x, data->labels, data->weight, BATCH, 0.1);
        assert_int_equal(result.bad_node, NET_NONE);
        assert_true(loss == result.loss);
        assert_true(fabs(norm - result.gradient_norm) < 1e-9 * norm); /* added up in another order */
        for (uint32_t s = 0; s < n; s++) stage_update(line.stages[s], result.gradient_norm, 0.1);
        assert_same(spec ? spec->name : "odd", places, &whole, &line);
    }
    trainer_free(trainer);
    line_fini(&line);
    graph_fini(&whole);
    free(data);
}

/* Places where it can be cut, the ends too. */
static uint32_t places_of(const struct net_spec *spec, uint32_t *places)
{
    static struct net_cut cuts[NODES_MOST + 1];
    struct net_graph graph;
    uint32_t n = 0;
    build(&graph, spec);
    assert_int_equal(cut_find(&graph, cuts, NULL), BRAMBLE_OK);
    for (uint32_t at = 0; at <= graph.n_nodes; at++)
        if (cuts[at].n) places[n++] = at;
    graph_fini(&graph);
    return n;
}

static bool groups_of(const struct net_spec *spec)
{
    struct net_graph graph;
    build(&graph, spec);
    bool can = stage_can_group(&graph);
    graph_fini(&graph);
    return can;
}

static void test_everywhere(void **state)
{
    (void)state;
    uint32_t places[NODES_MOST + 1];
    for (size_t i = 0; i <= N_SPECS; i++) {
        const struct net_spec *spec = i < N_SPECS ? &specs[i] : NULL;
        uint32_t n = places_of(spec, places), group = groups_of(spec) ? 2 : 16;
        assert_true(n > (spec ? 3 : 2));
        for (uint32_t at = 1; at + 1 < n; at++)
            compare(spec, (uint32_t[]){places[0], places[at], places[n - 1]}, 2, group, 1 << at % 3);
    }
}

static void test_many_stages(void **state)
{
    (void)state;
    uint32_t p[NODES_MOST + 1];
    for (size_t i = 0; i < 4; i++) {
        uint32_t n = places_of(&specs[i], p), group = groups_of(&specs[i]) ? 1 : 16;
        compare(&specs[i], (uint32_t[]){p[0], p[1], p[n / 2], p[n - 2], p[n - 1]}, 4, group, 2);
        compare(&specs[i], (uint32_t[]){p[0], p[n - 1]}, 1, group, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everywhere),
        cmocka_unit_test(test_many_stages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
