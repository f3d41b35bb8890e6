#include "net/graph.h"

#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/operator.h"

static const char memory_for[] = "a network's layers";

void graph_init(struct net_graph *graph)
{
    *graph = (struct net_graph){.input = NET_NONE, .output = NET_NONE};
}

void graph_fini(struct net_graph *graph)
{
    for (uint32_t v = 0; v < graph->n_values; v++) mem_free(graph->values[v].name);
    for (uint32_t n = 0; n < graph->n_nodes; n++) mem_free(graph->nodes[n].name);
    mem_free(graph->values);
    mem_free(graph->nodes);
    mem_free(graph->weights);
    mem_free(graph->names);
    graph_init(graph);
}

/* The place in graph->names of the value of that name, or the free one where it belongs. */
static uint32_t *name_place(const struct net_graph *graph, const char *name)
{
    uint32_t mask = graph->n_names - 1, at = (uint32_t)XXH3_64bits(name, strlen(name)) & mask;
    while (graph->names[at] && strcmp(graph->values[graph->names[at] - 1].name, name) != 0)
        at = (at + 1) & mask;
    return &graph->names[at];
}

uint32_t graph_find_value(const struct net_graph *graph, const char *name)
{
    uint32_t found = graph->n_names ? *name_place(graph, name) : 0;
    return found ? found - 1 : NET_NONE;
}

/* Room for names of `n` values, at most half full. */
static bool reserve_names(struct net_graph *graph, uint32_t n)
{
    if (n <= graph->n_names / 2) return true;
    if (n > UINT32_MAX / 8) return false;
    uint32_t room = graph->n_names ? graph->n_names : 16;
    while (room / 2 < n) room *= 2;
    uint32_t *names = mem_zalloc(room, sizeof *names);
    if (!names) return false;
    mem_free(graph->names);
    graph->names = names;
    graph->n_names = room;
    for (uint32_t v = 0; v < graph->n_values; v++) *name_place(graph, graph->values[v].name) = v + 1;
    return true;
}

static bool reserve(void **array, uint32_t *room, uint32_t n, size_t size)
{
    if (n <= *room) return true;
    uint32_t wanted = n < 8 ? 8 : n > UINT32_MAX / 2 ? n : 2 * n;
    void *larger = mem_resize(*array, wanted, size);
    if (!larger) return false;
    *array = larger;
    *room = wanted;
    return true;
}

static bool reserve_values(struct net_graph *graph, uint32_t more)
{
    uint32_t n;
    return !__builtin_add_overflow(graph->n_values, more, &n) &&
           reserve((void **)&graph->values, &graph->values_room, n, sizeof *graph->values) &&
           reserve_names(graph, n);
}

static bool reserve_weights(struct net_graph *graph, size_t more)
{
    size_t n;
    if (__builtin_add_overflow(graph->n_weights, more, &n) || n > SIZE_MAX / 4 / sizeof(float)) return false;
    if (n <= graph->weights_room) return true;
    size_t room = graph->n_weights ? 2 * n : n;
    float *weights = mem_alloc_large(room, sizeof *weights);
    if (!weights) return false;
    if (graph->n_weights) memcpy(weights, graph->weights, graph->n_weights * sizeof *weights);
    mem_free(graph->weights);
    graph->weights = weights;
    graph->weights_room = room;
    return true;
}

/* A copy of `name`, with a number behind it when a value, or one of those in `also`, has it already. */
static char *free_name(const struct net_graph *graph, const char *name, char *const *also, uint32_t n_also)
{
    char *copy = mem_strdup(name);
    for (uint32_t number = graph->n_values + n_also; copy; number++) {
        bool taken = graph_find_value(graph, copy) != NET_NONE;
        for (uint32_t i = 0; i < n_also && !taken; i++) taken = strcmp(also[i], copy) == 0;
        if (!taken) break;
        mem_free(copy);
        struct str text = {0};
        str_printf(&text, "%s_%u", name, number);
        copy = str_take(&text);
    }
    return copy;
}

/* There is room; takes over value->name. */
static void push_value(struct net_graph *graph, const struct net_value *value)
{
    *name_place(graph, value->name) = graph->n_values + 1;
    graph->values[graph->n_values++] = *value;
}

static bramble_status check_size(const char *name, const struct net_shape *shape, bramble_error *error)
{
    char text[64];
    size_t size = shape->rank <= NET_RANK_MAX ? shape_size(shape) : 0;
    if (size > 0 && size <= SIZE_MAX / 64) return BRAMBLE_OK;
    if (shape->rank > NET_RANK_MAX)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                         "%.80s has %u dimensions besides the batch; up to %d are supported", name,
                         shape->rank, NET_RANK_MAX);
    return error_set(error, BRAMBLE_ERR_DATA, "%.80s is %s numbers, which is %s", name,
                     shape_text(shape, text), size ? "more than any memory holds" : "none at all");
}

static bramble_status check_value(const struct net_graph *graph, const struct net_value_new *value,
                                  bramble_error *error)
{
    if (value->kind == NET_INPUT && graph->input != NET_NONE)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                         "%.80s is a second input besides %.80s; a network takes one", value->name,
                         graph->values[graph->input].name);
    if (value->kind == NET_CONSTANT && !value->numbers)
        return error_set(error, BRAMBLE_ERR_DATA, "constant %.80s has no numbers", value->name);
    return check_size(value->name, &value->shape, error);
}

