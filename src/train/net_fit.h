/*
 * Training a network on a table: epochs of steps, validation, early stopping, checkpoints.
 *
 * What comes of it depends on the table, the options (but for threads, checkpoints and progress) and the
 * network alone, not on where it was stopped and gone on with.
 */
#ifndef TRAIN_NET_FIT_H
#define TRAIN_NET_FIT_H

#include <bramble/net.h>

#include "model/model.h"

/* Everything bramble_net_train promises. */
bramble_status net_fit(struct bramble_model **out, const struct bramble_table *table,
                       const bramble_net_options *options, bramble_net_stats *stats, bramble_error *error);

#endif
