/* A network's training as texts: what its model's file says of it, and what a checkpoint is recognised by. */
#ifndef TRAIN_NET_SETTINGS_H
#define TRAIN_NET_SETTINGS_H

#include <bramble/net.h>

#include "model/model.h"
#include "net/schedule.h"

/* Refuses options out of their ranges (BRAMBLE_ERR_USAGE), naming the field. */
bramble_status net_options_check(const bramble_net_options *options, bramble_error *error);

/* Do nodes that train with these options come to one machine's bits? */
bool net_is_exact(const bramble_net_options *options);

/* Rows that a step of the training's loop takes: a batch, or all that is trained on between two averages. */
uint32_t net_step_rows(const bramble_net_options *options);

/* 0 and -1 in the options mean what the optimiser usually takes. */
double net_learning_rate(const bramble_net_options *options);
double net_momentum(const bramble_net_options *options);

/* How the learning rate goes over all epochs of `epoch_steps` steps. */
struct schedule net_schedule(const bramble_net_options *options, uint64_t epoch_steps);

/* Fills model->settings with what anyone needs to make the same network again. */
bramble_status net_settings_record(struct bramble_model *model, const struct bramble_table *table,
                                   const bramble_net_options *options, bramble_error *error);

/* Of the settings and the network as it is before its first step. */
bramble_status net_fingerprint(const struct bramble_model *model, uint64_t fingerprint[2],
                               bramble_error *error);

#endif
