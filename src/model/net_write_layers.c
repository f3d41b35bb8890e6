/* One function an operator: what stands for it in an ONNX file. */
#include <string.h>

#include "model/net_writer.h"
#include "net/operator.h"

static bool write_conv(struct net_writer *w)
{
    const struct net_attributes *a = &w->node->attributes;
    const struct net_shape *weight = writer_shape(w, 1);
    const char *inputs[3] = {writer_first(w, w->node->inputs[0]), writer_input(w, 1), writer_input(w, 2)};
    Onnx__NodeProto *node = writer_add(w, "Conv", inputs, writer_has_input(w, 2) ? 3 : 2, true);
    proto_ints(w->builder, node, "kernel_shape", (int64_t[]){weight->dim[0], weight->dim[1]}, 2);
    proto_ints(w->builder, node, "strides", (int64_t[]){a->stride[0], a->stride[1]}, 2);
    proto_ints(w->builder, node, "dilations", (int64_t[]){a->dilation[0], a->dilation[1]}, 2);
    proto_ints(w->builder, node, "pads", (int64_t[]){a->pad[0], a->pad[1], a->pad[2], a->pad[3]}, 4);
    proto_int(w->builder, node, "group", a->group);
    return true;
}

static bool write_pool(struct net_writer *w)
{
    const struct net_attributes *a = &w->node->attributes;
    bool average = strcmp(w->node->op->name, "AveragePool") == 0;
    const char *input = writer_first(w, w->node->inputs[0]);
    Onnx__NodeProto *node = writer_add(w, average ? "AveragePool" : "MaxPool", &input, 1, true);
    proto_ints(w->builder, node, "kernel_shape", (int64_t[]){a->kernel[0], a->kernel[1]}, 2);
    proto_ints(w->builder, node, "strides", (int64_t[]){a->stride[0], a->stride[1]}, 2);
    proto_ints(w->builder, node, "pads", (int64_t[]){a->pad[0], a->pad[1], a->pad[2], a->pad[3]}, 4);
    proto_int(w->builder, node, "ceil_mode", a->ceil_mode);
    if (average) proto_int(w->builder, node, "count_include_pad", a->count_include_pad);
    return average || (a->dilation[0] == 1 && a->dilation[1] == 1);
}

/* C numbers for a value of C, else 1 x 1 x C. */
static bool write_global_pool(struct net_writer *w)
{
    const char *input = writer_first(w, w->node->inputs[0]);
    bool flat = w->graph->values[w->node->outputs[0]].shape.rank == 1;
    char *pooled = proto_add_unary(w->builder, "GlobalAveragePool", input);
    if (!flat) {
        writer_set(w, 0, pooled, true);
        return true;
    }
    const char *inputs[1] = {pooled};
    proto_int(w->builder, writer_add(w, "Flatten", inputs, 1, false), "axis", 1);
    return true;
}

static bool write_batch_norm(struct net_writer *w)
{
    static const int64_t turn[3] = {0, 2, 1};
    const struct net_attributes *a = &w->node->attributes;
    uint32_t rank = writer_shape(w, 0)->rank;
    const char *inputs[5];
    for (uint32_t i = 1; i < 5; i++) inputs[i] = writer_input(w, i);
    if (rank == 3)
        inputs[0] = writer_first(w, w->node->inputs[0]);
    else
        inputs[0] =
            rank == 2 ? proto_add_transpose(w->builder, writer_input(w, 0), turn, 3) : writer_input(w, 0);
    Onnx__NodeProto *node = writer_add(w, "BatchNormalization", inputs, 5, rank == 3);
    proto_float(w->builder, node, "epsilon", a->epsilon);
    proto_float(w->builder, node, "momentum", a->momentum);
    if (rank == 2)
        writer_set(w, 0, proto_add_transpose(w->builder, w->lying[w->node->outputs[0]], turn, 3), false);
    return rank <= 3;
}

static bool write_layer_norm(struct net_writer *w)
{
    const char *inputs[3] = {writer_input(w, 0), writer_input(w, 1), writer_input(w, 2)};
    Onnx__NodeProto *node =
        writer_add(w, "LayerNormalization", inputs, writer_has_input(w, 2) ? 3 : 2, false);
    proto_int(w->builder, node, "axis", (int64_t)w->node->attributes.axis + 1);
    proto_float(w->builder, node, "epsilon", w->node->attributes.epsilon);
    return true;
}

/* Where an axis of a sample is in the file's tensor. */
static int64_t file_axis(uint32_t axis, bool channels_first)
{
    static const int64_t first[3] = {2, 3, 1};
    return channels_first ? first[axis] : (int64_t)axis + 1;
}

static bool write_along(struct net_writer *w)
{
    const char *input = writer_input(w, 0);
    proto_int(w->builder, writer_add(w, w->node->op->name, &input, 1, false), "axis",
              (int64_t)w->node->attributes.axis + 1);
    return true;
}

/* Whether all activations that the node reads are there with channels first. */
static bool all_first(const struct net_writer *w)
{
    for (uint32_t i = 0; i < w->node->n_inputs; i++)
        if (!writer_is_image(w, w->node->inputs[i]) || !w->first[w->node->inputs[i]]) return false;
    return true;
}

static bool write_concat(struct net_writer *w)
{
    const char *inputs[NET_INPUTS_MAX] = {NULL};
    bool first = all_first(w);
    for (uint32_t i = 0; i < w->node->n_inputs; i++)
        inputs[i] = first ? writer_first(w, w->node->inputs[i]) : writer_input(w, i);
    proto_int(w->builder, writer_add(w, "Concat", inputs, w->node->n_inputs, first), "axis",
              file_axis(w->node->attributes.axis, first));
    return true;
}

