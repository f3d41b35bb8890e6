#include "model/net_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "model/damaged.h"
#include "model/net_json_attributes.h"
#include "model/text_json.h"
#include "net/operator.h"

enum { NODES_MAX = 1 << 20 };

static const char *const kinds[] = {"input", "activation", "parameter", "state", "constant"};
static const char *const fillers[] = {"zero", "one", "kaiming", "recurrent", "normal"};

/* Takes over `value`; a NULL anywhere makes the whole NULL. */
static json_t *with(json_t *object, const char *key, json_t *value)
{
    if (object && json_object_set_new(object, key, value) == 0) return object;
    if (!object) json_decref(value);
    json_decref(object);
    return NULL;
}

static json_t *value_to_json(const struct net_graph *graph, uint32_t v)
{
    const struct net_value *value = &graph->values[v];
    json_t *object = with(json_object(), "at", json_integer(v));
    object = with(object, "name", text_to_json(value->name));
    object = with(object, "kind", json_string(kinds[value->kind]));
    object = with(object, "shape", shape_to_json(&value->shape));
    if (value->kind == NET_INPUT) return object;
    object = with(object, "filler", json_string(fillers[value->filler]));
    object = with(object, "fan_in", json_integer(value->fan_in));
    return with(object, "decays", json_boolean(value->decays));
}

static json_t *inputs_to_json(const struct net_node *node)
{
    json_t *array = json_array();
    for (uint32_t i = 0; array && i < node->n_inputs; i++) {
        json_t *item = node->inputs[i] == NET_NONE ? json_null() : json_integer(node->inputs[i]);
        if (json_array_append_new(array, item) == 0) continue;
        json_decref(array);
        return NULL;
    }
    return array;
}

static json_t *node_to_json(const struct net_node *node)
{
    json_t *object = with(json_object(), "op", json_string(node->op->name));
    object = with(object, "name", text_to_json(node->name));
    object = with(object, "inputs", inputs_to_json(node));
    object = with(object, "outputs", json_integer(node->n_outputs));
    return with(object, "attributes", attributes_to_json(&node->attributes));
}

/* Takes over both. */
static json_t *append(json_t *array, json_t *item)
{
    if (array && json_array_append_new(array, item) == 0) return array;
    if (!array) json_decref(item);
    json_decref(array);
    return NULL;
}

static json_t *graph_to_json(const struct net_graph *graph)
{
    json_t *values = json_array(), *nodes = json_array();
    for (uint32_t v = 0; values && v < graph->n_values; v++)
        if (graph->values[v].kind != NET_ACTIVATION) values = append(values, value_to_json(graph, v));
    for (uint32_t n = 0; nodes && n < graph->n_nodes; n++)
        nodes = append(nodes, node_to_json(&graph->nodes[n]));
    json_t *object = with(json_object(), "values", values);
    object = with(object, "nodes", nodes);
    return with(object, "output", json_integer(graph->output));
}

bramble_status net_to_json(char **out, const struct net_graph *graph, bramble_error *error)
{
    json_t *json = graph_to_json(graph);
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(json);
    char *copy = text ? mem_strdup(text) : NULL;
    free(text);
    if (!copy) return error_memory(error, "a network's description");
    *out = copy;
    return BRAMBLE_OK;
}

struct net_parser {
    struct net_graph *graph;
    net_numbers_fn *numbers;
    void *context;
    const char *name;
    bramble_error *error;
};

/* The place of a text among names, or n. */
static uint32_t name_place(const json_t *text, const char *const *names, uint32_t n)
{
    const char *value = json_string_value(text);
    for (uint32_t i = 0; value && i < n; i++)
        if (strcmp(value, names[i]) == 0) return i;
    return n;
}

static bramble_status damaged(const struct net_parser *p, const char *what)
{
    return model_damaged(p->error, p->name, "its network's %s", what);
}

static bramble_status add_weight(const struct net_parser *p, struct net_value_new *value)
{
    uint32_t v;
    size_t size = shape_size(&value->shape);
    if (size > SIZE_MAX / sizeof(float)) return damaged(p, "weights have sizes that cannot be");
    float *numbers = mem_alloc(size, sizeof *numbers);
    if (!numbers) return error_memory(p->error, "a network's weights");
    value->numbers = numbers;
    bramble_status status = p->numbers(p->context, value->name, &value->shape, numbers);
    if (status == BRAMBLE_ERR_MEMORY)
        status = error_memory(p->error, "a network's weights");
    else if (status)
        status = model_damaged(p->error, p->name, "weight \"%.80s\" is not there as described", value->name);
    else
        status = graph_add_value(p->graph, value, &v, p->error);
    mem_free(numbers);
    return status;
}

