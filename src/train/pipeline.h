/*
 * A network trained by several members that have some of its layers each, a pipeline: a batch goes through in
 * groups of microbatches, and a member that has handed a group on begins with the next, or goes backward with
 * an earlier one (1F1B; PipeDream, Narayanan et al. 2019, flushed after each batch, Narayanan et al. 2021).
 *
 *   tick           0     1     2     3     4     5     6          S = 2 stages, 5 groups
 *   stage 0       F0    F1    F2 B0 F3 B1 F4 B2    B3    B4
 *   stage 1             F0 B0 F1 B1 F2 B2 F3 B3 F4 B4
 *
 * In tick t stage s takes group t - s forward and group t - (2 (S - 1) - s) backward; so it has at most
 * 2 (S - 1 - s) + 1 of them on their way. What goes forward travels while members go backward, and the other
 * way round, over an exchange each. Groups are added up in fold.h's order: the weights have the bits that one
 * machine would give them.
 */
#ifndef TRAIN_PIPELINE_H
#define TRAIN_PIPELINE_H

#include "cluster/exchange.h"
#include "net/step.h"
#include "train/net_checkpoint.h"
#include "train/net_data.h"
#include "train/net_score.h"
#include "train/pipeline_layout.h"

struct pipeline;

struct pipeline_options {
    uint32_t batch_size, threads;
    uint64_t seed; /* of dropout */
    struct loss_options loss;
    struct optimiser_options optimiser;
    const struct pipeline_node *node; /* what this member says it can do; NULL: it is measured */
};

/* All members call it with the same network and options; exchanges[2] and the network (of which only values
 * and nodes are read later, but not weights) are borrowed. BRAMBLE_ERR_UNSUPPORTED when it does not fit the
 * members. */
bramble_status pipeline_new(struct pipeline **out, const struct net_graph *graph,
                            const struct pipeline_options *options, const struct exchange *exchanges,
                            bramble_error *error);
/* Also in the midst of a step; then the exchanges are of no use any more. NULL is fine. */
void pipeline_free(struct pipeline *pipeline);

const struct stages *pipeline_stages(const struct pipeline *pipeline);
uint32_t pipeline_stage(const struct pipeline *pipeline); /* this member's; NET_NONE: it has none */
size_t pipeline_bytes(const struct pipeline *pipeline);

/* What of the network's weights and the optimiser's numbers is this member's: borrowed, trained in place. */
struct pipeline_state {
    float *weights, *optimiser;
    size_t n_weights, n_optimiser;
};
struct pipeline_state pipeline_state(struct pipeline *pipeline);

/* Whether this member needs a batch's rows: only the ends do. */
bool pipeline_wants(const struct pipeline *pipeline);

/* Step number `step` (from 1) on a batch; trainer_step_weighted's result, for all members. *agreed: the first
 * member's says something, the others get to know it. */
struct step_result pipeline_step(struct pipeline *pipeline, const struct net_batch *batch, uint64_t step,
                                 double learning_rate, bool *agreed);
/* Why a step was broken. */
const bramble_error *pipeline_error(const struct pipeline *pipeline);

/* net_score_rows, by all members. */
bramble_status pipeline_score(struct pipeline *pipeline, const struct net_data *data, struct net_score *out,
                              bramble_error *error);

/* The first member's arrays of the whole network into everybody's own, and back; the others' `whole` is NULL.
 * `mine` has this member's arrays. best travels when position.best_epoch is set, which is everybody's. */
bramble_status pipeline_scatter(struct pipeline *pipeline, const struct net_checkpoint *whole,
                                struct net_checkpoint *mine, bramble_error *error);
bramble_status pipeline_gather(struct pipeline *pipeline, struct net_checkpoint *whole,
                               const struct net_checkpoint *mine, bramble_error *error);

#endif
