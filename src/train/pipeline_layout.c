#include "train/pipeline_layout.h"

#include <math.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/machine_memory.h"
#include "base/mem.h"
#include "net/fold.h"
#include "net/operator.h"
#include "net/stage.h"
#include "net/step.h"

#define MEASURE_SECONDS 0.2
#define WIRE 100e6       /* bytes a second: gigabit Ethernet, nearly */
#define MEMORY_SHARE 0.9 /* of what is left; the rest is for data and surprises */

enum {
    WIDTH = 512,        /* of the layer that is measured */
    THERE_AND_BACK = 3, /* multiply-adds of training for one of prediction */
    NUMBER_WORK = 16,   /* multiply-adds that take as long as what is done to a number besides */
    SETTLING = 100,     /* multiply-adds that take as long as adding a weight's gradient to others */
    PACKED = 2,         /* times that weights lie packed beside themselves */
};

/* --- nodes --- */

static bramble_status dense_layer(struct net_graph *graph, bramble_error *error)
{
    uint32_t in[2], output;
    const struct net_value_new x = {.name = "x", .kind = NET_INPUT, .shape = {1, {WIDTH}}};
    const struct net_value_new w = {.name = "w", .kind = NET_PARAMETER, .shape = {2, {WIDTH, WIDTH}}};
    bramble_status status = graph_add_value(graph, &x, &in[0], error);
    if (!status) status = graph_add_value(graph, &w, &in[1], error);
    const struct net_node_new node = {"Gemm", NULL, in, 2, 1, NET_ATTRIBUTES_INIT};
    if (!status) status = graph_add_node(graph, &node, &output, error);
    return status ? status : graph_finish(graph, output, error);
}

static bramble_status measure(const struct net_graph *layer, uint32_t threads, double *rate,
                              bramble_error *error)
{
    size_t samples = (size_t)threads * 8 * MICROBATCH;
    float *x = mem_zalloc(samples, 2 * WIDTH * sizeof *x);
    if (!x) return error_memory(error, "measuring this node");
    bramble_status status = BRAMBLE_OK;
    double begun = clock_seconds(), seconds = 0, runs = 0;
    for (; !status && (runs == 0 || seconds < MEASURE_SECONDS); runs++) {
        status = net_run(layer, x, samples, threads, x + samples * WIDTH, error);
        seconds = clock_seconds() - begun;
    }
    *rate = runs * (double)samples * WIDTH * WIDTH / fmax(seconds, 1e-9);
    mem_free(x);
    return status;
}

bramble_status pipeline_node_measure(struct pipeline_node *out, uint32_t threads, bramble_error *error)
{
    struct net_graph layer;
    uint64_t left = process_memory_left();
    *out = (struct pipeline_node){.threads = threads ? threads : 1};
    out->memory = left == UINT64_MAX ? 1e18 : MEMORY_SHARE * (double)left;
    graph_init(&layer);
    bramble_status status = dense_layer(&layer, error);
    if (!status) status = measure(&layer, (uint32_t)out->threads, &out->rate, error);
    graph_fini(&layer);
    return status;
}

/* --- layout --- */

struct laying {
    const struct net_graph *graph;
    const struct pipeline_node *nodes;
    uint32_t n_nodes, batch_size, microbatches, n_pieces, slots;
    struct net_cut *cuts;
    double latency;
    bool *needed;
    uint32_t *places; /* of the pieces' ends: nodes */
    struct stages_piece *pieces;
    double *crossing;
    struct stages_member *members;
};

static bool make_room(struct laying *l)
{
    size_t n = (size_t)l->graph->n_nodes + 1;
    l->cuts = mem_alloc(n, sizeof *l->cuts);
    l->needed = mem_alloc(n, sizeof *l->needed);
    l->places = mem_alloc(n, sizeof *l->places);
    l->pieces = mem_alloc(n, sizeof *l->pieces);
    l->crossing = mem_alloc(n, sizeof *l->crossing);
    l->members = mem_alloc(l->n_nodes, sizeof *l->members);
    return l->cuts && l->needed && l->places && l->pieces && l->crossing && l->members;
}

static void laying_fini(struct laying *l)
{
    mem_free(l->cuts);
    mem_free(l->needed);
    mem_free(l->places);
    mem_free(l->pieces);
    mem_free(l->crossing);
    mem_free(l->members);
}

/* Nodes from..to-1. Weights lie there themselves, as so many partial sums of gradients, as what the optimiser
 * keeps, and packed. */
