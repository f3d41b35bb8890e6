/* What is done with a graph when everything has been added: order its weights, check, copy and hash it. */
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/graph.h"

static void need_value(const struct net_graph *graph, uint32_t value, bool *needed)
{
    if (value != NET_NONE && graph->values[value].producer != NET_NONE)
        needed[graph->values[value].producer] = true;
}

void graph_needed(const struct net_graph *graph, bool *needed)
{
    memset(needed, 0, graph->n_nodes * sizeof *needed);
    need_value(graph, graph->output, needed);
    for (uint32_t n = graph->n_nodes; n-- > 0;)
        for (uint32_t i = 0; i < graph->nodes[n].n_inputs && needed[n]; i++)
            need_value(graph, graph->nodes[n].inputs[i], needed);
}

/* read[v]: a node that the output needs reads it. */
static void mark_read(const struct net_graph *graph, const bool *needed, bool *read)
{
    memset(read, 0, graph->n_values * sizeof *read);
    for (uint32_t n = 0; n < graph->n_nodes; n++)
        for (uint32_t i = 0; i < graph->nodes[n].n_inputs && needed[n]; i++)
            if (graph->nodes[n].inputs[i] != NET_NONE) read[graph->nodes[n].inputs[i]] = true;
}

static bramble_status check_reached(const struct net_graph *graph, const bool *read, bramble_error *error)
{
    if (!read[graph->input])
        return error_set(error, BRAMBLE_ERR_DATA, "output %.80s does not depend on input %.80s",
                         graph->values[graph->output].name, graph->values[graph->input].name);
    for (uint32_t v = 0; v < graph->n_values; v++)
        if (graph->values[v].kind == NET_PARAMETER && !read[v])
            return error_set(error, BRAMBLE_ERR_DATA,
                             "output %.80s does not depend on parameter %.80s, which nothing could train; "
                             "leave it out",
                             graph->values[graph->output].name, graph->values[v].name);
    return BRAMBLE_OK;
}

/* graph->output is set. */
static bramble_status check(const struct net_graph *graph, bramble_error *error)
{
    bool *needed = mem_alloc(graph->n_nodes, sizeof *needed),
         *read = mem_alloc(graph->n_values, sizeof *read);
    bramble_status status = BRAMBLE_OK;
    if (needed && read) {
        graph_needed(graph, needed);
        mark_read(graph, needed, read);
        status = check_reached(graph, read, error);
    } else {
        status = error_memory(error, "a network's layers");
    }
    mem_free(needed);
    mem_free(read);
    return status;
}

/* Moves the numbers of all values of a kind behind each other to weights + at; returns where they end. */
static size_t gather_kind(struct net_graph *graph, enum net_kind kind, float *weights, size_t at)
{
    for (uint32_t v = 0; v < graph->n_values; v++) {
        struct net_value *value = &graph->values[v];
        if (value->kind != kind) continue;
        memcpy(weights + at, graph->weights + value->offset, value->size * sizeof *weights);
        value->offset = at;
        at += net_aligned(value->size);
    }
    return at;
}

static bool order_weights(struct net_graph *graph)
{
    float *weights = mem_alloc_large(graph->n_weights, sizeof *weights);
    if (!weights) return false;
    memset(weights, 0, graph->n_weights * sizeof *weights); /* the gaps */
    graph->n_parameters = gather_kind(graph, NET_PARAMETER, weights, 0);
    size_t states_end = gather_kind(graph, NET_STATE, weights, graph->n_parameters);
    graph->n_states = states_end - graph->n_parameters;
    gather_kind(graph, NET_CONSTANT, weights, states_end);
    mem_free(graph->weights);
    graph->weights = weights;
    graph->weights_room = graph->n_weights;
    return true;
}

bramble_status graph_finish(struct net_graph *graph, uint32_t output, bramble_error *error)
{
    if (graph->input == NET_NONE)
        return error_set(error, BRAMBLE_ERR_DATA, "the network has no input; add one");
    if (output >= graph->n_values || graph->values[output].kind != NET_ACTIVATION)
        return error_set(error, BRAMBLE_ERR_DATA, "the network's output is not made by any of its layers");
    uint32_t before = graph->output;
    graph->output = output;
    bramble_status status = check(graph, error);
    if (!status && !order_weights(graph)) status = error_memory(error, "a network's weights");
    if (status) graph->output = before;
    return status;
}

/* The arrays but not yet the names that they point to. */
static bool copy_arrays(struct net_graph *copy, const struct net_graph *graph)
{
    copy->values = mem_alloc(graph->n_values, sizeof *copy->values);
    copy->nodes = mem_alloc(graph->n_nodes, sizeof *copy->nodes);
    copy->weights = mem_alloc_large(graph->n_weights, sizeof *copy->weights);
    copy->names = mem_alloc(graph->n_names, sizeof *copy->names);
    if (!copy->values || !copy->nodes || !copy->weights || !copy->names) return false;
    if (graph->n_weights) memcpy(copy->weights, graph->weights, graph->n_weights * sizeof *copy->weights);
    if (graph->n_names) memcpy(copy->names, graph->names, graph->n_names * sizeof *copy->names);
    return true;
}

static bool copy_named(struct net_graph *copy, const struct net_graph *graph)
{
    for (uint32_t v = 0; v < graph->n_values; v++) {
        copy->values[v] = graph->values[v];
        if (!(copy->values[v].name = mem_strdup(graph->values[v].name))) return false;
        copy->n_values++;
    }
    for (uint32_t n = 0; n < graph->n_nodes; n++) {
        copy->nodes[n] = graph->nodes[n];
        if (!(copy->nodes[n].name = mem_strdup(graph->nodes[n].name))) return false;
        copy->n_nodes++;
    }
    return true;
}

bramble_status graph_copy(struct net_graph *out, const struct net_graph *graph, bramble_error *error)
{
    struct net_graph copy = *graph;
    copy.n_values = copy.n_nodes = 0; /* so far */
    copy.values_room = graph->n_values;
    copy.nodes_room = graph->n_nodes;
    copy.weights_room = graph->n_weights;
    if (!copy_arrays(&copy, graph) || !copy_named(&copy, graph)) {
        graph_fini(&copy);
        return error_memory(error, "a copy of a network");
    }
    *out = copy;
    return BRAMBLE_OK;
}

static void hash_value(XXH3_state_t *state, const struct net_graph *graph, uint32_t v)
{
    const struct net_value *value = &graph->values[v];
    XXH3_128bits_update(state, &value->shape.rank, sizeof value->shape.rank);
    XXH3_128bits_update(state, value->shape.dim, value->shape.rank * sizeof *value->shape.dim);
    XXH3_128bits_update(state, graph_numbers(graph, v), value->size * sizeof(float));
}

void graph_hash(const struct net_graph *graph, char hash[33])
{
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    for (uint32_t n = 0; n < graph->n_nodes; n++)
        for (uint32_t i = 0; i < graph->nodes[n].n_inputs; i++) {
            uint32_t v = graph->nodes[n].inputs[i];
            if (v == NET_NONE) continue;
            enum net_kind kind = graph->values[v].kind;
            if (kind == NET_PARAMETER || kind == NET_STATE) hash_value(&state, graph, v);
        }
    XXH128_hash_t digest = XXH3_128bits_digest(&state);
    snprintf(hash, 33, "%016llx%016llx", (unsigned long long)digest.high64, (unsigned long long)digest.low64);
}
