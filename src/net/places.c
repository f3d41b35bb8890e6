#include "net/places.h"

#include <string.h>

#include "net/operands.h"
#include "net/operator.h"

enum { TABLE, INDICES }; /* of Gather */

static size_t before_split(const struct net_graph *graph, const struct net_node *node, uint32_t value,
                           size_t position)
{
    uint32_t axis = node->attributes.axis, first = 0;
    const struct net_shape *x = &graph->values[node->inputs[0]].shape;
    for (uint32_t o = 0; node->outputs[o] != value; o++)
        first += graph->values[node->outputs[o]].shape.dim[axis];
    size_t width = shape_product(x, axis + 1, x->rank), length = graph->values[value].shape.dim[axis];
    size_t line = position / width, along = first + line % length;
    return (line / length * x->dim[axis] + along) * width + position % width;
}

static size_t before_transpose(const struct net_graph *graph, const struct net_node *node, uint32_t value,
                               size_t position)
{
    const struct net_shape *x = &graph->values[node->inputs[0]].shape, *y = &graph->values[value].shape;
    size_t at[NET_RANK_MAX], before = 0;
    for (uint32_t d = y->rank; d-- > 0; position /= y->dim[d])
        at[node->attributes.perm[d]] = position % y->dim[d];
    for (uint32_t d = 0; d < x->rank; d++) before = before * x->dim[d] + at[d];
    return before;
}

static bool keeps_order(const char *op)
{
    return strcmp(op, "Flatten") == 0 || strcmp(op, "Identity") == 0 || strcmp(op, "Reshape") == 0;
}

/* From a number of a value to the one of the input that it is. False: it is computed. */
static bool find_in_input(const struct net_graph *graph, uint32_t value, size_t *position)
{
    while (value != graph->input) {
        if (graph->values[value].producer == NET_NONE) return false;
        const struct net_node *node = &graph->nodes[graph->values[value].producer];
        if (strcmp(node->op->name, "Split") == 0)
            *position = before_split(graph, node, value, *position);
        else if (strcmp(node->op->name, "Transpose") == 0)
            *position = before_transpose(graph, node, value, *position);
        else if (!keeps_order(node->op->name))
            return false;
        value = node->inputs[0];
    }
    return true;
}

bool net_places(const struct net_graph *graph, struct net_place *places)
{
    bool any = false;
    for (size_t i = 0; i < graph->values[graph->input].size; i++) places[i] = (struct net_place){NET_NONE, 0};
    for (uint32_t n = 0; n < graph->n_nodes; n++) {
        const struct net_node *node = &graph->nodes[n];
        if (strcmp(node->op->name, "Gather") != 0) continue;
        uint32_t table = node->inputs[TABLE], rows = graph->values[table].shape.dim[0];
        for (size_t i = 0; i < graph->values[node->inputs[INDICES]].size; i++) {
            size_t at = i;
            if (!find_in_input(graph, node->inputs[INDICES], &at)) break;
            if (places[at].table == NET_NONE || rows < places[at].rows)
                places[at] = (struct net_place){table, rows};
            any = true;
        }
    }
    return any;
}
