/*
 * Training a part of a network whose other parts are other machines' (cut.h), a batch in groups of
 * microbatches: while one group is on its way through the machines behind, the next ones are begun (GPipe,
 * Huang et al. 2019; PipeDream, Narayanan et al. 2019). What a group leaves for its backward work is kept
 * until that is done, in one of a few slots.
 *
 *   begin   take(0) forward(0) take(1) forward(1) backward(0) settle(0) ...   squares   update
 *
 * The gradients of weights are worked out for a bundle of groups at once: each time all weights are added to
 * those before, which costs as much as a hundred samples may. Bundles are whole subtrees of fold.h's tree,
 * and go backward in their order; so gradients, loss and weights have the bits that a trainer (step.h) of the
 * whole network would give.
 */
#ifndef NET_STAGE_H
#define NET_STAGE_H

#include "net/cut.h"
#include "net/loss.h"
#include "net/optimiser.h"

struct stage;

struct stage_options {
    uint32_t batch_size; /* most samples of a batch */
    uint32_t group;      /* microbatches in one: a power of two */
    uint32_t bundle;     /* groups in one: a power of two */
    uint32_t slots;      /* bundles on their way at once, at most */
    uint32_t threads;    /* 0: all processors */
    bool first, last;    /* the input are data; the output is the whole network's */
    uint64_t seed;       /* of dropout */
    struct loss_options loss;
    struct optimiser_options optimiser;
};

/* Borrows the part and trains its weights in place. */
bramble_status stage_new(struct stage **out, struct net_part *part, const struct stage_options *options,
                         bramble_error *error);
void stage_free(struct stage *stage); /* NULL is fine */

/* Whether nothing looks across samples, so that a batch may go through in several groups. */
bool stage_can_group(const struct net_graph *graph);

/* A step on a batch of so many samples, as the trainer's number `step` (from 1). */
void stage_begin(struct stage *stage, uint64_t samples, uint64_t step);
uint32_t stage_groups(const struct stage *stage);
/* Samples of a group, and the number of the first one. */
uint64_t stage_group(const struct stage *stage, uint32_t group, uint64_t *first);

/* The group's x comes in: borrowed until its backward work if this is the first stage, else a copy is made.
 */
void stage_take(struct stage *stage, uint32_t group, const void *x);
/* Groups go forward in their order, each when it has come in. The output is there until the next call; NULL
 * from the last stage, which has the loss. */
const float *stage_forward(struct stage *stage, uint32_t group);
/* The gradient of the output in, that of the input out, which is there until the next call; NULL from the
 * first stage. */
const float *stage_backward(struct stage *stage, uint32_t group, const void *gradient);

/* The same in the last stage, by way of the loss. */
struct stage_target { /* of the whole batch */
    const void *target;
    const float *weight; /* NULL: all 1 */
    double total_weight; /* loss_weight */
};
const float *stage_turn(struct stage *stage, uint32_t group, const struct stage_target *target);
/* After either, when what they returned is on its way: the gradients of weights, if a bundle is complete. */
void stage_settle(struct stage *stage, uint32_t group);

/* After the last group. What the loss of the last stage adds up to, not yet divided. */
struct loss_sum stage_loss(struct stage *stage);
/* Adds up the gradients, and fills in the sum of the squares of each range of UPDATE_RANGE numbers of each
 * parameter, in the order of values: squares[*n], borrowed. */
const double *stage_squares(struct stage *stage, uint32_t *n);
/* The gradient of the whole network has this length. */
void stage_update(struct stage *stage, double norm, double learning_rate);
/* Instead of that: states are as before stage_begin. */
void stage_undo(struct stage *stage);

/* After stage_undo, to find out where numbers ran away: the group, which has come in, goes forward once more;
 * the first node of the whole network whose output is not finite goes to *bad, if it is less. */
const float *stage_look(struct stage *stage, uint32_t group, uint32_t *bad);
/* The last node of the whole network with a gradient that is not finite, or NET_NONE. */
uint32_t stage_bad_gradient(const struct stage *stage);

const float *stage_gradient(const struct stage *stage); /* as in the part's weights */
float *stage_optimiser_state(struct stage *stage, size_t *n);
size_t stage_bytes(const struct stage *stage);

#endif
