/*
 * The data a network is trained on: rows drawn from a table, encoded, in batches; and those set aside to
 * judge it by.
 */
#ifndef TRAIN_NET_DATA_H
#define TRAIN_NET_DATA_H

#include <bramble/net.h>

#include "data/batches.h"
#include "data/rows_file.h"
#include "net/loss.h"

enum { NET_TARGET_BYTES = 4 }; /* of a row, as the encoder makes it: uint32_t or float */

struct net_data {
    struct encoder encoder;
    struct rows rows;              /* owns both parts: first those trained on, behind them the others */
    struct rows train, validation; /* borrowed from it; validation.n_rows is 0 when there are none */
    struct loss_options loss;
    struct batches *batches;
    struct batches_options batching;
    float *hot; /* a batch's classes as M x C numbers 0 and 1, where the loss wants those */
};

struct net_batch {
    const float *x;
    const void *target;         /* as the loss wants it */
    const float *sample_weight; /* NULL: all 1 */
    const float *all_weights;   /* of the whole batch; NULL: all 1 */
    uint32_t samples, n; /* of the whole batch, and of the part that is here: all, or batching.wants' */
};

/* How rows of the table become what the network of the options takes, learned from these (NULL: all). */
bramble_status net_encoder(struct encoder *out, const struct bramble_table *table,
                           const struct encoder_rows *rows, const bramble_net_options *options,
                           bramble_error *error);

/* Checks that options fit the table, draws rows and learns how to encode them. Works on a copy of the rows.
 */
bramble_status net_data_open(struct net_data *out, const struct bramble_table *table,
                             const bramble_net_options *options, bramble_error *error);
/* The same of rows that another machine has drawn, which are borrowed. The options' loss fits their task. */
bramble_status net_data_share(struct net_data *out, const struct rows_file *file,
                              const bramble_net_options *options, bramble_error *error);
void net_data_fini(struct net_data *data); /* zeroed and half-built ones too */

/* Begins batches at this one of this epoch, counted from 0. */
bramble_status net_data_begin(struct net_data *data, uint64_t epoch, uint64_t batch, bramble_error *error);
/* The next; valid until the call after it. */
struct net_batch net_data_next(struct net_data *data);

/* Numbers the network has to put out for a row, and the loss of the options on this task. */
bramble_status net_loss_of(struct loss_options *out, const bramble_net_options *options, bramble_task task,
                           bramble_error *error);

/* Targets as the loss wants them, of n rows whose targets the encoder made; `hot` has room for n x C. */
const void *net_targets(const struct loss_options *loss, const struct encoder *encoder, const void *targets,
                        size_t n, float *hot);

#endif