/* There is room in graph->weights. */
static void push_weights(struct net_graph *graph, struct net_value *value, const float *numbers)
{
    size_t aligned = net_aligned(value->size);
    float *to = graph->weights + graph->n_weights;
    memset(to, 0, aligned * sizeof *to);
    if (numbers) memcpy(to, numbers, value->size * sizeof *to);
    value->offset = graph->n_weights;
    graph->n_weights += aligned;
}

bramble_status graph_add_value(struct net_graph *graph, const struct net_value_new *value, uint32_t *out,
                               bramble_error *error)
{
    bramble_status status = check_value(graph, value, error);
    if (status) return status;
    struct net_value added = {
        .kind = value->kind,
        .shape = value->shape,
        .size = shape_size(&value->shape),
        .producer = NET_NONE,
        .filler = value->filler,
        .fan_in = value->fan_in,
        .decays = value->decays,
    };
    bool has_weights = value->kind != NET_INPUT;
    bool reserved =
        reserve_values(graph, 1) && (!has_weights || reserve_weights(graph, net_aligned(added.size)));
    added.name = reserved ? free_name(graph, value->name, NULL, 0) : NULL;
    if (!added.name) return error_memory(error, memory_for);
    if (has_weights) push_weights(graph, &added, value->numbers);
    *out = graph->n_values;
    if (value->kind == NET_INPUT) graph->input = graph->n_values;
    push_value(graph, &added);
    return BRAMBLE_OK;
}

static bramble_status refuse_operator(const struct net_node_new *node, bramble_error *error)
{
    struct str list = {0};
    for (const char *const *name = operator_names(); *name; name++)
        str_printf(&list, "%s%s", list.length ? ", " : "", *name);
    bramble_status status =
        list.failed
            ? error_memory(error, memory_for)
            : error_set(error, BRAMBLE_ERR_UNSUPPORTED, "%.40s: there is no operator %.40s; there are %s",
                        node->name ? node->name : node->op, node->op, list.data ? list.data : "none");
    str_fini(&list);
    return status;
}

/* Everything but what infer checks. */
static bramble_status check_inputs(const struct net_graph *graph, const struct net_node_new *node,
                                   const struct net_operator *op, bramble_error *error)
{
    if (node->n_inputs < op->min_inputs || node->n_inputs > op->max_inputs)
        return error_set(error, BRAMBLE_ERR_DATA, "has %u inputs instead of %u to %u", node->n_inputs,
                         op->min_inputs, op->max_inputs);
    if (node->n_outputs < 1 || node->n_outputs > op->max_outputs)
        return error_set(error, BRAMBLE_ERR_DATA, "has %u outputs instead of 1 to %u", node->n_outputs,
                         op->max_outputs);
    for (uint32_t i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] == NET_NONE ? i < op->min_inputs : node->inputs[i] >= graph->n_values)
            return error_set(error, BRAMBLE_ERR_DATA, "input %u is missing", i);
    return BRAMBLE_OK;
}

static bramble_status infer_shapes(const struct net_graph *graph, const struct net_node *node,
                                   struct net_shape *shapes, bramble_error *error)
{
    bramble_status status = node->op->infer(graph, node, shapes, error);
    for (uint32_t i = 0; i < node->n_outputs && !status; i++)
        status = check_size("its output", &shapes[i], error);
    return status;
}

/* Names for the outputs, and the node's, which is the first one's; nothing on failure. */
static bool name_outputs(const struct net_graph *graph, const char *name, uint32_t n, char **names,
                         char **node_name)
{
    uint32_t named = 0;
    for (; named < n; named++)
        if (!(names[named] = free_name(graph, name, names, named))) break;
    *node_name = named == n ? mem_strdup(names[0]) : NULL;
    if (*node_name) return true;
    while (named) mem_free(names[--named]);
    return false;
}

static bool push_node(struct net_graph *graph, struct net_node *node, const char *name,
                      const struct net_shape *shapes)
{
    char *names[NET_OUTPUTS_MAX] = {0};
    if (!reserve_values(graph, node->n_outputs) ||
        !reserve((void **)&graph->nodes, &graph->nodes_room, graph->n_nodes + 1, sizeof *graph->nodes) ||
        !name_outputs(graph, name, node->n_outputs, names, &node->name))
        return false;
    for (uint32_t i = 0; i < node->n_outputs; i++) {
        node->outputs[i] = graph->n_values;
        push_value(graph, &(struct net_value){.name = names[i],
                                              .kind = NET_ACTIVATION,
                                              .shape = shapes[i],
                                              .size = shape_size(&shapes[i]),
                                              .producer = graph->n_nodes});
    }
    node->number = graph->n_nodes;
    graph->nodes[graph->n_nodes++] = *node;
    return true;
}

bramble_status graph_add_node(struct net_graph *graph, const struct net_node_new *node,
                              uint32_t *first_output, bramble_error *error)
{
    const struct net_operator *op = operator_find(node->op);
    if (!op) return refuse_operator(node, error);
    const char *name = node->name && *node->name ? node->name : op->name;
    struct net_node added = {
        .op = op, .n_inputs = node->n_inputs, .n_outputs = node->n_outputs, .attributes = node->attributes};
    struct net_shape shapes[NET_OUTPUTS_MAX] = {0};
    bramble_error why = {0};
    bramble_status status = check_inputs(graph, node, op, &why);
    if (!status) {
        memcpy(added.inputs, node->inputs, node->n_inputs * sizeof *node->inputs);
        status = infer_shapes(graph, &added, shapes, &why);
    }
    if (status) return error_set(error, status, "%.80s (%s): %s", name, op->name, why.message);
    uint32_t first = graph->n_values;
    if (!push_node(graph, &added, name, shapes)) return error_memory(error, memory_for);
    *first_output = first;
    return BRAMBLE_OK;
}
