#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "net/operator.h"
#include "net/update.h"
#include "train/pipeline_internal.h"

enum { ROUNDS = 16 /* of exchanges, to measure them */ };

bramble_status pipeline_wrong(uint32_t member, bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_IO, "member %u of the run sent what is no part of this step",
                     member + 1);
}

bramble_status pipeline_all_gather(struct pipeline *p, const void *mine, size_t length, bramble_error *error)
{
    const struct exchange *exchange = &p->exchanges[0];
    return exchange->all_gather(exchange->context, mine, length, p->theirs, error);
}

static bool node_is_sane(const struct pipeline_node *node)
{
    return node->rate > 0 && node->rate < 1e18 && node->memory >= 0 && node->memory <= 1e18 &&
           node->threads >= 1 && node->threads <= 1 << 16 && node->latency >= 0 && node->latency < 1e6;
}

static bramble_status measure(struct pipeline *p, struct pipeline_node *node, bramble_error *error)
{
    bramble_status status = pipeline_node_measure(node, p->options.threads, error);
    if (!status) status = pipeline_all_gather(p, NULL, 0, error); /* all are here */
    double start = clock_seconds();
    for (int i = 0; i < ROUNDS && !status; i++) status = pipeline_all_gather(p, NULL, 0, error);
    node->latency = (clock_seconds() - start) / ROUNDS;
    return status;
}

/* Everybody tells what it can do; all come to the same stages. */
static bramble_status lay_out(struct pipeline *p, bramble_error *error)
{
    uint32_t n = p->exchanges->n_members;
    struct pipeline_node mine, *nodes = mem_alloc(n, sizeof *nodes);
    if (!nodes) return error_memory(error, "the members of the run");
    bramble_status status = BRAMBLE_OK;
    if (p->options.node)
        mine = *p->options.node;
    else
        status = measure(p, &mine, error);
    if (!status) status = pipeline_all_gather(p, &mine, sizeof mine, error);
    for (uint32_t m = 0; !status && m < n; m++) {
        if (p->theirs[m].length == sizeof *nodes) memcpy(&nodes[m], p->theirs[m].bytes, sizeof *nodes);
        if (p->theirs[m].length != sizeof *nodes || !node_is_sane(&nodes[m]))
            status =
                error_set(error, BRAMBLE_ERR_IO, "member %u of the run sent no word of its speed", m + 1);
    }
    if (!status)
        status = pipeline_layout_find(&p->layout, p->graph, nodes, n, p->options.batch_size,
                                      &p->options.optimiser, error);
    mem_free(nodes);
    return status;
}

static void find_place(struct pipeline *p)
{
    const struct stages *stages = &p->layout.stages;
    p->own = NET_NONE;
    p->before = p->behind = MOVER_NOBODY;
    for (uint32_t s = 0; s < stages->n; s++) {
        if (stages->members[s] != p->exchanges->rank) continue;
        p->own = s;
        if (s) p->before = stages->members[s - 1];
        if (s + 1 < stages->n) p->behind = stages->members[s + 1];
    }
}

/* Which weights are whose. */
static bramble_status divide(struct pipeline *p, bramble_error *error)
{
    const struct net_graph *graph = p->graph;
    bool *needed = mem_alloc(graph->n_nodes, sizeof *needed);
    p->stage_of = mem_alloc(graph->n_values, sizeof *p->stage_of);
    if (!needed || !p->stage_of) {
        mem_free(needed);
        return error_memory(error, "the stages of a pipeline");
    }
    graph_needed(graph, needed);
    for (uint32_t v = 0; v < graph->n_values; v++) p->stage_of[v] = NET_NONE;
    for (uint32_t s = 0; s < p->layout.stages.n; s++)
        for (uint32_t n = p->layout.stages.places[s]; n < p->layout.stages.places[s + 1]; n++)
            for (uint32_t i = 0; i < graph->nodes[n].n_inputs && needed[n]; i++)
                if (graph->nodes[n].inputs[i] != NET_NONE) p->stage_of[graph->nodes[n].inputs[i]] = s;
    mem_free(needed);
    for (uint32_t v = 0; v < graph->n_values; v++) {
        const struct net_value *value = &graph->values[v];
        if (value->kind == NET_PARAMETER) p->n_ranges += (value->size + UPDATE_RANGE - 1) / UPDATE_RANGE;
    }
    return BRAMBLE_OK;
}

