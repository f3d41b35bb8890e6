#include "model/onnx_graph.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

/* The number a class name is, when it is a whole one in the only way to write it. */
static bool whole_number(const char *name, int64_t *number)
{
    char again[32];
    errno = 0;
    *number = strtoll(name, NULL, 10);
    if (errno) return false;
    snprintf(again, sizeof again, "%" PRId64, *number);
    return strcmp(name, again) == 0;
}

bramble_status class_labels_init(struct class_labels *labels, const struct bramble_schema *schema,
                                 bramble_error *error)
{
    bool whole = true;
    labels->n = schema->n_classes;
    labels->numbers = mem_alloc(labels->n, sizeof *labels->numbers);
    labels->texts = mem_alloc(labels->n, sizeof *labels->texts);
    if (!labels->numbers || !labels->texts) return error_memory(error, "class labels");
    for (size_t c = 0; c < labels->n; c++) {
        char *name = schema->classes[c];
        whole = whole && whole_number(name, &labels->numbers[c]);
        labels->texts[c] = (ProtobufCBinaryData){strlen(name), (uint8_t *)name};
    }
    if (!whole) {
        mem_free(labels->numbers);
        labels->numbers = NULL;
    }
    return BRAMBLE_OK;
}

void class_labels_fini(struct class_labels *labels)
{
    mem_free(labels->numbers);
    mem_free(labels->texts);
    *labels = (struct class_labels){0};
}

/* `type` is a TensorProto data type; width 0 makes the tensor one-dimensional. */
static Onnx__ValueInfoProto *value_init(struct graph_value *value, char *name, int type, uint32_t width)
{
    onnx__value_info_proto__init(&value->info);
    onnx__type_proto__init(&value->type);
    onnx__type_proto__tensor__init(&value->tensor);
    onnx__tensor_shape_proto__init(&value->shape);
    for (int d = 0; d < 2; d++) {
        onnx__tensor_shape_proto__dimension__init(&value->dims[d]);
        value->dim[d] = &value->dims[d];
    }
    value->dims[0].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    value->dims[0].dim_param = "N";
    value->dims[1].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    value->dims[1].dim_value = width;
    value->shape.n_dim = width ? 2 : 1;
    value->shape.dim = value->dim;
    value->tensor.has_elem_type = 1;
    value->tensor.elem_type = type;
    value->tensor.shape = &value->shape;
    value->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    value->type.tensor_type = &value->tensor;
    value->info.name = name;
    value->info.type = &value->type;
    return &value->info;
}

/* The next node of the graph; second input or output: NULL when there is none. */
static struct graph_node *add_node(struct onnx_graph *graph, uint32_t *n, char *operator,
                                   const char * inputs[2], const char *outputs[2])
{
    struct graph_node *node = &graph->nodes[*n];
    onnx__node_proto__init(&node->node);
    for (int i = 0; i < 2; i++) {
        node->input[i] = (char *)inputs[i];
        node->output[i] = (char *)outputs[i];
    }
    node->node.op_type = operator;
    node->node.n_input = inputs[1] ? 2 : 1;
    node->node.input = node->input;
    node->node.n_output = outputs[1] ? 2 : 1;
    node->node.output = node->output;
    node->node.attribute = node->attribute;
    graph->node[(*n)++] = &node->node;
    return node;
}

static Onnx__AttributeProto *add_attribute(struct graph_node *node, char *name, int type)
{
    Onnx__AttributeProto *attribute = &node->attributes[node->node.n_attribute];
    onnx__attribute_proto__init(attribute);
    attribute->name = name;
    attribute->has_type = 1;
    attribute->type = (Onnx__AttributeProto__AttributeType)type;
    node->attribute[node->node.n_attribute++] = attribute;
    return attribute;
}

static void add_number(struct graph_node *node, char *name, int64_t number)
{
    Onnx__AttributeProto *attribute = add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    attribute->has_i = 1;
    attribute->i = number;
}

