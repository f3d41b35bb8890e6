#include "model/net_writer.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/operator.h"

static const int64_t to_first[4] = {0, 3, 1, 2}, to_lying[4] = {0, 2, 3, 1};

bool writer_init(struct net_writer *w, const struct net_graph *graph, struct proto_builder *builder)
{
    *w = (struct net_writer){.graph = graph, .builder = builder};
    w->lying = mem_zalloc(graph->n_values, sizeof *w->lying);
    w->first = mem_zalloc(graph->n_values, sizeof *w->first);
    return w->lying && w->first;
}

void writer_fini(struct net_writer *w)
{
    mem_free(w->lying);
    mem_free(w->first);
}

bool writer_is_weight(const struct net_writer *w, uint32_t value)
{
    enum net_kind kind = w->graph->values[value].kind;
    return kind != NET_INPUT && kind != NET_ACTIVATION;
}

bool writer_is_image(const struct net_writer *w, uint32_t value)
{
    return !writer_is_weight(w, value) && w->graph->values[value].shape.rank == 3;
}

bool writer_has_input(const struct net_writer *w, uint32_t i)
{
    return i < w->node->n_inputs && w->node->inputs[i] != NET_NONE;
}

const struct net_shape *writer_shape(const struct net_writer *w, uint32_t i)
{
    return &w->graph->values[w->node->inputs[i]].shape;
}

char *writer_lying(struct net_writer *w, uint32_t value)
{
    if (!w->lying[value] && w->first[value])
        w->lying[value] = proto_add_transpose(w->builder, w->first[value], to_lying, 4);
    return w->lying[value];
}

char *writer_first(struct net_writer *w, uint32_t value)
{
    if (!w->first[value]) w->first[value] = proto_add_transpose(w->builder, w->lying[value], to_first, 4);
    return w->first[value];
}

char *writer_input(struct net_writer *w, uint32_t i)
{
    return writer_has_input(w, i) ? writer_lying(w, w->node->inputs[i]) : NULL;
}

void writer_set(struct net_writer *w, uint32_t output, char *tensor, bool channels_first)
{
    (channels_first ? w->first : w->lying)[w->node->outputs[output]] = tensor;
}

/* The output's own name in the file, for the last node that makes it. */
static char *output_name(struct net_writer *w, uint32_t output, bool channels_first)
{
    return proto_name(w->builder, channels_first ? "image" : "net",
                      w->graph->values[w->node->outputs[output]].name);
}

Onnx__NodeProto *writer_add(struct net_writer *w, const char *op_type, const char *const *inputs, size_t n,
                            bool channels_first)
{
    char *name = output_name(w, 0, channels_first), *before = name;
    if (w->node->attributes.relu) before = proto_name(w->builder, "t", NULL);
    Onnx__NodeProto *node = proto_add_node(w->builder, op_type, inputs, n, (const char *[]){before}, 1);
    if (w->node->attributes.relu)
        proto_add_node(w->builder, "Relu", (const char *[]){before}, 1, (const char *[]){name}, 1);
    writer_set(w, 0, name, channels_first);
    return node;
}

bool writer_is_kernel(const struct net_graph *graph, uint32_t value)
{
    if (graph->values[value].shape.rank != 4) return false;
    for (uint32_t n = 0; n < graph->n_nodes; n++)
        if (strcmp(graph->nodes[n].op->name, "Conv") == 0 && graph->nodes[n].inputs[1] == value) return true;
    return false;
}

size_t writer_kernel_place(const struct net_shape *shape, size_t i)
{
    size_t window = (size_t)shape->dim[0] * shape->dim[1], at = i % window, rest = i / window;
    size_t c = rest % shape->dim[2], o = rest / shape->dim[2];
    return (at * shape->dim[2] + c) * shape->dim[3] + o;
}

static const float *turn_kernel(struct net_writer *w, uint32_t v)
{
    const struct net_value *value = &w->graph->values[v];
    const float *numbers = graph_numbers(w->graph, v);
    float *turned = proto_alloc(w->builder, value->size, sizeof *turned);
    for (size_t i = 0; turned && i < value->size; i++)
        turned[i] = numbers[writer_kernel_place(&value->shape, i)];
    return turned;
}

static void write_weight(struct net_writer *w, uint32_t v)
{
    const struct net_value *value = &w->graph->values[v];
    const uint32_t *dim = value->shape.dim;
    int64_t dims[NET_RANK_MAX];
    const float *numbers = graph_numbers(w->graph, v);
    for (uint32_t d = 0; d < value->shape.rank; d++) dims[d] = dim[d];
    if (writer_is_kernel(w->graph, v)) {
        numbers = turn_kernel(w, v);
        memcpy(dims, (int64_t[4]){dim[3], dim[2], dim[0], dim[1]}, 4 * sizeof *dims);
    }
    char *name = proto_name(w->builder, "net", value->name);
    if (numbers && name) w->lying[v] = proto_floats(w->builder, name, numbers, dims, value->shape.rank);
}

bramble_status write_network(struct net_writer *w, char *input, bool channels_first, bramble_error *error)
{
    const struct net_graph *graph = w->graph;
    for (uint32_t v = 0; v < graph->n_values; v++)
        if (writer_is_weight(w, v)) write_weight(w, v);
    (channels_first ? w->first : w->lying)[graph->input] = input;
    for (uint32_t n = 0; n < graph->n_nodes && !w->builder->failed; n++) {
        w->node = &graph->nodes[n];
        net_write_fn *write = writer_find(w->node->op->name);
        if (!write || !write(w))
            return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                             "node %.80s (%.40s) cannot be written to an ONNX file; use another layer",
                             w->node->name, w->node->op->name);
    }
    return w->builder->failed ? error_memory(error, "a network's ONNX file") : BRAMBLE_OK;
}
