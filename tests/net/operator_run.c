#include "operator_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

void *run_room(size_t count, size_t size)
{
    void *p = NULL;
    assert_int_equal(posix_memalign(&p, 64, count && size ? count * size : 1), 0);
    memset(p, 0xff, count * size);
    return p;
}

static void *copy_of(const void *from, size_t count, size_t size)
{
    void *p = run_room(count, size);
    memcpy(p, from, count * size);
    return p;
}

static bool per_sample(enum net_kind kind)
{
    return kind == NET_INPUT || kind == NET_ACTIVATION;
}

size_t rig_output_size(const struct rig *rig, uint32_t output)
{
    return rig->c->samples * shape_size(&rig->shapes[output]);
}

/* values and node as c has them; the values have no place in any weights yet. */
static void describe(const struct operator_case *c, struct net_value *values, struct net_node *node,
                     struct net_graph *graph)
{
    static char name[] = "x";
    *node = (struct net_node){.op = c->op,
                              .name = name,
                              .n_inputs = c->n_inputs,
                              .n_outputs = c->n_outputs,
                              .attributes = c->attributes};
    for (uint32_t i = 0; i < c->n_inputs; i++) {
        const struct check_input *input = &c->inputs[i];
        node->inputs[i] = input->absent ? NET_NONE : i;
        values[i] = (struct net_value){.name = name,
                                       .kind = input->kind,
                                       .shape = input->shape,
                                       .size = shape_size(&input->shape),
                                       .producer = NET_NONE};
    }
    *graph = (struct net_graph){.n_values = c->n_inputs, .n_nodes = 1, .values = values, .nodes = node};
}

static void place_weights(const struct operator_case *c, struct net_graph *graph)
{
    for (uint32_t i = 0; i < c->n_inputs; i++) {
        struct net_value *value = &graph->values[i];
        if (per_sample(value->kind)) continue;
        value->offset = graph->n_weights;
        graph->n_weights += (value->size + 15) / 16 * 16;
    }
    graph->weights = run_room(graph->n_weights, sizeof *graph->weights);
}

bramble_status rig_infer(const struct operator_case *c, struct net_shape *shapes, bramble_error *error)
{
    struct net_value values[NET_INPUTS_MAX];
    struct net_node node;
    struct net_graph graph;
    describe(c, values, &node, &graph);
    place_weights(c, &graph);
    for (uint32_t i = 0; i < c->n_inputs; i++)
        if (c->inputs[i].numbers && !per_sample(values[i].kind))
            memcpy(graph_numbers(&graph, i), c->inputs[i].numbers, values[i].size * sizeof(float));
    bramble_status status = c->op->infer(&graph, &node, shapes, error);
    free(graph.weights);
    return status;
}

static void draw(const struct check_input *input, float *x, size_t n, uint32_t which)
{
    struct rng rng;
    rng_init(&rng, 77, RNG_HOLDOUT, which, 1);
    for (size_t j = 0; j < n; j++) {
        double width = input->high - input->low;
        if (input->numbers)
            x[j] = input->numbers[j];
        else if (input->whole)
            x[j] = (float)(input->low + rng_below(&rng, (uint32_t)width));
        else
            x[j] = (float)(input->low + width * rng_double(&rng));
    }
}

void rig_init(struct rig *rig, const struct operator_case *c)
{
    *rig = (struct rig){.c = c};
    bramble_error error = {0};
    if (rig_infer(c, rig->shapes, &error) != BRAMBLE_OK) fail_msg("%s: %s", c->label, error.message);
    for (uint32_t i = 0; i < c->n_inputs; i++) {
        const struct check_input *input = &c->inputs[i];
        if (input->absent) continue;
        size_t n = shape_size(&input->shape) * (per_sample(input->kind) ? c->samples : 1);
        rig->sizes[i] = n;
        rig->x[i] = run_room(n, sizeof *rig->x[i]);
        rig->exact[i] = run_room(n, sizeof *rig->exact[i]);
        draw(input, rig->x[i], n, i);
        for (size_t j = 0; j < n; j++) rig->exact[i][j] = rig->x[i][j];
    }
    for (uint32_t o = 0; o < c->n_outputs; o++) {
        const struct check_input like = {.low = -1, .high = 1};
        rig->dy[o] = run_room(rig_output_size(rig, o), sizeof *rig->dy[o]);
        draw(&like, rig->dy[o], rig_output_size(rig, o), NET_INPUTS_MAX + o);
    }
}

void rig_fini(struct rig *rig)
{
    for (uint32_t i = 0; i < NET_INPUTS_MAX; i++) {
        free(rig->x[i]);
        free(rig->exact[i]);
    }
    for (uint32_t o = 0; o < NET_OUTPUTS_MAX; o++) free(rig->dy[o]);
}

float run_added_to(uint32_t input, size_t j)
{
    return (float)((j * 7 + input) % 13) * 0.25f - 1.5f;
}