static void add_text(struct graph_node *node, char *name, char *text)
{
    Onnx__AttributeProto *attribute =
        add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    attribute->has_s = 1;
    attribute->s = (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

static void add_labels(struct graph_node *node, const struct class_labels *labels)
{
    Onnx__AttributeProto *attribute;
    if (labels->numbers) {
        attribute = add_attribute(node, "classlabels_int64s", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
        attribute->n_ints = labels->n;
        attribute->ints = labels->numbers;
    } else {
        attribute =
            add_attribute(node, "classlabels_strings", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS);
        attribute->n_strings = labels->n;
        attribute->strings = labels->texts;
    }
}

static Onnx__TensorProto *tensor_init(struct graph_tensor *tensor, char *name, int type)
{
    onnx__tensor_proto__init(&tensor->tensor);
    tensor->tensor.name = name;
    tensor->tensor.has_data_type = 1;
    tensor->tensor.data_type = type;
    return &tensor->tensor;
}

static void regressor_graph(struct onnx_graph *graph, uint32_t *n_nodes)
{
    struct graph_node *ensemble = add_node(graph, n_nodes, "TreeEnsembleRegressor", (const char *[2]){"X"},
                                           (const char *[2]){"variable"});
    add_text(ensemble, "aggregate_function", "AVERAGE");
    add_number(ensemble, "n_targets", 1);
    add_text(ensemble, "post_transform", "NONE");
    graph->value[1] = value_init(&graph->values[1], "variable", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 1);
    graph->graph.n_output = 1;
}

/* The label of a model with two classes: ArgMax takes the first of equals, as bramble does. */
static void two_class_label(struct onnx_graph *graph, uint32_t *n_nodes)
{
    struct graph_node *argmax =
        add_node(graph, n_nodes, "ArgMax", (const char *[2]){"probabilities"}, (const char *[2]){"winner"});
    add_number(argmax, "axis", 1);
    add_number(argmax, "keepdims", 0);
    add_node(graph, n_nodes, "Gather", (const char *[2]){"classes", "winner"}, (const char *[2]){"label"});
    struct graph_tensor *classes = &graph->tensors[1];
    graph->tensor[1] = tensor_init(classes, "classes",
                                   graph->labels.numbers ? ONNX__TENSOR_PROTO__DATA_TYPE__INT64
                                                         : ONNX__TENSOR_PROTO__DATA_TYPE__STRING);
    classes->dim = (int64_t)graph->labels.n;
    classes->tensor.n_dims = 1;
    classes->tensor.dims = &classes->dim;
    if (graph->labels.numbers) {
        classes->tensor.n_int64_data = graph->labels.n;
        classes->tensor.int64_data = graph->labels.numbers;
    } else {
        classes->tensor.n_string_data = graph->labels.n;
        classes->tensor.string_data = graph->labels.texts;
    }
    graph->graph.n_initializer = 2;
}

static void classifier_graph(struct onnx_graph *graph, uint32_t *n_nodes)
{
    bool two = graph->labels.n == 2;
    struct graph_node *ensemble = add_node(graph, n_nodes, "TreeEnsembleClassifier", (const char *[2]){"X"},
                                           (const char *[2]){two ? "unused" : "label", "sums"});
    add_labels(ensemble, &graph->labels);
    add_text(ensemble, "post_transform", "NONE");
    add_node(graph, n_nodes, "Div", (const char *[2]){"sums", "trees"}, (const char *[2]){"probabilities"});
    graph->tensor[0] = tensor_init(&graph->tensors[0], "trees", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    graph->tensors[0].tensor.n_float_data = 1;
    graph->tensors[0].tensor.float_data = &graph->n_trees;
    graph->graph.n_initializer = 1;
    if (two) two_class_label(graph, n_nodes);
    graph->value[1] = value_init(&graph->values[1], "label",
                                 graph->labels.numbers ? ONNX__TENSOR_PROTO__DATA_TYPE__INT64
                                                       : ONNX__TENSOR_PROTO__DATA_TYPE__STRING,
                                 0);
    graph->value[2] = value_init(&graph->values[2], "probabilities", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
                                 (uint32_t)graph->labels.n);
    graph->graph.n_output = 2;
}

bramble_status onnx_graph_init(struct onnx_graph *graph, const struct bramble_model *model,
                               bramble_error *error)
{
    *graph = (struct onnx_graph){.n_trees = (float)model->forest->n_trees};
    bool regression = model->forest->task == BRAMBLE_TASK_REGRESSION;
    if (!regression) {
        bramble_status status = class_labels_init(&graph->labels, &model->schema, error);
        if (status) {
            onnx_graph_fini(graph);
            return status;
        }
    }
    onnx__graph_proto__init(&graph->graph);
    graph->graph.name = "forest";
    graph->graph.n_input = 1;
    graph->graph.input = graph->value;
    graph->graph.output = graph->value + 1;
    graph->graph.initializer = graph->tensor;
    graph->value[0] =
        value_init(&graph->values[0], "X", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, model->forest->n_features);
    uint32_t n_nodes = 0;
    if (regression)
        regressor_graph(graph, &n_nodes);
    else
        classifier_graph(graph, &n_nodes);
    graph->nodes[0].node.domain = "ai.onnx.ml";
    graph->graph.n_node = n_nodes - 1;
    graph->graph.node = graph->node + 1;
    return BRAMBLE_OK;
}

void onnx_graph_fini(struct onnx_graph *graph)
{
    class_labels_fini(&graph->labels);
}
