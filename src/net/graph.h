/*
 * A network as data: values (tensors) and nodes (operators) between them, in an order in which they can run.
 *
 * The batch is never part of a shape: an activation has a part of its shape for each of the M samples, a
 * parameter exists once. Nothing but batch normalisation looks across samples, so a batch can be cut
 * anywhere.
 *
 * Images are channels-last in memory, H x W x C. ONNX says C x H x W: its reader and writer (model/onnx_net)
 * turn axes and weights round, and nobody else has to know. So "axis" below counts a sample's dimensions as
 * they lie in memory, and a convolution's weight is kernel height x width x (C / group) x output channels.
 */
#ifndef NET_GRAPH_H
#define NET_GRAPH_H

#include <bramble/error.h>

#include "net/shape.h"

enum { NET_INPUTS_MAX = 16, NET_OUTPUTS_MAX = 8, NET_NONE = UINT32_MAX };

enum net_kind {
    NET_INPUT,      /* comes from the data */
    NET_ACTIVATION, /* a node's output */
    NET_PARAMETER,  /* trained */
    NET_STATE,      /* kept with the weights, changed by training, but not by gradients: running means */
    NET_CONSTANT,   /* never changes */
};

/* How a parameter is drawn anew (net/initialise.h). */
enum net_filler {
    NET_FILL_ZERO,
    NET_FILL_ONE,
    NET_FILL_KAIMING,   /* uniform in +-sqrt(1 / fan_in), as PyTorch fills Linear, Conv and their biases */
    NET_FILL_RECURRENT, /* uniform in +-sqrt(1 / hidden units): fan_in has those */
    NET_FILL_NORMAL,    /* standard normal: embeddings */
};

struct net_value {
    char *name; /* unique in the graph, as ONNX has it */
    enum net_kind kind;
    struct net_shape shape;
    size_t size;       /* numbers in it (an activation: a sample's) */
    uint32_t producer; /* node that makes it, or NET_NONE */
    bool trained;      /* NET_INPUT: in a part of a network (cut.h), by what was before it */
    /* Parameters, states, constants: */
    size_t offset; /* of its numbers in graph.weights */
    enum net_filler filler;
    uint32_t fan_in;
    bool decays; /* weight decay applies: true for weights, false for biases and what normalisation scales by
                  */
};

/* Every operator's attributes under ONNX's names; each operator says in its file which it reads. */
struct net_attributes {
    uint32_t kernel[2], stride[2], dilation[2]; /* height, width; 1 where it does not matter */
    uint32_t pad[4];                            /* top, left, bottom, right */
    uint32_t group;
    bool count_include_pad;  /* AveragePool */
    bool ceil_mode;          /* pools */
    float alpha;             /* LeakyRelu: slope below 0; HardSigmoid: slope */
    float beta;              /* HardSigmoid: its value at 0 */
    float epsilon, momentum; /* normalisations; momentum as ONNX has it: share of the old running mean kept */
    float rate;              /* Dropout: share of the numbers set to 0 */
    uint32_t axis;   /* of a sample: Concat, Split, softmaxes; the first: LayerNormalization, ReduceMean */
    uint32_t n_axes; /* ReduceMean: so many are averaged over, and gone */
    uint32_t perm[NET_RANK_MAX];     /* Transpose: of a sample's axes */
    struct net_shape shape;          /* Reshape: a sample's, with as many numbers */
    uint32_t split[NET_OUTPUTS_MAX]; /* Split: each output's length along the axis; all 0: equal parts */
    bool transpose_b;                /* MatMul of two activations, Gemm: the second comes as N x K */
    bool approximate;                /* Gelu: by tanh */
    uint32_t hidden;                 /* LSTM, GRU: units */
    bool reverse, bidirectional;     /* LSTM, GRU */
    bool linear_before_reset;        /* GRU, as PyTorch's */
    bool relu;                       /* a Relu is fused behind: Conv, Gemm, BatchNormalization, Add */
};

struct net_operator; /* net/operator.h */

