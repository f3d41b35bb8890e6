/* Training a step at a time on a caller's rows. */
#ifndef TRAIN_NET_STEPS_H
#define TRAIN_NET_STEPS_H

#include <bramble/net.h>

#include "model/model.h"
#include "net/step.h"

struct net_steps {
    struct bramble_model *model; /* its network is trained in place */
    struct trainer *trainer;
    struct loss_options loss;
    uint32_t batch_size;
    float *x, *hot; /* a batch, encoded, and its targets */
    void *targets;
    float *weights; /* of the batch's rows, divided by the greatest */
};

bramble_status net_steps_init(struct net_steps *out, const struct bramble_table *table,
                              const bramble_net_options *options, bramble_error *error);
void net_steps_fini(struct net_steps *steps); /* zeroed and half-built ones too */

/* As bramble_trainer_step_weighted. */
bramble_status net_steps_take(struct net_steps *steps, const float *x, const double *y, const double *weight,
                              size_t n_rows, double learning_rate, bramble_step *out, bramble_error *error);

/* What net_fit shares. */
struct trainer_options net_trainer_options(const bramble_net_options *options,
                                           const struct loss_options *loss);
bool net_step_failed(const struct step_result *result);
/* BRAMBLE_ERR_DATA: says where step number `step` (from 1), which failed, went wrong. */
bramble_status net_diverged(const struct net_graph *net, const struct step_result *result, uint64_t step,
                            double learning_rate, bramble_error *error);

#endif
