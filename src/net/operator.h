/*
 * What an operator can do: one table an operator, in the file named after it (op_conv.c, op_relu.c, ...).
 *
 * Operators work on a microbatch: some of the batch's samples, one after the other in memory. A step runs
 * each node's functions for all microbatches, several threads a microbatch each, so these functions share
 * nothing but what a call points to. The step's life (net/step.h):
 *
 *   forward     [gather, combine,] forward      node by node, a microbatch at a time
 *   backward    [gather, combine,] backward     in the opposite order
 *   gradients   parameter_gradient              a part of a parameter at a time, over the whole batch
 *
 * Determinism: a microbatch has MICROBATCH samples (the last may have fewer) whatever the number of threads,
 * every number is computed in an order that depends on the microbatch alone, and sums over microbatches are
 * taken by fold.h, in the order of a fixed binary tree. Chains of multiply-adds use fmaf in the order of k,
 * so that vector width never shows.
 */
#ifndef NET_OPERATOR_H
#define NET_OPERATOR_H

#include "net/graph.h"

enum { MICROBATCH = 16 }; /* samples */

/* What backward and parameter_gradient read besides the outputs' gradients; the memory plan keeps the rest no
 * longer than needed. NET_READS_RELU: the outputs, where attributes.relu is set. */
enum net_reads { NET_READS_INPUTS = 1, NET_READS_OUTPUTS = 2, NET_READS_RELU = 4 };

struct net_kernels; /* net/kernels/products.h */

struct net_call {
    const struct net_graph *graph;
    const struct net_node *node;
    const struct net_kernels *kernels; /* NULL: the best there are here */
    uint32_t samples;                  /* in this microbatch */
    uint64_t first;                    /* number of its first sample in the batch */
    uint32_t microbatch;               /* its number among those at hand: where its numbers lie */
    bool training;                     /* false: prediction: running means, no dropout */
    uint64_t seed, step;               /* with `first`, what dropout's random numbers are keyed by */
    /* Activations: the microbatch's samples. Parameters, states, constants: the whole value. */
    const float *x[NET_INPUTS_MAX]; /* NULL: not given */
    float *y[NET_OUTPUTS_MAX];
    /* Backward. dx[i] is NULL when nobody wants it (inputs from the data, constants, parameters); where
     * add[i] is set the gradient is added to what is there, else it is written. */
    float *dy[NET_OUTPUTS_MAX]; /* zeros for an output that nobody reads. Backward may write over it what
                                 * parameter_gradient, the only one to read it afterwards, shall find there */
    float *dx[NET_INPUTS_MAX];
    bool add[NET_INPUTS_MAX];
    /* Room. */
    void *prepared;     /* prepared_bytes: made once a step by prepare, read by all */
    void *kept;         /* kept_bytes: written by forward, read by this microbatch's backward (masks); or
                         * see kept_by_backward */
    void *scratch;      /* scratch_bytes, 64-byte aligned: this thread's, no longer than the call */
    double *partial;    /* n_partial sums of this microbatch: written by gather */
    const float *batch; /* n_batch numbers made by combine from all partials */
};

/* A parameter's gradient, over the whole batch of M samples; or of a batch that several members share, over
 * the M samples of one subtree of its microbatches. x and dy are those of all M. */
struct net_gradient_call {
    const struct net_graph *graph;
    const struct net_node *node;
    const struct net_kernels *kernels;
    uint64_t samples; /* M */
    const float *x[NET_INPUTS_MAX];
    const float *y[NET_OUTPUTS_MAX];
    const float *dy[NET_OUTPUTS_MAX];
    void *prepared;
    const void *kept; /* of all microbatches, kept_bytes apart */
    size_t kept_bytes;
    void *scratch;                   /* gradient_scratch_bytes, this thread's */
    float *gradient[NET_INPUTS_MAX]; /* of parameters, else NULL: written, not added to */
};

struct net_operator {
    const char *name; /* ONNX's: "Conv" */
    uint32_t min_inputs, max_inputs, max_outputs;
    unsigned backward_reads; /* enum net_reads */
    bool in_place;           /* forward may be given y[0] == x[0], and backward dx[0] == dy[0] */
    bool takes_relu;         /* attributes.relu is heeded: a Relu behind can be fused */

    /* Checks inputs and attributes and fills shapes[n_outputs]. The error says what does not fit, without the
     * node's name, which graph_add_node puts before it. */
    bramble_status (*infer)(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error);

    /* Sizes, for a node and a microbatch of `samples`; NULL: none. */
    size_t (*prepared_bytes)(const struct net_graph *graph, const struct net_node *node);
    size_t (*kept_bytes)(const struct net_graph *graph, const struct net_node *node, uint32_t samples);
    size_t (*scratch_bytes)(const struct net_graph *graph, const struct net_node *node, uint32_t samples);

    /* Packs weights for the kernels; on one thread, before the first forward of a step. Or NULL. */
    void (*prepare)(const struct net_graph *graph, const struct net_node *node, void *prepared,
                    bool training);

    /* For what looks across samples (batch normalisation, in training): gather writes a microbatch's sums,
     * combine makes `batch` from their total over M samples (folded by the caller). Or NULL. */
    uint32_t (*n_partial)(const struct net_graph *graph, const struct net_node *node);
    uint32_t (*n_batch)(const struct net_graph *graph, const struct net_node *node);
    void (*forward_gather)(const struct net_call *call);
    void (*forward_combine)(struct net_graph *graph, const struct net_node *node, const double *total,
                            uint64_t samples, float *batch); /* also brings running means up to date */
    void (*backward_gather)(const struct net_call *call);
    /* gradient: of parameters among the inputs, else NULL. batch has forward's numbers and gets backward's,
     * which lie behind them: n_batch counts both. */
    void (*backward_combine)(const struct net_graph *graph, const struct net_node *node, const double *total,
                             uint64_t samples, float *batch, float *const *gradient);

    void (*forward)(const struct net_call *call);
    void (*backward)(const struct net_call *call);

    /* Large parameters (Gemm, Conv, recurrent): part `part` of n_parts, each by one thread, over the batch in
     * microbatches of MICROBATCH folded by fold.h. Or NULL. */
    uint32_t (*gradient_parts)(const struct net_graph *graph, const struct net_node *node);
    size_t (*gradient_scratch_bytes)(const struct net_graph *graph, const struct net_node *node);
    void (*parameter_gradient)(const struct net_gradient_call *call, uint32_t part);
    /* Backward, and not forward, writes what is kept, and parameter_gradient reads nothing else: each
     * microbatch's own gradient, say, made while what it takes is in cache. NULL: never. */
    bool (*kept_by_backward)(const struct net_graph *graph, const struct net_node *node);

    /* Multiply-adds of one sample's forward pass, for people (inspect). NULL: none to speak of. */
    uint64_t (*macs)(const struct net_graph *graph, const struct net_node *node);
};

static inline bool node_reads_inputs(const struct net_node *node)
{
    return node->op->backward_reads & NET_READS_INPUTS;
}

static inline bool node_kept_by_backward(const struct net_graph *graph, const struct net_node *node)
{
    return node->op->kept_by_backward && node->op->kept_by_backward(graph, node);
}

static inline bool node_reads_outputs(const struct net_node *node)
{
    return (node->op->backward_reads & NET_READS_OUTPUTS) ||
           ((node->op->backward_reads & NET_READS_RELU) && node->attributes.relu);
}

/* NULL: there is none of that name. */
const struct net_operator *operator_find(const char *name);
/* Names of all, in alphabetical order, NULL at the end: what a refusal lists. */
const char *const *operator_names(void);

#endif