struct net_node {
    const struct net_operator *op;
    char *name;
    uint32_t n_inputs, n_outputs;
    uint32_t inputs[NET_INPUTS_MAX]; /* NET_NONE: an optional one that is not given */
    uint32_t outputs[NET_OUTPUTS_MAX];
    struct net_attributes attributes;
    uint32_t number; /* its place in nodes; in a part of a network (cut.h) that in the whole one */
};

struct net_graph {
    uint32_t n_values, n_nodes;
    struct net_value *values;
    struct net_node *nodes; /* a node stands behind those that make its inputs */
    uint32_t input, output; /* values; the output's numbers are logits or predictions */
    float *weights;         /* n_weights: parameters first, then states, then constants; each on 64 bytes */
    size_t n_weights, n_parameters, n_states; /* numbers, gaps included; n_parameters is where states begin */
    /* What building needs. */
    uint32_t values_room, nodes_room; /* so many have a place */
    size_t weights_room;
    uint32_t *names; /* n_names places, a power of two: values found by name; their number + 1, or 0 */
    uint32_t n_names;
};

/*
 * Building: values and nodes are added in order; after a failure the graph is as it was. Names are copied;
 * a name that is taken gets a number behind it. There is one NET_INPUT.
 */
void graph_init(struct net_graph *graph);
void graph_fini(struct net_graph *graph);

/* For INPUT, PARAMETER, STATE, CONSTANT. *out is its number. `numbers` (size of them) is copied when given,
 * else it is filled by `filler` when weights are drawn. A constant needs numbers. */
struct net_value_new {
    const char *name;
    enum net_kind kind;
    struct net_shape shape;
    const float *numbers;
    enum net_filler filler;
    uint32_t fan_in;
    bool decays;
};
bramble_status graph_add_value(struct net_graph *graph, const struct net_value_new *value, uint32_t *out,
                               bramble_error *error);

#define NET_ATTRIBUTES_INIT                                                                                  \
    {                                                                                                        \
        .kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .group = 1, .epsilon = 1e-5f,                \
        .momentum = 0.9f, .alpha = 0.01f, .count_include_pad = false                                         \
    }

/* Adds a node, infers its outputs' shapes and adds those as activations; *first_output is the number of the
 * first, the others follow. The first is named as the node is, or as its operator when `name` is NULL; the
 * others get a number. BRAMBLE_ERR_UNSUPPORTED when there is no such operator, BRAMBLE_ERR_DATA, naming the
 * node, when shapes or attributes do not fit. */
struct net_node_new {
    const char *op, *name; /* as ONNX calls the operator: "Conv" */
    const uint32_t *inputs;
    uint32_t n_inputs, n_outputs;
    struct net_attributes attributes;
};
bramble_status graph_add_node(struct net_graph *graph, const struct net_node_new *node,
                              uint32_t *first_output, bramble_error *error);

/* The value of that name, or NET_NONE. */
uint32_t graph_find_value(const struct net_graph *graph, const char *name);

/* After the last addition: settles where every weight lies, checks that there is an input and an output, that
 * the output depends on the input, and that every trained number is reached from the output. Until then
 * weights lie in the order in which they were added; graph_numbers finds them before as after. */
bramble_status graph_finish(struct net_graph *graph, uint32_t output, bramble_error *error);

/* Deep copy: the weights too. */
bramble_status graph_copy(struct net_graph *out, const struct net_graph *graph, bramble_error *error);

/* Of the weights and states, in the order in which nodes read them, hexadecimal: the same network, the same
 * hash. */
void graph_hash(const struct net_graph *graph, char hash[33]);

/* Which nodes the output needs, directly or not: needed[n_nodes]. */
void graph_needed(const struct net_graph *graph, bool *needed);

/* So many numbers that what lies behind them is on 64 bytes again. */
static inline size_t net_aligned(size_t numbers)
{
    return (numbers + 15) / 16 * 16;
}

static inline float *graph_numbers(const struct net_graph *graph, uint32_t value)
{
    return graph->weights + graph->values[value].offset;
}

#endif