static void make_inputs(struct operator_run *run)
{
    const struct rig *rig = run->rig;
    for (uint32_t i = 0; i < rig->c->n_inputs; i++) {
        size_t n = rig->sizes[i];
        enum net_kind kind = rig->c->inputs[i].kind;
        if (!rig->x[i]) continue;
        if (per_sample(kind)) {
            run->x[i] = copy_of(rig->x[i], n, sizeof(float));
        } else {
            run->x[i] = graph_numbers(&run->graph, i);
            memcpy(run->x[i], rig->x[i], n * sizeof(float));
        }
        if (kind == NET_PARAMETER) run->gradient[i] = run_room(n, sizeof(float));
        if (kind != NET_ACTIVATION) continue;
        run->dx[i] = run_room(n, sizeof(float));
        for (size_t j = 0; run->options.add && j < n; j++) run->dx[i][j] = run_added_to(i, j);
    }
}

static void make_outputs(struct operator_run *run)
{
    const struct rig *rig = run->rig;
    for (uint32_t o = 0; o < rig->c->n_outputs; o++) {
        size_t n = rig_output_size(rig, o);
        bool shares = run->options.in_place && o == 0;
        run->values[rig->c->n_inputs + o] = (struct net_value){.name = run->node.name,
                                                               .kind = NET_ACTIVATION,
                                                               .shape = rig->shapes[o],
                                                               .size = shape_size(&rig->shapes[o])};
        run->node.outputs[o] = rig->c->n_inputs + o;
        run->y[o] = shares ? run->x[0] : run_room(n, sizeof(float));
        run->dy[o] = copy_of(rig->dy[o], n, sizeof(float));
        if (!shares || !run->dx[0]) continue;
        free(run->dx[0]);
        run->dx[0] = run->dy[0];
    }
}

void run_init(struct operator_run *run, const struct rig *rig, struct run_options options)
{
    const struct net_operator *op = rig->c->op;
    *run = (struct operator_run){.rig = rig, .options = options};
    describe(rig->c, run->values, &run->node, &run->graph);
    place_weights(rig->c, &run->graph);
    make_inputs(run);
    make_outputs(run);
    run->graph.n_values += rig->c->n_outputs;
    run->microbatches = (uint32_t)((rig->c->samples + MICROBATCH - 1) / MICROBATCH);
    const struct net_graph *graph = &run->graph;
    const struct net_node *node = &run->node;
    run->kept_bytes = op->kept_bytes ? op->kept_bytes(graph, node, MICROBATCH) : 0;
    run->kept = run_room(run->microbatches, run->kept_bytes);
    run->n_partial = op->n_partial ? op->n_partial(graph, node) : 0;
    run->partials = run_room((size_t)run->microbatches * run->n_partial, sizeof(double));
    run->total = run_room(run->n_partial, sizeof(double));
    run->n_batch = op->n_batch ? op->n_batch(graph, node) : 0;
    run->batch = run_room(run->n_batch, sizeof(float));
    run->prepared = run_room(op->prepared_bytes ? op->prepared_bytes(graph, node) : 0, 1);
    if (op->prepare) op->prepare(graph, node, run->prepared, options.training);
}

void run_fini(struct operator_run *run)
{
    for (uint32_t o = 0; o < NET_OUTPUTS_MAX; o++) {
        if (run->y[o] != run->x[0]) free(run->y[o]);
        free(run->dy[o]);
        free(run->made[o]);
    }
    for (uint32_t i = 0; i < NET_INPUTS_MAX; i++) {
        if (per_sample(run->rig->c->inputs[i].kind)) free(run->x[i]);
        if (run->dx[i] != run->dy[0]) free(run->dx[i]);
        free(run->gradient[i]);
    }
    free(run->kept);
    free(run->partials);
    free(run->total);
    free(run->batch);
    free(run->prepared);
    free(run->graph.weights);
}

/* The call for microbatch m; its scratch is the run's, anew. */
static struct net_call call_of(struct operator_run *run, uint32_t m)
{
    const struct operator_case *c = run->rig->c;
    uint64_t first = (uint64_t)m * MICROBATCH, left = c->samples - first;
    struct net_call call = {
        .graph = &run->graph,
        .node = &run->node,
        .samples = left < MICROBATCH ? (uint32_t)left : MICROBATCH,
        .first = first,
        .microbatch = m,
        .training = run->options.training,
        .seed = RUN_SEED,
        .step = RUN_STEP,
        .prepared = run->prepared,
        .kept = (char *)run->kept + m * run->kept_bytes,
        .partial = run->partials + (size_t)m * run->n_partial,
        .batch = run->batch,
    };
    for (uint32_t i = 0; i < c->n_inputs; i++) {
        size_t skip = per_sample(c->inputs[i].kind) ? first * run->values[i].size : 0;
        if (run->x[i]) call.x[i] = run->x[i] + skip;
        if (run->dx[i]) call.dx[i] = run->dx[i] + skip;
        call.add[i] = run->options.add;
    }
    for (uint32_t o = 0; o < c->n_outputs; o++) {
        call.y[o] = run->y[o] + first * run->values[c->n_inputs + o].size;
        call.dy[o] = run->dy[o] + first * run->values[c->n_inputs + o].size;
    }
    const struct net_operator *op = c->op;
    size_t bytes = op->scratch_bytes ? op->scratch_bytes(&run->graph, &run->node, call.samples) : 0;
    free(run->scratch);
    run->scratch = call.scratch = run_room(bytes, 1);
    return call;
}