static bramble_status make_stage(struct pipeline *p, bramble_error *error)
{
    const struct stages *stages = &p->layout.stages;
    if (p->own == NET_NONE) return BRAMBLE_OK;
    bramble_status status = cut_part(&p->part, p->graph, stages->places[p->own], stages->places[p->own + 1],
                                     p->layout.cuts, error);
    uint32_t microbatches = (p->options.batch_size + MICROBATCH - 1) / MICROBATCH;
    uint32_t groups = (microbatches + p->layout.group - 1) / p->layout.group;
    uint32_t slots = stages_slots(stages->n - p->own, groups, p->layout.bundle);
    const struct stage_options options = {.batch_size = p->options.batch_size,
                                          .group = p->layout.group,
                                          .bundle = p->layout.bundle,
                                          .slots = slots,
                                          .threads = p->options.threads,
                                          .first = pipeline_is_first(p),
                                          .last = pipeline_is_last(p),
                                          .seed = p->options.seed,
                                          .loss = p->options.loss,
                                          .optimiser = p->options.optimiser};
    return status ? status : stage_new(&p->stage, &p->part, &options, error);
}

static bramble_status fill(struct pipeline *p, bramble_error *error)
{
    p->mine = mem_zalloc(p->exchanges->n_members, sizeof *p->mine);
    p->theirs = mem_zalloc(p->exchanges->n_members, sizeof *p->theirs);
    if (!p->mine || !p->theirs) return error_memory(error, "the members of the run");
    bramble_status status = lay_out(p, error);
    if (status) return status;
    find_place(p);
    status = divide(p, error);
    if (!status) status = make_stage(p, error);
    if (status) return status;
    p->squares = mem_alloc(p->n_ranges + 1, sizeof *p->squares);
    p->summary = mem_alloc(p->n_ranges + PIPELINE_SUMMARY, sizeof *p->summary);
    if (!p->squares || !p->summary) return error_memory(error, "the stages of a pipeline");
    status = mover_new(&p->there, &p->exchanges[0], error);
    return status ? status : mover_new(&p->back, &p->exchanges[1], error);
}

bramble_status pipeline_new(struct pipeline **out, const struct net_graph *graph,
                            const struct pipeline_options *options, const struct exchange *exchanges,
                            bramble_error *error)
{
    struct pipeline *p = mem_zalloc(1, sizeof *p);
    if (!p) return error_memory(error, "training a network");
    p->graph = graph;
    p->options = *options;
    p->exchanges = exchanges;
    bramble_status status = fill(p, error);
    if (status)
        pipeline_free(p);
    else
        *out = p;
    return status;
}

void pipeline_free(struct pipeline *p)
{
    if (!p) return;
    mover_free(p->there);
    mover_free(p->back);
    stage_free(p->stage);
    cut_part_fini(&p->part);
    pipeline_layout_fini(&p->layout);
    mem_free(p->mine);
    mem_free(p->theirs);
    mem_free(p->stage_of);
    mem_free(p->summary);
    mem_free(p->squares);
    mem_free(p);
}

const struct stages *pipeline_stages(const struct pipeline *p)
{
    return &p->layout.stages;
}

uint32_t pipeline_stage(const struct pipeline *p)
{
    return p->own;
}

size_t pipeline_bytes(const struct pipeline *p)
{
    return p->stage ? stage_bytes(p->stage) + p->part.graph.n_weights * sizeof(float) : 0;
}

struct pipeline_state pipeline_state(struct pipeline *p)
{
    static float nothing[1];
    struct pipeline_state state = {.weights = nothing, .optimiser = nothing};
    if (!p->stage) return state;
    state.weights = p->part.graph.weights;
    state.n_weights = p->part.graph.n_parameters + p->part.graph.n_states;
    state.optimiser = stage_optimiser_state(p->stage, &state.n_optimiser);
    return state;
}

bool pipeline_wants(const struct pipeline *p)
{
    return p->own != NET_NONE && (pipeline_is_first(p) || pipeline_is_last(p));
}

const bramble_error *pipeline_error(const struct pipeline *p)
{
    return &p->error;
}
