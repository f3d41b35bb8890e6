/* A network's whole ONNX graph: what encodes rows, the network, what makes answers of its output. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "model/net_write_encoder.h"
#include "model/net_writer.h"
#include "model/onnx_net_write.h"

static void add_class_tensor(struct proto_builder *b, const struct class_labels *labels)
{
    int64_t n = (int64_t)labels->n, *zeros = proto_alloc(b, labels->n, sizeof *zeros);
    char *name = zeros ? proto_integers(b, zeros, labels->n) : NULL;
    if (!name) return;
    Onnx__TensorProto *tensor = b->graph.initializer[b->graph.n_initializer - 1];
    tensor->name = "classes";
    tensor->dims[0] = n;
    if (labels->numbers) {
        tensor->int64_data = labels->numbers;
        return;
    }
    tensor->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__STRING;
    tensor->n_int64_data = 0;
    tensor->int64_data = NULL;
    tensor->n_string_data = labels->n;
    tensor->string_data = labels->texts;
}

/* Probabilities that sum to 1. One against the rest, the softmax of the sigmoids' logarithms: the sigmoids
 * divided by their sum, also where a program's Sigmoid would be 0. */
static void write_probabilities(struct proto_builder *b, const char *logits, bool one_vs_rest)
{
    const char *scores = logits;
    if (one_vs_rest)
        scores = proto_add_unary(b, "Neg", proto_add_unary(b, "Softplus", proto_add_unary(b, "Neg", logits)));
    proto_add_unary(b, "Softmax", scores);
    proto_int(b, proto_last(b), "axis", 1);
    proto_rename_last(b, "probabilities");
}

/* The label: of the first of the most probable classes. Sigmoids near 1 may round to the same number, what
 * goes into them does not. */
static void write_classes(struct proto_builder *b, const char *logits, bool one_vs_rest,
                          const struct class_labels *labels)
{
    int64_t n = (int64_t)labels->n;
    int type = labels->numbers ? ONNX__TENSOR_PROTO__DATA_TYPE__INT64 : ONNX__TENSOR_PROTO__DATA_TYPE__STRING;
    write_probabilities(b, logits, one_vs_rest);
    char *winner = proto_add_unary(b, "ArgMax", one_vs_rest ? logits : "probabilities");
    proto_int(b, proto_last(b), "axis", 1);
    proto_int(b, proto_last(b), "keepdims", 0);
    add_class_tensor(b, labels);
    proto_add_binary(b, "Gather", "classes", winner);
    proto_rename_last(b, "label");
    proto_add_value(b, false, "label", type, NULL, 0);
    proto_add_value(b, false, "probabilities", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, &n, 1);
}

static void write_number(struct proto_builder *b, const char *output, const struct encoder *encoder)
{
    int64_t one = 1;
    char *scaled = proto_add_binary(b, "Mul", output, proto_number(b, (float)encoder->target_deviation));
    proto_add_binary(b, "Add", scaled, proto_number(b, (float)encoder->target_mean));
    proto_rename_last(b, "variable");
    proto_add_value(b, false, "variable", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, &one, 1);
}

/* Rows of numbers, whatever axes the network's output has. */
static char *output_rows(struct net_writer *w)
{
    const struct net_value *value = &w->graph->values[w->graph->output];
    char *tensor = writer_lying(w, w->graph->output);
    int64_t dims[2] = {-1, (int64_t)value->size};
    return value->shape.rank == 1 ? tensor : proto_add_reshape(w->builder, tensor, dims, 2);
}

static bramble_status check_sizes(const struct bramble_model *model, bramble_error *error)
{
    const struct net_graph *net = model->net;
    size_t inputs = net->values[net->input].size, outputs = net->values[net->output].size;
    size_t wanted = model->schema.task == BRAMBLE_TASK_CLASSIFICATION ? model->schema.n_classes : 1;
    if (inputs != model->encoder.n_inputs)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "the network takes %zu numbers and a row of the table becomes %u", inputs,
                         model->encoder.n_inputs);
    if (outputs != wanted)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "the network has %zu outputs and the table's target needs %zu", outputs, wanted);
    return BRAMBLE_OK;
}

static bramble_status write_graph(struct net_file_graph *graph, struct net_writer *w,
                                  const struct bramble_model *model, bramble_error *error)
{
    struct proto_builder *b = &graph->builder;
    bool channels_first;
    const struct net_shape *shape = &model->net->values[model->net->input].shape;
    char *input = write_encoder(b, &model->encoder, shape, &channels_first);
    bramble_status status = write_network(w, input, channels_first, error);
    if (status) return status;
    char *rows = output_rows(w);
    if (model->schema.task == BRAMBLE_TASK_CLASSIFICATION)
        write_classes(b, rows, model->encoder.one_vs_rest, &graph->labels);
    else
        write_number(b, rows, &model->encoder);
    b->graph.name = "network";
    return b->failed ? error_memory(error, "a network's ONNX file") : BRAMBLE_OK;
}

bramble_status net_file_graph_init(struct net_file_graph *graph, const struct bramble_model *model,
                                   bramble_error *error)
{
    struct net_writer w = {0};
    *graph = (struct net_file_graph){0};
    proto_init(&graph->builder);
    bramble_status status = check_sizes(model, error);
    if (!status && model->schema.task == BRAMBLE_TASK_CLASSIFICATION)
        status = class_labels_init(&graph->labels, &model->schema, error);
    if (!status && !writer_init(&w, model->net, &graph->builder))
        status = error_memory(error, "a network's ONNX file");
    if (!status) status = write_graph(graph, &w, model, error);
    writer_fini(&w);
    if (status) net_file_graph_fini(graph);
    return status;
}

void net_file_graph_fini(struct net_file_graph *graph)
{
    proto_fini(&graph->builder);
    class_labels_fini(&graph->labels);
}