static bramble_status parse_value(const struct net_parser *p, const json_t *object)
{
    struct net_value_new value = {0};
    char *name = NULL;
    uint32_t v, kind = name_place(json_object_get(object, "kind"), kinds, 5);
    if (kind == 5 || kind == NET_ACTIVATION ||
        !shape_from_array(&value.shape, json_object_get(object, "shape")))
        return damaged(p, "values are not as they should be");
    value.kind = (enum net_kind)kind;
    if (value.kind != NET_INPUT) {
        uint32_t filler = name_place(json_object_get(object, "filler"), fillers, 5);
        json_int_t fan_in = json_integer_value(json_object_get(object, "fan_in"));
        if (filler == 5 || fan_in < 0 || fan_in > UINT32_MAX)
            return damaged(p, "values are not as they should be");
        value.filler = (enum net_filler)filler;
        value.fan_in = (uint32_t)fan_in;
        value.decays = json_is_true(json_object_get(object, "decays"));
    }
    bramble_status status = text_from_json(&name, json_object_get(object, "name"), p->name, p->error);
    if (status) return status;
    value.name = name;
    if (value.kind != NET_INPUT)
        status = add_weight(p, &value);
    else
        status = graph_add_value(p->graph, &value, &v, p->error);
    mem_free(name);
    return status;
}

static bool parse_inputs(struct net_node_new *node, uint32_t *inputs, const json_t *array)
{
    size_t n = json_array_size(array);
    if (!json_is_array(array) || n > NET_INPUTS_MAX) return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *input = json_array_get(array, i);
        json_int_t value = json_integer_value(input);
        if (!json_is_null(input) && (!json_is_integer(input) || value < 0 || value >= NET_NONE)) return false;
        inputs[i] = json_is_null(input) ? NET_NONE : (uint32_t)value;
    }
    node->inputs = inputs;
    node->n_inputs = (uint32_t)n;
    return true;
}

static bramble_status parse_node(const struct net_parser *p, const json_t *object)
{
    struct net_node_new node = {.op = json_string_value(json_object_get(object, "op"))};
    uint32_t inputs[NET_INPUTS_MAX], first;
    char *name = NULL;
    json_int_t n_outputs = json_integer_value(json_object_get(object, "outputs"));
    if (!node.op || !parse_inputs(&node, inputs, json_object_get(object, "inputs")) || n_outputs < 1 ||
        n_outputs > NET_OUTPUTS_MAX ||
        !attributes_from_json(&node.attributes, json_object_get(object, "attributes")))
        return damaged(p, "nodes are not as they should be");
    node.n_outputs = (uint32_t)n_outputs;
    bramble_status status = text_from_json(&name, json_object_get(object, "name"), p->name, p->error);
    if (status) return status;
    node.name = name;
    bramble_error inner = {0};
    status = graph_add_node(p->graph, &node, &first, &inner);
    mem_free(name);
    if (status == BRAMBLE_ERR_MEMORY) return error_memory(p->error, "a network");
    return status ? model_damaged(p->error, p->name, "%s", inner.message) : BRAMBLE_OK;
}

/* Values and nodes in the order in which they were added: a value's "at" says when. */
static bramble_status parse_graph(const struct net_parser *p, const json_t *object)
{
    const json_t *values = json_object_get(object, "values"), *nodes = json_object_get(object, "nodes");
    size_t n_values = json_array_size(values), n_nodes = json_array_size(nodes), v = 0, n = 0;
    bramble_status status = BRAMBLE_OK;
    if (n_nodes > NODES_MAX || n_values > NODES_MAX) return damaged(p, "nodes are too many");
    while (!status && (v < n_values || n < n_nodes)) {
        const json_t *value = json_array_get(values, v), *place = json_object_get(value, "at");
        if (value && json_is_integer(place) && json_integer_value(place) == p->graph->n_values) {
            status = parse_value(p, value);
            v++;
        } else if (n < n_nodes) {
            status = parse_node(p, json_array_get(nodes, n++));
        } else {
            status = damaged(p, "values are not in order");
        }
    }
    json_int_t output = json_integer_value(json_object_get(object, "output"));
    if (!status && (output < 0 || output >= p->graph->n_values)) status = damaged(p, "output is not there");
    if (status) return status;
    bramble_error inner = {0};
    status = graph_finish(p->graph, (uint32_t)output, &inner);
    if (status == BRAMBLE_ERR_MEMORY) return error_memory(p->error, "a network");
    return status ? model_damaged(p->error, p->name, "%s", inner.message) : BRAMBLE_OK;
}

bramble_status net_from_json(struct net_graph *out, const char *json, net_numbers_fn *numbers, void *context,
                             const char *name, bramble_error *error)
{
    json_error_t parse;
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, &parse);
    if (!object && (json_error_code(&parse) == json_error_out_of_memory || !*parse.text))
        return error_memory(error, "a network's description");
    if (!object)
        return model_damaged(error, name, "its network is not JSON (line %d: %s)", parse.line, parse.text);
    struct net_graph graph;
    graph_init(&graph);
    struct net_parser parser = {&graph, numbers, context, name, error};
    bramble_status status = parse_graph(&parser, object);
    json_decref(object);
    if (status)
        graph_fini(&graph);
    else
        *out = graph;
    return status;
}
