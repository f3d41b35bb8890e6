/*
 * What a network's training needs to go on where it was stopped, to the same bits: one file, checksummed,
 * that is written beside itself, synced and renamed, so that there is always a whole one. docs/formats.md has
 * its layout.
 */
#ifndef TRAIN_NET_CHECKPOINT_H
#define TRAIN_NET_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

/* How far a training is. Everything random is keyed by the seed and these numbers. */
struct net_position {
    uint64_t steps;                  /* done */
    uint64_t epoch;                  /* at work, from 0 */
    uint64_t epoch_samples;          /* of it that are done */
    uint64_t correct;                /* of those, as they were trained */
    double loss;                     /* sum over them of each step's loss times its samples */
    double last_loss, last_accuracy; /* means of the last whole epoch; NaN: none yet */
    double best_loss, best_accuracy; /* of the validation rows; NaN: none yet */
    uint64_t best_epoch;             /* from 1; 0: none yet */
};

struct net_checkpoint {
    uint64_t fingerprint[2]; /* of the data, the options and the network: what decides the result */
    struct net_position position;
    float *weights;   /* n_weights: parameters and states */
    float *optimiser; /* n_optimiser */
    float *best;      /* n_weights: the best epoch's, if position.best_epoch; NULL: nobody asks for it */
    size_t n_weights, n_optimiser;
};

bramble_status net_checkpoint_write(const char *path, const struct net_checkpoint *checkpoint,
                                    bramble_error *error);

/*
 * Fills position and the arrays, which are as large as this training's. *found is false when there is no
 * file. BRAMBLE_ERR_DATA when it is damaged or another training's (by fingerprint and sizes). Untouched on
 * failure.
 */
bramble_status net_checkpoint_read(const char *path, struct net_checkpoint *checkpoint, bool *found,
                                   bramble_error *error);

/* The same bytes in memory: net_checkpoint_size of them into out. */
size_t net_checkpoint_size(const struct net_checkpoint *checkpoint);
bramble_status net_checkpoint_encode(const struct net_checkpoint *checkpoint, void *out,
                                     bramble_error *error);
/* As net_checkpoint_read; `name` stands in messages. */
bramble_status net_checkpoint_decode(const void *bytes, size_t size, struct net_checkpoint *checkpoint,
                                     const char *name, bramble_error *error);
/* Only what bytes that begin with a checkpoint say of it, unchecked. False: they begin with none. */
bool net_checkpoint_peek(const void *bytes, size_t size, struct net_position *position,
                         uint64_t fingerprint[2]);

/* Removes what writers that were killed left beside it. */
void net_checkpoint_sweep(const char *path);

#endif
