/*
 * Batches of encoded samples, epoch after epoch, made on a thread of their own while the ones before are
 * trained on.
 *
 * The order of an epoch is a permutation that depends on (seed, epoch), an augmented image on (seed, epoch,
 * sample): the same whatever the threads, and the same when training is resumed at any batch.
 */
#ifndef DATA_BATCHES_H
#define DATA_BATCHES_H

#include "data/augment.h"
#include "data/rows.h"

enum { BATCHES_EPOCHS_MAX = 1 << 24 };

/* Where training is: the batch that comes next. */
struct batches_state {
    uint64_t epoch, batch; /* from 0 */
};

struct batches_options {
    uint32_t batch_size; /* M, at least 1 */
    uint64_t seed;
    bool own_thread;                /* else batches are made when they are asked for */
    struct augment_options augment; /* images only */
    /* For who trains on a part of each batch: whether this sample of a batch of so many belongs to it. Asked
     * by the thread that makes batches, at most two batches ahead of the one last handed out. NULL: all do.
     */
    bool (*wants)(void *context, struct batches_state batch, uint32_t samples, uint32_t sample);
    void *wants_context;
};
#define BATCHES_OPTIONS_INIT                                                                                 \
    {                                                                                                        \
        .batch_size = 128, .own_thread = true                                                                \
    }

struct batch {
    const float *x;           /* n x D */
    const void *targets;      /* n uint32_t or float, as the encoder has them; NULL: there are none */
    const float *weights;     /* n, or NULL: all 1 */
    const float *all_weights; /* samples, of the whole batch; NULL: all 1 */
    uint32_t samples;         /* M, or fewer at the end of an epoch */
    uint32_t n;               /* of them that are wanted */
};

struct batches;

/* Borrows encoder and rows. Starts at `from` (zeros: at the beginning). BRAMBLE_ERR_USAGE for options that
 * make no sense: batches of nothing, augmentation of what is no image, a place that is not there. */
bramble_status batches_new(struct batches **out, const struct encoder *encoder, const struct rows *rows,
                           const struct batches_options *options, struct batches_state from,
                           bramble_error *error);
void batches_free(struct batches *batches); /* NULL is fine; ends its thread */

/* The next batch, valid until the next call; epochs follow each other without end. One caller's thread. */
const struct batch *batches_next(struct batches *batches);

#endif
