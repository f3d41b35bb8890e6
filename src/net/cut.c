#include "net/cut.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/operator.h"

/* Who reads a value, among the nodes that the output needs. */
struct readers {
    uint32_t first, last; /* nodes; first > last: nobody */
};

struct finding {
    const struct net_graph *graph;
    struct net_cut *cuts;
    struct readers *readers; /* of each value */
    bool *needed, *trains;   /* of each node */
    bool *never;             /* of each cut */
};

static bool is_activation(const struct net_graph *graph, uint32_t value)
{
    return graph->values[value].kind == NET_ACTIVATION;
}

static void find_readers(struct finding *f)
{
    const struct net_graph *graph = f->graph;
    graph_needed(graph, f->needed);
    for (uint32_t v = 0; v < graph->n_values; v++) f->readers[v] = (struct readers){UINT32_MAX, 0};
    for (uint32_t n = 0; n < graph->n_nodes; n++)
        for (uint32_t i = 0; i < graph->nodes[n].n_inputs && f->needed[n]; i++) {
            uint32_t v = graph->nodes[n].inputs[i];
            if (v == NET_NONE) continue;
            if (f->readers[v].first == UINT32_MAX) f->readers[v].first = n;
            f->readers[v].last = n;
            uint32_t producer = graph->values[v].producer;
            f->trains[n] |= graph->values[v].kind == NET_PARAMETER;
            f->trains[n] |= producer != NET_NONE && f->trains[producer];
        }
    f->readers[graph->output] = (struct readers){graph->n_nodes, graph->n_nodes};
}

/* Takes the value along over all cuts that it crosses. */
static void cross(struct finding *f, uint32_t v)
{
    const struct net_value *value = &f->graph->values[v];
    const struct readers *readers = &f->readers[v];
    if (readers->first == UINT32_MAX) return;
    uint32_t begin = is_activation(f->graph, v) ? value->producer : readers->first;
    for (uint32_t at = begin + 1; at <= readers->last; at++) {
        struct net_cut *cut = &f->cuts[at];
        bool may = is_activation(f->graph, v) && f->trains[value->producer] && cut->n < CUT_VALUES_MAX &&
                   !__builtin_add_overflow(cut->size, value->size, &cut->size) && cut->size <= UINT32_MAX;
        if (may)
            cut->values[cut->n++] = v;
        else
            f->never[at] = true;
    }
}

static void find(struct finding *f)
{
    const struct net_graph *graph = f->graph;
    find_readers(f);
    memset(f->cuts, 0, (graph->n_nodes + 1) * sizeof *f->cuts);
    for (uint32_t v = 0; v < graph->n_values; v++) cross(f, v);
    uint32_t last = graph->values[graph->output].producer;
    for (uint32_t at = 1; at < graph->n_nodes; at++)
        if (f->never[at] || !f->needed[at - 1] || at > last) f->cuts[at] = (struct net_cut){0};
    f->cuts[0] = (struct net_cut){1, {graph->input}, graph->values[graph->input].size};
    f->cuts[graph->n_nodes] = (struct net_cut){1, {graph->output}, graph->values[graph->output].size};
}

bramble_status cut_find(const struct net_graph *graph, struct net_cut *cuts, bramble_error *error)
{
    struct finding f = {.graph = graph, .cuts = cuts};
    f.readers = mem_alloc(graph->n_values, sizeof *f.readers);
    f.needed = mem_alloc(graph->n_nodes, sizeof *f.needed);
    f.trains = mem_zalloc(graph->n_nodes, sizeof *f.trains);
    f.never = mem_zalloc((size_t)graph->n_nodes + 1, sizeof *f.never);
    bool room = f.readers && f.needed && f.trains && f.never;
    if (room) find(&f);
    mem_free(f.readers);
    mem_free(f.needed);
    mem_free(f.trains);
    mem_free(f.never);
    return room ? BRAMBLE_OK : error_memory(error, "where a network can be cut");
}

