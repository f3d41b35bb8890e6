#include "net/places.h"

#include <string.h>

#include "net/operator.h"

enum { TABLE, INDICES }; /* of Gather */

static bool moves(const struct net_operator *op)
{
    static const char *const names[] = {"Flatten", "Identity", "Reshape", "Split", "Transpose"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(op->name, names[i]) == 0) return true;
    return false;
}

static bool is_input(const struct net_graph *graph, uint32_t value)
{
    while (value != graph->input) {
        uint32_t producer = graph->values[value].producer;
        if (producer == NET_NONE || !moves(graph->nodes[producer].op)) return false;
        value = graph->nodes[producer].inputs[0];
    }
    return true;
}

uint32_t net_places(const struct net_graph *graph)
{
    uint32_t least = 0;
    for (uint32_t n = 0; n < graph->n_nodes; n++) {
        const struct net_node *node = &graph->nodes[n];
        if (strcmp(node->op->name, "Gather") != 0 || !is_input(graph, node->inputs[INDICES])) continue;
        uint32_t rows = graph->values[node->inputs[TABLE]].shape.dim[0];
        if (!least || rows < least) least = rows;
    }
    return least;
}
