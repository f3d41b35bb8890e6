/*
 * Losses, as PyTorch defines them with reduction "mean", and their gradients with respect to the network's
 * output.
 */
#ifndef NET_LOSS_H
#define NET_LOSS_H

#include <stdint.h>

enum loss_kind {
    LOSS_CROSS_ENTROPY,        /* logits C; target: uint32_t class a sample, below C */
    LOSS_MEAN_SQUARED_ERROR,   /* K outputs; target: K floats a sample; mean over M K */
    LOSS_BINARY_CROSS_ENTROPY, /* K logits; target: K floats in 0..1; mean over M K */
    LOSS_HUBER,                /* delta; as mean squared error */
};

struct loss_options {
    enum loss_kind kind;
    double label_smoothing;    /* cross-entropy, 0 <= . < 1 */
    double delta;              /* Huber, > 0 */
    const float *class_weight; /* cross-entropy: C weights, or NULL; mean is weighted then, as PyTorch's */
};

struct loss_sum {
    double loss;      /* sum over the samples, not yet divided */
    double weight;    /* what to divide by: samples, outputs or weights */
    uint64_t correct; /* cross-entropy: the class has the greatest logit; binary: so has the greatest target,
                         or K = 1 and both are on the same side of a half */
    double correct_weight; /* the sum of those samples' own weights */
};

/*
 * A microbatch: output[samples][K], target and weight from its first sample on. gradient[samples][K] (may be
 * NULL) is that of the mean over a batch whose sum of weights is total_weight (loss_weight of all of it).
 * weight[samples] >= 0, or NULL: all 1. The mean is sum(weight loss) / sum(weight), as from PyTorch's
 * reduction "none"; where all weights are 0 the gradient is 0.
 */
struct loss_sum loss_microbatch(const struct loss_options *options, const float *output, const void *target,
                                const float *weight, uint32_t samples, uint32_t n_outputs,
                                double total_weight, float *gradient);
double loss_weight(const struct loss_options *options, const void *target, const float *weight,
                   uint64_t samples, uint32_t n_outputs);
/* The target of sample i. */
const void *loss_target_at(const struct loss_options *options, const void *target, uint64_t i,
                           uint32_t n_outputs);

#endif