static bool write_split(struct net_writer *w)
{
    const char *outputs[NET_OUTPUTS_MAX];
    int64_t sizes[NET_OUTPUTS_MAX];
    uint32_t axis = w->node->attributes.axis;
    for (uint32_t o = 0; o < w->node->n_outputs; o++) {
        const struct net_value *value = &w->graph->values[w->node->outputs[o]];
        char *name = proto_name(w->builder, "net", value->name);
        sizes[o] = value->shape.dim[axis];
        outputs[o] = name;
        writer_set(w, o, name, false);
    }
    const char *inputs[2] = {writer_input(w, 0), proto_integers(w->builder, sizes, w->node->n_outputs)};
    Onnx__NodeProto *node = proto_add_node(w->builder, "Split", inputs, 2, outputs, w->node->n_outputs);
    proto_int(w->builder, node, "axis", (int64_t)axis + 1);
    return true;
}

static bool write_transpose(struct net_writer *w)
{
    int64_t perm[NET_RANK_MAX + 1] = {0};
    uint32_t rank = writer_shape(w, 0)->rank;
    const char *input = writer_input(w, 0);
    for (uint32_t d = 0; d < rank; d++) perm[d + 1] = (int64_t)w->node->attributes.perm[d] + 1;
    proto_ints(w->builder, writer_add(w, "Transpose", &input, 1, false), "perm", perm, rank + 1);
    return true;
}

static bool write_reshape(struct net_writer *w)
{
    const struct net_shape *shape = &w->graph->values[w->node->outputs[0]].shape;
    int64_t dims[NET_RANK_MAX + 1] = {-1};
    for (uint32_t d = 0; d < shape->rank; d++) dims[d + 1] = shape->dim[d];
    const char *inputs[2] = {writer_input(w, 0), proto_integers(w->builder, dims, shape->rank + 1)};
    writer_add(w, "Reshape", inputs, 2, false);
    return true;
}

/* Nothing at all in prediction. */
static bool write_nothing(struct net_writer *w)
{
    uint32_t input = w->node->inputs[0];
    writer_set(w, 0, w->lying[input], false);
    writer_set(w, 0, w->first[input], true);
    return true;
}

static bool write_gather(struct net_writer *w)
{
    char *places = proto_add_unary(w->builder, "Cast", writer_input(w, 1));
    proto_int(w->builder, proto_last(w->builder), "to", ONNX__TENSOR_PROTO__DATA_TYPE__INT64);
    const char *inputs[2] = {writer_input(w, 0), places};
    writer_add(w, "Gather", inputs, 2, false);
    return true;
}

/* T x I to what ONNX wants, steps first. */
static Onnx__NodeProto *add_recurrent(struct net_writer *w, char *outputs[3])
{
    static const int64_t turn[3] = {1, 0, 2};
    const struct net_attributes *a = &w->node->attributes;
    const char *inputs[7] = {proto_add_transpose(w->builder, writer_input(w, 0), turn, 3)};
    uint32_t n = w->node->n_inputs < 4 ? w->node->n_inputs : 4;
    for (uint32_t i = 1; i < n; i++) inputs[i] = writer_input(w, i);
    for (uint32_t o = 0; o < w->node->n_outputs; o++) outputs[o] = proto_name(w->builder, "t", NULL);
    Onnx__NodeProto *node = proto_add_node(w->builder, w->node->op->name, inputs, n,
                                           (const char *const *)outputs, w->node->n_outputs);
    proto_int(w->builder, node, "hidden_size", a->hidden);
    proto_text(w->builder, node, "direction",
               a->bidirectional ? "bidirectional"
               : a->reverse     ? "reverse"
                                : "forward");
    return node;
}

static bool write_recurrent(struct net_writer *w)
{
    static const int64_t turn[4] = {2, 0, 1, 3}, turn_last[3] = {1, 0, 2}, flat[3] = {0, 0, -1};
    char *outputs[3] = {NULL, NULL, NULL};
    if (writer_has_input(w, 4) || writer_has_input(w, 5) || writer_has_input(w, 6)) return false;
    Onnx__NodeProto *node = add_recurrent(w, outputs);
    if (strcmp(w->node->op->name, "GRU") == 0)
        proto_int(w->builder, node, "linear_before_reset", w->node->attributes.linear_before_reset);
    char *turned = proto_add_transpose(w->builder, outputs[0], turn, 4);
    const char *inputs[2] = {turned, proto_integers(w->builder, flat, 3)};
    writer_add(w, "Reshape", inputs, 2, false);
    for (uint32_t o = 1; o < w->node->n_outputs; o++)
        writer_set(w, o, proto_add_transpose(w->builder, outputs[o], turn_last, 3), false);
    return true;
}

static const struct {
    const char *op;
    net_write_fn *write;
} layers[] = {
    {"AveragePool", write_pool},
    {"BatchNormalization", write_batch_norm},
    {"Concat", write_concat},
    {"Conv", write_conv},
    {"Dropout", write_nothing},
    {"Flatten", write_reshape},
    {"GRU", write_recurrent},
    {"Gather", write_gather},
    {"GlobalAveragePool", write_global_pool},
    {"Identity", write_nothing},
    {"LSTM", write_recurrent},
    {"LayerNormalization", write_layer_norm},
    {"LogSoftmax", write_along},
    {"MaxPool", write_pool},
    {"Reshape", write_reshape},
    {"Softmax", write_along},
    {"Split", write_split},
    {"Transpose", write_transpose},
};

net_write_fn *writer_find(const char *op)
{
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (strcmp(layers[i].op, op) == 0) return layers[i].write;
    return writer_find_pointwise(op);
}
