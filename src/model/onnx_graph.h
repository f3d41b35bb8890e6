/*
 * All of a model's ONNX graph but the trees themselves: what goes in and out, and the small nodes behind the
 * ensemble that make probabilities and labels of its sums.
 *
 *   regression    X -> TreeEnsembleRegressor -> variable
 *   C > 2         X -> TreeEnsembleClassifier -> label
 *                                             -> sums -> Div by trees -> probabilities
 *   C = 2         X -> TreeEnsembleClassifier -> sums -> Div by trees -> probabilities -> ArgMax -> winner
 *                 winner -> Gather from classes -> label
 */
#ifndef MODEL_ONNX_GRAPH_H
#define MODEL_ONNX_GRAPH_H

#include "model/model.h"
#include "model/onnx.pb-c.h"

/* The class names as ONNX wants them. */
struct class_labels {
    size_t n;                   /* C */
    int64_t *numbers;           /* C, when every name is a whole number as one would print it, else NULL */
    ProtobufCBinaryData *texts; /* C otherwise; the names are borrowed from the schema */
};

/* To be released with class_labels_fini, after a failure too. */
bramble_status class_labels_init(struct class_labels *labels, const struct bramble_schema *schema,
                                 bramble_error *error);
void class_labels_fini(struct class_labels *labels);

/* A graph input or output: a tensor [N] or [N, width]. */
struct graph_value {
    Onnx__ValueInfoProto info;
    Onnx__TypeProto type;
    Onnx__TypeProto__Tensor tensor;
    Onnx__TensorShapeProto shape;
    Onnx__TensorShapeProto__Dimension dims[2], *dim[2];
};

struct graph_node {
    Onnx__NodeProto node;
    char *input[2], *output[2];
    Onnx__AttributeProto attributes[3], *attribute[3];
};

struct graph_tensor {
    Onnx__TensorProto tensor;
    int64_t dim;
};

enum { GRAPH_NODES_MAX = 4 };

/* Refers to itself: not to be copied. */
struct onnx_graph {
    Onnx__GraphProto graph; /* with nodes[1...]; nodes[0], the ensemble, gets its trees from elsewhere */
    struct class_labels labels;
    struct graph_value values[3];
    Onnx__ValueInfoProto *value[3]; /* X, then the outputs */
    struct graph_node nodes[GRAPH_NODES_MAX];
    Onnx__NodeProto *node[GRAPH_NODES_MAX];
    struct graph_tensor tensors[2];
    Onnx__TensorProto *tensor[2]; /* trees, classes */
    float n_trees;
};

/* Borrows from the model. */
bramble_status onnx_graph_init(struct onnx_graph *graph, const struct bramble_model *model,
                               bramble_error *error);
void onnx_graph_fini(struct onnx_graph *graph);

#endif