static void each_microbatch(struct operator_run *run, void (*work)(const struct net_call *call))
{
    for (uint32_t k = 0; k < run->microbatches; k++) {
        uint32_t m = run->options.reverse ? run->microbatches - 1 - k : k;
        struct net_call call = call_of(run, m);
        work(&call);
    }
    free(run->scratch);
    run->scratch = NULL;
}

static void add_partials(struct operator_run *run)
{
    for (uint32_t j = 0; j < run->n_partial; j++) {
        run->total[j] = 0;
        for (uint32_t m = 0; m < run->microbatches; m++)
            run->total[j] += run->partials[(size_t)m * run->n_partial + j];
    }
}

void run_forward(struct operator_run *run)
{
    const struct net_operator *op = run->rig->c->op;
    if (op->forward_gather && run->options.training) {
        each_microbatch(run, op->forward_gather);
        add_partials(run);
        op->forward_combine(&run->graph, &run->node, run->total, run->rig->c->samples, run->batch);
    }
    each_microbatch(run, op->forward);
    for (uint32_t o = 0; o < run->rig->c->n_outputs; o++)
        run->made[o] = copy_of(run->y[o], rig_output_size(run->rig, o), sizeof(float));
}

/* Backward may not read these: they are gone. */
static void forget(struct operator_run *run)
{
    const struct operator_case *c = run->rig->c;
    for (uint32_t i = 0; i < c->n_inputs && !node_reads_inputs(&run->node); i++)
        if (run->x[i] && per_sample(c->inputs[i].kind) && !(run->options.in_place && i == 0))
            memset(run->x[i], 0xff, run->rig->sizes[i] * sizeof(float));
    for (uint32_t o = 0; o < c->n_outputs && !node_reads_outputs(&run->node); o++)
        if (!(run->options.in_place && o == 0))
            memset(run->y[o], 0xff, rig_output_size(run->rig, o) * sizeof(float));
}

/* In place, but backward reads what forward has written over: a plan would not have them share. */
static void restore_input(struct operator_run *run)
{
    const struct rig *rig = run->rig;
    if (!run->options.in_place || !node_reads_inputs(&run->node)) return;
    run->y[0] = copy_of(run->y[0], rig_output_size(rig, 0), sizeof(float));
    memcpy(run->x[0], rig->x[0], rig->sizes[0] * sizeof(float));
}

static void run_parameters(struct operator_run *run)
{
    const struct operator_case *c = run->rig->c;
    const struct net_operator *op = c->op;
    if (!op->parameter_gradient) return;
    struct net_gradient_call call = {.graph = &run->graph,
                                     .node = &run->node,
                                     .samples = c->samples,
                                     .prepared = run->prepared,
                                     .kept = run->kept,
                                     .kept_bytes = run->kept_bytes};
    bool kept = node_kept_by_backward(&run->graph, &run->node);
    for (uint32_t i = 0; i < c->n_inputs; i++) {
        call.x[i] = kept ? NULL : run->x[i];
        call.gradient[i] = run->gradient[i];
    }
    for (uint32_t o = 0; o < c->n_outputs && !kept; o++) {
        call.y[o] = run->y[o];
        call.dy[o] = run->options.in_place ? run->rig->dy[o] : run->dy[o];
    }
    uint32_t parts = op->gradient_parts(&run->graph, &run->node);
    size_t bytes = op->gradient_scratch_bytes ? op->gradient_scratch_bytes(&run->graph, &run->node) : 0;
    for (uint32_t k = 0; k < parts; k++) {
        call.scratch = run_room(bytes, 1);
        op->parameter_gradient(&call, run->options.reverse ? parts - 1 - k : k);
        free(call.scratch);
    }
}

void run_backward(struct operator_run *run)
{
    const struct operator_case *c = run->rig->c;
    restore_input(run);
    forget(run);
    if (c->op->backward_gather) {
        each_microbatch(run, c->op->backward_gather);
        add_partials(run);
        c->op->backward_combine(&run->graph, &run->node, run->total, c->samples, run->batch, run->gradient);
    }
    each_microbatch(run, c->op->backward);
    run_parameters(run);
}
