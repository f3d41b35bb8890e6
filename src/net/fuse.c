#include "net/fuse.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/operator.h"
#include "net/operators.h"

/* How many nodes read each value; the output is read by whoever asked. */
static void count_readers(const struct net_graph *graph, uint32_t *readers)
{
    readers[graph->output]++;
    for (uint32_t n = 0; n < graph->n_nodes; n++)
        for (uint32_t i = 0; i < graph->nodes[n].n_inputs; i++)
            if (graph->nodes[n].inputs[i] != NET_NONE) readers[graph->nodes[n].inputs[i]]++;
}

/* The node before a Relu takes it in: it makes what the Relu made. */
static void fuse_relu(struct net_graph *graph, const struct net_node *relu, const uint32_t *readers)
{
    uint32_t between = relu->inputs[0], output = relu->outputs[0], before = graph->values[between].producer;
    if (before == NET_NONE || readers[between] != 1) return;
    struct net_node *node = &graph->nodes[before];
    if (!node->op->takes_relu || node->attributes.relu || node->n_outputs != 1) return;
    node->attributes.relu = true;
    node->outputs[0] = output;
    graph->values[output].producer = before;
    graph->values[between].producer = NET_NONE;
}

bramble_status fuse_init(struct net_graph *fused, const struct net_graph *graph, bramble_error *error)
{
    struct net_graph made = *graph;
    uint32_t *readers = mem_zalloc(graph->n_values, sizeof *readers);
    made.values = mem_alloc(graph->n_values, sizeof *made.values);
    made.nodes = mem_alloc(graph->n_nodes, sizeof *made.nodes);
    bool room = readers && made.values && made.nodes;
    if (room) {
        memcpy(made.values, graph->values, graph->n_values * sizeof *made.values);
        memcpy(made.nodes, graph->nodes, graph->n_nodes * sizeof *made.nodes);
        count_readers(graph, readers);
        for (uint32_t n = 0; n < made.n_nodes; n++)
            if (made.nodes[n].op == &op_relu) fuse_relu(&made, &made.nodes[n], readers);
        *fused = made;
    } else {
        fuse_fini(&made);
    }
    mem_free(readers);
    return room ? BRAMBLE_OK : error_memory(error, "the plan of a network");
}

void fuse_fini(struct net_graph *fused)
{
    mem_free(fused->values);
    mem_free(fused->nodes);
    *fused = (struct net_graph){0};
}
