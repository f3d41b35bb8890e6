/*
 * How members train a network together: what differs between the ways of doing so (bramble_net_options'
 * parallel). All else that a member does is net_together.c's.
 */
#ifndef TRAIN_NET_STRATEGY_H
#define TRAIN_NET_STRATEGY_H

#include "cluster/program.h"
#include "train/net_loop.h"
#include "train/net_shares.h"
#include "train/net_snapshot.h"

/* A member at work. */
struct net_member {
    const struct together_work *work;
    const struct exchange
        *exchanges; /* PROGRAM_EXCHANGES; the first is the one's who takes steps, between them */
    bramble_net_options options;
    struct bramble_model *model;
    struct net_data data;
    struct net_loop loop;
    struct net_history history;
    struct net_shares *shares;
    struct net_score_peers scoring;
    struct exchanged *theirs; /* of each member */
    void *strategy;           /* what the way of training needs */
    uint64_t steps, samples;  /* of the whole training; trained here since it began */
    uint32_t handed_in;       /* the last task that was */
    double begun, wanted;     /* wanted: when a snapshot was; 0: none is */
    bramble_error error;      /* why the members cannot go on together */
};

struct net_strategy {
    /* Fills in member->strategy; all else of the member is there. stop also when it fails. */
    bramble_status (*start)(struct net_member *member, bramble_error *error);
    /* A step on the member's own rows of a batch; counts them in member->samples. When it is broken,
     * member->error says why. */
    struct step_result (*take)(struct net_member *member, struct trainer *trainer,
                               const struct net_batch *batch, double learning_rate);
    /* Also in the midst of a step, and when nothing was started. */
    void (*stop)(struct net_member *member);
    /* Asked of the first member between steps: whether a training can go on from here. If not it is asked
     * after each step from now on, and soon can. NULL: always. */
    bool (*is_whole)(struct net_member *member);
};

/* Synchronous data parallel: every member takes the microbatches of each batch that its measured speed earns,
 * and after each step all have the weights that one machine would have, bit for bit. Who takes part, and
 * when, changes nothing in the result. */
extern const struct net_strategy net_ring;
/* The same by way of the first member, which adds all gradients up. */
extern const struct net_strategy net_central;
/* By way of the first member too, but each at its own pace (stale.h). A gradient is of weights that others
 * have changed meanwhile: what comes of it depends on who was how fast. */
extern const struct net_strategy net_stale;

/* Each takes steps of its own on its share of a round's rows; then all go on from the average of where they
 * got, weighted by the rows, with Nesterov's momentum (DiLoCo: Douillard et al., 2023). The optimiser's own
 * numbers stay with the member. What comes of it depends on who took part. */
extern const struct net_strategy net_local;

/* What these options ask for; NULL: nothing that is there. */
const struct net_strategy *net_strategy_of(const bramble_net_options *options);
/* BRAMBLE_ERR_UNSUPPORTED when they ask for neither that nor a pipeline. */
bramble_status net_strategy_check(const bramble_net_options *options, bramble_error *error);

#endif
