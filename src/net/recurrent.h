/*
 * What LSTM and GRU have in common: their inputs, the weights' layout, the order of time, and the gradients
 * of what they are trained by.
 *
 * Inputs stand where ONNX has them; D is 1, or 2 when bidirectional; G is 4 (LSTM) or 3 (GRU):
 *   0  x          T x I        of a sample
 *   1  W          D x GH x I   gates below each other, as ONNX stores them
 *   2  R          D x GH x H
 *   3  B          D x 2GH      optional: W's biases, then R's
 *   4  sequence_lens           refused: every sample has T steps
 *   5  initial_h  D x H        optional, of a sample; without it states begin at 0
 *   6  initial_c  D x H        the same, LSTM
 * Outputs: T x DH (the directions side by side), last h D x H, and for LSTM last c D x H. Last is the state
 * after the direction's last step, so a reverse direction's is that of time 0.
 *
 * Forward keeps a row of numbers for each direction, sample and step, in that order: first the gates, H
 * numbers each. Backward turns the gates into gradients of the sums that they were made of, and the weights'
 * gradients are made of those. Prediction keeps nothing: its rows are scratch.
 */
#ifndef NET_RECURRENT_H
#define NET_RECURRENT_H

#include "net/kernels/products.h"
#include "net/operator.h"

enum recurrent_input {
    RECURRENT_X,
    RECURRENT_W,
    RECURRENT_R,
    RECURRENT_B,
    RECURRENT_LENGTHS,
    RECURRENT_H0,
    RECURRENT_C0,
};

enum { LSTM_GATES = 4, LSTM_WIDTH = 5, GRU_GATES = 3, GRU_WIDTH = 4 }; /* width: of a row, in H numbers */

struct recurrent {
    uint32_t directions, steps, inputs, hidden, gates; /* D T I H G */
    uint32_t first_part;                               /* gates in the first part of R */
    bool reverse;                                      /* the only direction goes back in time */
    size_t width;                                      /* numbers in a row */
};

struct recurrent recurrent_shape(const struct net_graph *graph, const struct net_node *node);
/* Whether an optional input is given. */
bool recurrent_has(const struct net_node *node, enum recurrent_input place);

/*
 * Weights packed for products, of one direction; those for backward are there in training only. R is in two
 * parts, which GRU needs one after the other: the gates before `first_part`, and the rest.
 */
struct recurrent_packed {
    const float *input, *recurrent[2];           /* of W': I x GH, of R': H x gates */
    const float *input_back, *recurrent_back[2]; /* of W: GH x I, of R: gates x H */
    const float *bias;                           /* GH: W's and R's; then H of R's that GRU keeps apart */
};

/* A microbatch in one direction. What has a part for each sample begins with this direction's of sample 0. */
struct recurrent_sweep {
    const struct net_call *call;
    const struct net_kernels *kernels;
    struct recurrent shape;
    uint32_t direction;
    float *rows; /* [samples][T][width] */
    struct recurrent_packed packed;
};

struct recurrent_sweep recurrent_sweep(const struct net_call *call, uint32_t direction);

/* A matrix of one row a sample, so many numbers from one sample to the next; numbers NULL: all zeros. */
struct recurrent_states {
    float *numbers;
    size_t stride;
};
struct recurrent_states recurrent_rows(const struct recurrent_sweep *sweep, uint32_t k); /* of step k */
/* Step k's part of what is laid out as the first output, and a direction's of what is D x H a sample. They
 * are as const as what they were made of. */
struct recurrent_states recurrent_output(const struct recurrent_sweep *sweep, const float *y, uint32_t k);
struct recurrent_states recurrent_last(const struct recurrent_sweep *sweep, const float *state);
/* h before step k, steps being counted from 0; k = T: after the last. */
struct recurrent_states recurrent_before(const struct recurrent_sweep *sweep, uint32_t k);

/* Every row's gates := bias + x W'. */
void recurrent_project(const struct recurrent_sweep *sweep);
/* dx (+)= gates W; the second direction adds to the first. */
void recurrent_input_gradient(const struct recurrent_sweep *sweep);
/* to (+)= from, H numbers a sample; zeros where `from` has none. */
void recurrent_copy(const struct recurrent_sweep *sweep, struct recurrent_states to,
                    struct recurrent_states from, bool add);

/* to[n] += (or, without add, :=) from[k] packed, for every sample. */
void recurrent_product(const struct recurrent_sweep *sweep, struct recurrent_states to, size_t n,
                       struct recurrent_states from, size_t k, const float *packed, bool add);

/*
 * Gradients of W, R and B, from rows that backward has been through: where in a row a gate's gradients lie,
 * of its sums with W and of those with R (which GRU multiplies by something first), and what R was multiplied
 * by, when that was not h.
 */
struct recurrent_gate {
    size_t input_column, recurrent_column;
    bool has_factor;
    size_t factor_column;
};
void recurrent_gradient(const struct net_gradient_call *call, const struct recurrent_gate *gates,
                        uint32_t part);

/* Entries of both operators' tables. */
bramble_status recurrent_infer(const struct net_graph *graph, const struct net_node *node,
                               struct net_shape *shapes, bramble_error *error);
size_t recurrent_prepared_bytes(const struct net_graph *graph, const struct net_node *node);
size_t recurrent_kept_bytes(const struct net_graph *graph, const struct net_node *node, uint32_t samples);
size_t recurrent_scratch_bytes(const struct net_graph *graph, const struct net_node *node, uint32_t samples);
void recurrent_prepare(const struct net_graph *graph, const struct net_node *node, void *prepared,
                       bool training);
uint32_t recurrent_gradient_parts(const struct net_graph *graph, const struct net_node *node);
size_t recurrent_gradient_scratch_bytes(const struct net_graph *graph, const struct net_node *node);
uint64_t recurrent_macs(const struct net_graph *graph, const struct net_node *node);

#endif