static struct stages_piece piece_of(const struct laying *l, uint32_t from, uint32_t to, uint32_t bundles)
{
    struct stages_piece piece = {0};
    double times = 1 + fold_levels(bundles) + l->slots + PACKED;
    for (uint32_t n = from; n < to; n++) {
        const struct net_node *node = &l->graph->nodes[n];
        if (!l->needed[n]) continue;
        if (node->op->macs) piece.work += THERE_AND_BACK * (double)node->op->macs(l->graph, node);
        for (uint32_t o = 0; o < node->n_outputs; o++) {
            double size = (double)l->graph->values[node->outputs[o]].size;
            piece.work += NUMBER_WORK * size;
            piece.a_sample += 2 * size * sizeof(float); /* and its gradient */
        }
        for (uint32_t i = 0; i < node->n_inputs; i++) {
            uint32_t v = node->inputs[i];
            if (v == NET_NONE || l->graph->values[v].kind != NET_PARAMETER) continue;
            piece.fixed += times * (double)l->graph->values[v].size * sizeof(float);
            piece.settling += SETTLING * (double)l->graph->values[v].size;
        }
    }
    return piece;
}

static void find_places(struct laying *l)
{
    graph_needed(l->graph, l->needed);
    for (uint32_t at = 0; at <= l->graph->n_nodes; at++) {
        if (!l->cuts[at].n) continue;
        bool end = at == 0 || at == l->graph->n_nodes;
        l->crossing[l->n_pieces] = end ? 0 : (double)l->cuts[at].size * sizeof(float);
        l->places[l->n_pieces++] = at;
    }
    l->n_pieces--;
}

/* With groups of so many microbatches, which no more threads than that work on. */
static bramble_status try_group(const struct laying *l, uint32_t group, uint32_t bundle, struct stages *out,
                                bramble_error *error)
{
    struct stages_task task = {.n_pieces = l->n_pieces,
                               .n_members = l->n_nodes,
                               .groups = (l->microbatches + group - 1) / group,
                               .bundle = bundle,
                               .samples = fmin((double)group * MICROBATCH, l->batch_size),
                               .pieces = l->pieces,
                               .crossing = l->crossing,
                               .members = l->members,
                               .wire = WIRE,
                               .latency = l->latency};
    for (uint32_t p = 0; p < l->n_pieces; p++)
        l->pieces[p] = piece_of(l, l->places[p], l->places[p + 1], (task.groups + bundle - 1) / bundle);
    for (uint32_t m = 0; m < l->n_nodes; m++) {
        double threads = (double)l->nodes[m].threads, busy = group < threads ? group : threads;
        l->members[m] = (struct stages_member){l->nodes[m].rate * busy / threads, l->nodes[m].memory};
    }
    return stages_cut(out, &task, error);
}

/* The groups and bundles with which a batch takes least. */
static bramble_status find_group(const struct laying *l, struct pipeline_layout *out, bramble_error *error)
{
    uint32_t least = 1, most = 1;
    while (most < l->microbatches) most *= 2;
    if (!stage_can_group(l->graph)) least = most;
    bramble_status status = BRAMBLE_ERR_UNSUPPORTED;
    for (uint32_t group = least; group <= most; group *= 2)
        for (uint32_t bundle = 1; group * bundle <= most; bundle *= 2) {
            struct stages stages;
            bool only = group == least && bundle == 1; /* says why, if there is none */
            bramble_status tried = try_group(l, group, bundle, &stages, only ? error : NULL);
            if (tried || (!status && stages.seconds >= out->stages.seconds)) continue;
            status = BRAMBLE_OK;
            out->stages = stages;
            out->group = group;
            out->bundle = bundle;
        }
    return status;
}

bramble_status pipeline_layout_find(struct pipeline_layout *out, const struct net_graph *graph,
                                    const struct pipeline_node *nodes, uint32_t n_nodes, uint32_t batch_size,
                                    const struct optimiser_options *optimiser, bramble_error *error)
{
    struct laying l = {.graph = graph, .nodes = nodes, .n_nodes = n_nodes, .batch_size = batch_size};
    struct pipeline_layout layout = {0};
    l.microbatches = (batch_size + MICROBATCH - 1) / MICROBATCH;
    l.slots = optimiser_slots(optimiser);
    for (uint32_t m = 0; m < n_nodes; m++) l.latency = fmax(l.latency, nodes[m].latency);
    bramble_status status =
        make_room(&l) ? cut_find(graph, l.cuts, error) : error_memory(error, "the stages of a pipeline");
    if (!status) {
        find_places(&l);
        status = find_group(&l, &layout, error);
    }
    if (!status) {
        for (uint32_t s = 0; s <= layout.stages.n; s++)
            layout.stages.places[s] = l.places[layout.stages.places[s]];
        layout.cuts = l.cuts;
        l.cuts = NULL;
        *out = layout;
    }
    laying_fini(&l);
    return status;
}

void pipeline_layout_fini(struct pipeline_layout *layout)
{
    mem_free(layout->cuts);
    *layout = (struct pipeline_layout){0};
}
