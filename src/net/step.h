/*
 * Training a network a step at a time, and running it.
 *
 * A trainer plans once: which buffers live when (they are shared between values whose lives do not overlap),
 * and which phases a step has. In a phase every microbatch goes through the same nodes, several threads a
 * microbatch each; a phase ends where all samples must meet: at batch normalisation, before the gradients of
 * parameters, before the update. Between phases threads sleep (base/team.h).
 *
 * The same data, seed and options give the same weights bit for bit on any number of threads, and by any
 * number of members that take a step together, a share of its microbatches each.
 */
#ifndef NET_STEP_H
#define NET_STEP_H

#include "net/graph.h"
#include "net/loss.h"
#include "net/optimiser.h"
#include "net/peers.h"

struct trainer;

struct trainer_options {
    uint32_t batch_size; /* most samples a step takes: M */
    uint32_t threads;    /* 0: all processors */
    uint64_t seed;       /* of dropout */
    bool together;       /* trainer_step_together will be called: room for it is made */
    struct loss_options loss;
    struct optimiser_options optimiser;
};

/* What a step gave. */
struct step_result {
    double loss;          /* mean over the batch, before the update */
    double gradient_norm; /* of all parameters, before clipping */
    uint64_t correct;     /* samples whose class had the greatest logit; classification */
    uint32_t bad_node;    /* the first node whose output is not finite, NET_NONE: all are */
    bool broken;          /* the members could not go on together: nothing above counts */
};

/* Borrows the graph and trains its weights in place. */
bramble_status trainer_new(struct trainer **out, struct net_graph *graph,
                           const struct trainer_options *options, bramble_error *error);
void trainer_free(struct trainer *trainer);

/*
 * One step on M samples, 1 <= M <= batch_size: x M x input's shape, target as loss.h says. learning_rate is
 * this step's. When the loss or a gradient is not finite the weights and the optimiser stay as they were and
 * bad_node says where it began.
 */
struct step_result trainer_step(struct trainer *trainer, const float *x, const void *target, uint64_t samples,
                                double learning_rate);
/* The same of samples that weigh[M] >= 0, NULL: 1 each. Where all weigh 0 the loss and its gradient are 0. */
struct step_result trainer_step_weighted(struct trainer *trainer, const float *x, const void *target,
                                         const float *weight, uint64_t samples, double learning_rate);

/* A member's part of a step on M samples in all. */
struct step_share {
    const struct net_peers *peers;
    const struct division *division; /* of ceil(M / MICROBATCH) microbatches */
    uint64_t samples;                /* M */
    double total_weight;             /* loss_weight of all M */
    const float *weight;             /* of the member's own samples, as they lie in x; NULL: all 1 */
};

/*
 * trainer_step by several members, who all call it with the same learning rate and share (but for peers) and
 * whose weights are the same. x and target are those of the member's own microbatches, one after the other in
 * the batch's order; it may have none. All members get what trainer_step would give one of them with the
 * whole batch, bit for bit. A step that is broken leaves weights, optimiser and count as they were.
 */
struct step_result trainer_step_together(struct trainer *trainer, const float *x, const void *target,
                                         const struct step_share *share, double learning_rate);

/* Only what trainer_step does before the update; gradients[n_parameters] as they lie in graph.weights. */
struct step_result trainer_gradients(struct trainer *trainer, const float *x, const void *target,
                                     const float *weight, uint64_t samples);
const float *trainer_gradient(const struct trainer *trainer);
/* And only the update, by gradients[n_parameters] that were found elsewhere. Their norm before clipping; when
 * that is not finite nothing is changed. */
double trainer_update(struct trainer *trainer, const float *gradients, double learning_rate);

/* What a checkpoint keeps besides the weights: the optimiser's numbers and the count of steps. Borrowed. */
float *trainer_optimiser_state(struct trainer *trainer, size_t *n);
uint64_t trainer_steps(const struct trainer *trainer);
void trainer_set_steps(struct trainer *trainer, uint64_t steps);

size_t trainer_bytes(const struct trainer *trainer); /* of activations, gradients, optimiser, scratch */

/* Prediction: outputs of M samples, any M, with running means and without dropout; out[M * output's size].
 * Borrows the graph's weights as they are at the call. */
bramble_status net_run(const struct net_graph *graph, const float *x, uint64_t samples, uint32_t threads,
                       float *out, bramble_error *error);

#endif