/* --- parts --- */

/* A part that is being put together. */
struct cutting {
    const struct net_graph *whole;
    struct net_part *part;
    uint32_t first, end;
    uint32_t *now; /* of each of the whole network's values, the number in the part; NET_NONE: none yet */
    bool *needed;
    bramble_error *error;
};

/* Appends to part->values what was added to the graph since. */
static void note(struct cutting *c, uint32_t before, uint32_t whole_value)
{
    for (uint32_t v = before; v < c->part->graph.n_values; v++) c->part->values[v] = NET_NONE;
    if (whole_value == NET_NONE) return;
    c->part->values[before] = whole_value;
    c->now[whole_value] = before;
}

static bramble_status add_value(struct cutting *c, uint32_t v)
{
    const struct net_value *value = &c->whole->values[v];
    uint32_t before = c->part->graph.n_values, added;
    const struct net_value_new new = {.name = value->name,
                                      .kind = value->kind,
                                      .shape = value->shape,
                                      .numbers = c->whole->weights ? graph_numbers(c->whole, v) : NULL,
                                      .filler = value->filler,
                                      .fan_in = value->fan_in,
                                      .decays = value->decays};
    bramble_status status = graph_add_value(&c->part->graph, &new, &added, c->error);
    if (!status) note(c, before, v);
    return status;
}

/* Its weights, in the order they have in the whole network. */
static bramble_status add_weights(struct cutting *c)
{
    bramble_status status = BRAMBLE_OK;
    bool *read = mem_zalloc(c->whole->n_values, sizeof *read);
    if (!read) return error_memory(c->error, "a part of a network");
    for (uint32_t n = c->first; n < c->end; n++)
        for (uint32_t i = 0; i < c->whole->nodes[n].n_inputs && c->needed[n]; i++)
            if (c->whole->nodes[n].inputs[i] != NET_NONE) read[c->whole->nodes[n].inputs[i]] = true;
    for (uint32_t v = 0; v < c->whole->n_values && !status; v++) {
        enum net_kind kind = c->whole->values[v].kind;
        if (read[v] && kind != NET_INPUT && kind != NET_ACTIVATION) status = add_value(c, v);
    }
    mem_free(read);
    return status;
}

static bramble_status add_node(struct cutting *c, const struct net_node_new *node, uint32_t number,
                               uint32_t *output)
{
    struct net_graph *graph = &c->part->graph;
    uint32_t before = graph->n_values;
    bramble_status status = graph_add_node(graph, node, output, c->error);
    if (status) return status;
    graph->nodes[graph->n_nodes - 1].number = number;
    note(c, before, NET_NONE);
    return BRAMBLE_OK;
}

/* What crosses the cut comes in as one value. */
static bramble_status add_input(struct cutting *c, const struct net_cut *cut)
{
    uint32_t input, pieces, one, before = c->part->graph.n_values;
    struct net_value_new value = {.name = "comes in", .kind = NET_INPUT};
    value.shape =
        cut->n == 1 ? c->whole->values[cut->values[0]].shape : (struct net_shape){1, {(uint32_t)cut->size}};
    bramble_status status = graph_add_value(&c->part->graph, &value, &input, c->error);
    if (!status) note(c, before, cut->n == 1 ? cut->values[0] : NET_NONE);
    if (!status) c->part->graph.values[input].trained = c->first > 0;
    if (status || cut->n == 1) return status;
    struct net_node_new split = {"Split", NULL, &input, 1, cut->n, NET_ATTRIBUTES_INIT};
    for (uint32_t i = 0; i < cut->n; i++)
        split.attributes.split[i] = (uint32_t)c->whole->values[cut->values[i]].size;
    status = add_node(c, &split, c->first, &pieces);
    for (uint32_t i = 0; i < cut->n && !status; i++) {
        uint32_t piece = pieces + i;
        struct net_node_new reshape = {"Reshape", NULL, &piece, 1, 1, NET_ATTRIBUTES_INIT};
        reshape.attributes.shape = c->whole->values[cut->values[i]].shape;
        status = add_node(c, &reshape, c->first, &one);
        if (!status) c->now[cut->values[i]] = one;
    }
    return status;
}

