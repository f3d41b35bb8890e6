#include "net/figures.h"

#include "net/operator.h"

/* A node before `n` uses the value too. */
static bool used_before(const struct net_graph *graph, uint32_t n, uint32_t value)
{
    for (uint32_t before = 0; before < n; before++)
        for (uint32_t i = 0; i < graph->nodes[before].n_inputs; i++)
            if (graph->nodes[before].inputs[i] == value) return true;
    return false;
}

struct layer_figures figures_of_layer(const struct net_graph *graph, uint32_t n)
{
    const struct net_node *node = &graph->nodes[n];
    struct layer_figures figures = {
        .name = node->name, .op = node->op->name, .shape = graph->values[node->outputs[0]].shape};
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        uint32_t v = node->inputs[i];
        if (v != NET_NONE && graph->values[v].kind == NET_PARAMETER && !used_before(graph, n, v))
            figures.parameters += graph->values[v].size;
    }
    for (uint32_t i = 0; i < node->n_outputs; i++)
        figures.activation_bytes += graph->values[node->outputs[i]].size * sizeof(float);
    if (node->op->macs) figures.macs = node->op->macs(graph, node);
    return figures;
}

struct net_figures figures_of_net(const struct net_graph *graph)
{
    struct net_figures total = {.layers = graph->n_nodes, .weight_bytes = graph->n_weights * sizeof(float)};
    for (uint32_t n = 0; n < graph->n_nodes; n++) {
        const struct net_node *node = &graph->nodes[n];
        if (node->op->macs) total.macs += node->op->macs(graph, node);
        for (uint32_t i = 0; i < node->n_outputs; i++)
            total.activation_bytes += graph->values[node->outputs[i]].size * sizeof(float);
    }
    for (uint32_t v = 0; v < graph->n_values; v++)
        if (graph->values[v].kind == NET_PARAMETER) total.parameters += graph->values[v].size;
    return total;
}
