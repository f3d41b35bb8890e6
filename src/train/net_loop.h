/*
 * A training from where it stands to its end: steps, epochs, validation, early stopping. Whose rows they are,
 * who takes the steps and where checkpoints go is the caller's business: one machine's with a file
 * (net_fit.h), or a member's of a cluster (net_together.h).
 */
#ifndef TRAIN_NET_LOOP_H
#define TRAIN_NET_LOOP_H

#include "model/model.h"
#include "net/schedule.h"
#include "net/step.h"
#include "train/net_checkpoint.h"
#include "train/net_data.h"
#include "train/net_score.h"

struct net_loop {
    const bramble_net_options
        *options;                /* threads, checkpoint_seconds and progress too; borrowed, as these: */
    struct bramble_model *model; /* its network is trained in place */
    struct net_data *data;
    /* Takes a step on a batch instead of trainer_step_weighted; NULL: that does. */
    struct step_result (*take)(void *context, struct trainer *trainer, const struct net_batch *batch,
                               double learning_rate);
    /* Keeps how far it is, every checkpoint_seconds and when it is stopped; NULL: nobody does. */
    bramble_status (*keep)(void *context, const struct net_checkpoint *kept, bramble_error *error);
    /* Judges an epoch; NULL: net_score_rows does, with those who score with us (NULL: nobody). */
    bramble_status (*score)(void *context, struct net_score *out, bramble_error *error);
    void *context; /* of all three */
    const struct net_score_peers *scoring;

    struct net_checkpoint kept; /* position is kept.position; weights and optimiser are borrowed */
    struct trainer *trainer;    /* NULL: only `take` knows how steps are taken */
    struct schedule schedule;
    float *best;          /* weights of the best epoch; NULL: there is no validation */
    float *speed;         /* training by averages: their momentum, kept instead of the optimiser's numbers */
    bool classes;         /* are what is learned */
    bool stopped;         /* by progress */
    double start;         /* clock at the beginning */
    double step_seconds;  /* spent in steps and their data */
    uint64_t samples;     /* trained by this call */
    double told, written; /* clock at the last progress and checkpoint */
    double learning_rate; /* of the last step */
};

/* Makes the trainer, and fills kept with where a training begins. `options`, `model` and `data` are set, the
 * other fields are the caller's to set behind this call; net_loop_fini also when it fails. */
bramble_status net_loop_init(struct net_loop *loop, const struct trainer_options *options,
                             bramble_error *error);
void net_loop_fini(struct net_loop *loop); /* zeroed ones too */

/* The same without a trainer, for what of the network is trained here (which may be a part of it); borrowed.
 */
struct net_loop_state {
    float *weights, *optimiser;
    size_t n_weights, n_optimiser;
};
bramble_status net_loop_begin(struct net_loop *loop, const struct net_loop_state *state,
                              bramble_error *error);

/* What was read into kept must be a place in this training: BRAMBLE_ERR_DATA, with `name` in front. Then it
 * goes on from there. */
bramble_status net_loop_go_on(struct net_loop *loop, const char *name, bramble_error *error);

bool net_loop_is_done(const struct net_loop *loop);

/* To the end: then the model has the network's last or best weights. BRAMBLE_ERR_CANCELLED when progress
 * stopped it, BRAMBLE_ERR_DATA when it diverged. A step that is broken (step.h) ends it with
 * BRAMBLE_ERR_CANCELLED too, and *error as it was. */
bramble_status net_loop_run(struct net_loop *loop, bramble_error *error);

/* What it came to; resumed and file_bytes are left 0. */
bramble_net_stats net_loop_stats(const struct net_loop *loop);

#endif