static bramble_status add_whole_node(struct cutting *c, uint32_t n)
{
    const struct net_node *node = &c->whole->nodes[n];
    uint32_t inputs[NET_INPUTS_MAX], output;
    for (uint32_t i = 0; i < node->n_inputs; i++)
        inputs[i] = node->inputs[i] == NET_NONE ? NET_NONE : c->now[node->inputs[i]];
    const struct net_node_new new = {node->op->name, node->name,      inputs,
                                     node->n_inputs, node->n_outputs, node->attributes};
    bramble_status status = add_node(c, &new, n, &output);
    for (uint32_t o = 0; o < node->n_outputs && !status; o++) {
        c->now[node->outputs[o]] = output + o;
        c->part->values[output + o] = node->outputs[o];
    }
    return status;
}

/* What crosses the cut goes out as one value. */
static bramble_status add_output(struct cutting *c, const struct net_cut *cut, uint32_t *output)
{
    uint32_t flat[CUT_VALUES_MAX];
    bramble_status status = BRAMBLE_OK;
    *output = c->now[cut->values[0]];
    if (cut->n == 1) return BRAMBLE_OK;
    for (uint32_t i = 0; i < cut->n && !status; i++) {
        uint32_t value = c->now[cut->values[i]];
        struct net_node_new reshape = {"Reshape", NULL, &value, 1, 1, NET_ATTRIBUTES_INIT};
        reshape.attributes.shape = (struct net_shape){1, {(uint32_t)c->whole->values[cut->values[i]].size}};
        status = add_node(c, &reshape, c->end - 1, &flat[i]);
    }
    struct net_node_new concat = {"Concat", NULL, flat, cut->n, 1, NET_ATTRIBUTES_INIT};
    return status ? status : add_node(c, &concat, c->end - 1, output);
}

static bramble_status build(struct cutting *c, const struct net_cut *cuts)
{
    uint32_t output = NET_NONE;
    graph_needed(c->whole, c->needed);
    for (uint32_t v = 0; v < c->whole->n_values; v++) c->now[v] = NET_NONE;
    bramble_status status = add_weights(c);
    if (!status) status = add_input(c, &cuts[c->first]);
    for (uint32_t n = c->first; n < c->end && !status; n++)
        if (c->needed[n]) status = add_whole_node(c, n);
    if (!status) status = add_output(c, &cuts[c->end], &output);
    return status ? status : graph_finish(&c->part->graph, output, c->error);
}

/* Values that a part may have: its own, and those at its ends. */
static size_t values_most(const struct net_graph *graph)
{
    return (size_t)graph->n_values + 4 * CUT_VALUES_MAX;
}

bramble_status cut_part(struct net_part *out, const struct net_graph *graph, uint32_t first, uint32_t end,
                        const struct net_cut *cuts, bramble_error *error)
{
    struct net_part part = {0};
    struct cutting c = {.whole = graph, .part = &part, .first = first, .end = end, .error = error};
    graph_init(&part.graph);
    part.values = mem_alloc(values_most(graph), sizeof *part.values);
    c.now = mem_alloc(graph->n_values, sizeof *c.now);
    c.needed = mem_alloc(graph->n_nodes, sizeof *c.needed);
    bramble_status status =
        part.values && c.now && c.needed ? build(&c, cuts) : error_memory(error, "a part of a network");
    mem_free(c.now);
    mem_free(c.needed);
    if (status)
        cut_part_fini(&part);
    else
        *out = part;
    return status;
}

void cut_part_fini(struct net_part *part)
{
    if (part->values) graph_fini(&part->graph);
    mem_free(part->values);
    *part = (struct net_part){0};
}
