/*
 * How far a network's training on a cluster is, as the bytes that stand in its journal: what each epoch came
 * to, and a checkpoint (net_checkpoint.h). The first one has the model too, as it was before its first step:
 * with the job's text and data that is all a node needs.
 *
 *   u64 bytes of the model's file (0: none), u64 epochs; the file, filled up with zeros to a multiple of 8;
 *   struct net_epoch of each; the checkpoint
 */
#ifndef TRAIN_NET_SNAPSHOT_H
#define TRAIN_NET_SNAPSHOT_H

#include "cluster/exchange.h"
#include "model/model.h"
#include "train/net_checkpoint.h"

/* Of an epoch that is over; NaN: there is none of it. */
struct net_epoch {
    double loss, accuracy, validation_loss, validation_accuracy, learning_rate;
    uint64_t best; /* 1: the best so far */
};

struct net_history {
    struct net_epoch *epochs; /* n, rising */
    size_t n, capacity;
};

/* BRAMBLE_ERR_MEMORY. */
bramble_status net_history_add(struct net_history *history, const struct net_epoch *epoch,
                               bramble_error *error);
void net_history_fini(struct net_history *history); /* zeroed ones too */

/* `model` has a model's file, or is empty; *out is the caller's to mem_free. */
bramble_status net_snapshot_encode(void **out, size_t *length, const struct exchanged *model,
                                   const struct net_history *history, const struct net_checkpoint *kept,
                                   bramble_error *error);

/* The parts of a snapshot, where they lie in it: unaligned, and the model and the checkpoint still to be
 * checked. BRAMBLE_ERR_DATA when it is none. */
struct net_snapshot {
    struct exchanged model, epochs, checkpoint;
};
bramble_status net_snapshot_open(struct net_snapshot *out, const void *bytes, size_t length,
                                 bramble_error *error);

/* Its epochs, in place of those in *history. */
bramble_status net_snapshot_history(struct net_history *history, const struct net_snapshot *snapshot,
                                    bramble_error *error);

#endif
