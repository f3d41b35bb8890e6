/*
 * Training by way of a central node without waiting for each other (handout.h says how far apart members may
 * be): the first member, the server, has the weights and the optimiser's numbers; every member, the first one
 * too, is a worker, which finds the gradient of a batch of its own with the weights it got last, hands it in
 * and gets the weights as they are then, with the number of its next batch. Gradients are applied one by one
 * as they come in.
 *
 * Letters to the server go over exchanges[0], those to workers over exchanges[1]: struct stale_gradient and
 * the numbers of the gradient, then of the states its batch left; struct stale_weights and the numbers of the
 * weights, then of the states.
 */
#ifndef TRAIN_STALE_H
#define TRAIN_STALE_H

#include "cluster/exchange.h"
#include "net/step.h"
#include "train/handout.h"
#include "train/net_data.h"
#include "train/turns.h"

struct stale_gradient {
    uint64_t batch, correct; /* batch: of the epoch */
    double loss;
    uint32_t bad_node, unused; /* no numbers follow where the loss is not finite, or there is such a node */
};

struct stale_weights {
    uint64_t batch; /* the worker's next; as many as the epoch has: it is over, and all have these weights */
};

/* What both need to know. */
struct stale_net {
    const struct exchange *exchanges; /* PROGRAM_EXCHANGES, borrowed */
    struct trainer *trainer;          /* borrowed; of the network that has the weights */
    float *weights;                   /* n_parameters, then n_states */
    size_t n_parameters, n_states;
    uint64_t n_rows; /* of an epoch */
    uint32_t batch_size;
};

uint64_t stale_batches(const struct stale_net *net);                 /* of an epoch */
uint32_t stale_samples(const struct stale_net *net, uint64_t batch); /* of one of them */

/* --- a worker --- */

struct stale_worker {
    struct stale_net net;
    struct turns turns; /* which batches are ours: for who makes them */
    bool epoch_over;
    char *letter; /* room for one */
};

bramble_status stale_worker_init(struct stale_worker *out, const struct stale_net *net, bramble_error *error);
void stale_worker_fini(struct stale_worker *worker);

/* The next batch of an epoch, which is ours when it has samples here: then its gradient is handed in. Behind
 * the epoch's last one the network has the weights that all gradients made. */
bramble_status stale_worker_pass(struct stale_worker *worker, struct batches_state at,
                                 const struct net_batch *batch, bramble_error *error);

/* --- the server --- */

struct stale_server {
    struct stale_net net;
    struct handout handout;
    bool in_epoch, holds_back; /* holds_back: no batch is handed out */
    uint64_t applied;          /* gradients */
    uint64_t *given;           /* of each member: what was applied to the weights that it got last */
    uint64_t states_given;     /* the same of who sent the states that the network has */
};

/* A gradient that was applied, or was not, as net_step_failed tells of its result. */
struct stale_applied {
    uint32_t member, samples;
    struct step_result result; /* loss and correct of its batch */
};

bramble_status stale_server_init(struct stale_server *out, const struct stale_net *net, uint32_t staleness,
                                 bramble_error *error);
void stale_server_fini(struct stale_server *server); /* zeroed ones too */

/* An epoch, of which the batches before `first` are done. */
void stale_server_begin(struct stale_server *server, uint64_t first);

/* Waits for the next gradient and applies it. */
bramble_status stale_server_serve(struct stale_server *server, double learning_rate,
                                  struct stale_applied *out, bramble_error *error);

/* Whether the batches that are done are the first ones of the epoch, so that a training can go on from here.
 * If not no more are handed out until it is asked again and they are. */
bool stale_server_is_whole(struct stale_server *server);

#endif
