/*
 * Layer lists: whatever the bytes, building ends in one line of an error that names a line, or in a network
 * that is within the limits and gives what was asked for; and the same text gives the same network.
 *
 * The first byte chooses the input's shape and the outputs, the rest is the text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/figures.h"
#include "net/layer_list.h"

static void require(bool condition)
{
    if (!condition) abort();
}

static void check(const struct net_graph *graph, const struct layer_list_options *options)
{
    require(graph->values[graph->output].size == options->n_outputs);
    require(graph->n_weights <= options->weights_max + 16 * (size_t)graph->n_values);
    for (uint32_t v = 0; v < graph->n_values; v++) {
        const struct net_value *value = &graph->values[v];
        require(graph_find_value(graph, value->name) == v);
        require(value->kind != NET_ACTIVATION || value->size <= LAYER_LIST_ACTIVATIONS);
    }
    struct net_figures figures = figures_of_net(graph);
    uint64_t parameters = 0;
    for (uint32_t n = 0; n < graph->n_nodes && graph->n_nodes < 200; n++)
        parameters += figures_of_layer(graph, n).parameters;
    require(graph->n_nodes >= 200 || parameters == figures.parameters);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct net_shape inputs[] = {{3, {28, 28, 1}}, {1, {30}}, {2, {9, 4}}, {3, {5, 3, 2}}};
    if (size == 0) return 0;
    const struct layer_list_options options = {
        .input = inputs[data[0] & 3], .n_outputs = 1 + (data[0] >> 2), .weights_max = 1 << 20};
    const char *text = (const char *)data + 1;
    struct net_graph graph, again;
    bramble_error error = {0};
    bramble_status status = layer_list_build(&graph, text, size - 1, "fuzz", &options, &error);
    require(status == error.status && (status == BRAMBLE_OK) == (error.message[0] == 0));
    require(!status || strncmp(error.message, "fuzz", 4) == 0);
    if (status) return 0;
    check(&graph, &options);
    require(layer_list_build(&again, text, size - 1, "fuzz", &options, &error) == BRAMBLE_OK);
    require(again.n_nodes == graph.n_nodes && again.n_weights == graph.n_weights);
    graph_fini(&again);
    graph_fini(&graph);
    return 0;
}
