/*
 * What carries out a plan: the memory that its tensors lie in, and threads that take microbatches through its
 * phases. It knows nothing of optimisers; training (step.h) and prediction are what it is driven by.
 */
#ifndef NET_MACHINE_H
#define NET_MACHINE_H

#include <stdatomic.h>

#include "base/team.h"
#include "net/loss.h"
#include "net/plan.h"
#include "net/share.h"

enum { MACHINE_LOSS_NUMBERS = 8 /* loss, weight, correct, and what fills a cache line */ };

struct machine {
    const struct plan *plan;
    struct net_graph *graph; /* the plan's; combining brings its running means up to date */
    struct team *team;
    const struct net_kernels *kernels;
    char *whole, *prepared, *threads; /* rooms; threads: thread_stride a thread */
    size_t thread_stride;
    double *partials;
    float *batch, *gradients;
    double *losses; /* of each microbatch: MACHINE_LOSS_NUMBERS */

    /* What goes through it. */
    const float *input;
    float *output;                /* prediction, or what leaves */
    const float *output_gradient; /* that returns */
    float *input_gradient;
    uint64_t samples;    /* of the batch */
    uint64_t before;     /* of a larger batch, that this one follows */
    uint64_t from;       /* the first microbatch of output, output_gradient and input_gradient */
    struct share *share; /* what of the batch is at hand; NULL: all of it */
    uint64_t seed, step;
    const struct loss_options *loss;
    const void *target;
    const float *weight; /* of its samples; NULL: all 1 */
    double total_weight;

    bool looks;           /* whether outputs are finite, which takes time */
    atomic_uint bad_node; /* then the first node found whose are not, or NET_NONE */
};

/* Borrows plan, graph and team. */
bramble_status machine_init(struct machine *machine, const struct plan *plan, struct net_graph *graph,
                            struct team *team, bramble_error *error);
void machine_fini(struct machine *machine);
size_t machine_bytes(const struct machine *machine);

/* Before the first phase, whenever weights have changed. */
void machine_prepare(struct machine *machine);

/* All microbatches through a phase, the gradients that are due in it, and what it has gathered combined.
 * Where a share is broken, what comes of it is nothing. */
void machine_phase(struct machine *machine, uint32_t phase);

/* The same of a share's pieces first..first + n - 1 alone, when the plan gathers nothing. */
void machine_phase_of(struct machine *machine, uint32_t phase, uint32_t first, uint32_t n);

/* The two halves of a phase in which nothing is gathered: n microbatches from one on, and the gradients that
 * are due. */
void machine_microbatches(struct machine *machine, uint32_t phase, uint64_t first, uint64_t n);
void machine_parts(struct machine *machine, uint32_t phase);

/* After the last phase: waits for what other members have; adds up those of parameters that several nodes
 * train. */
void machine_finish_gradients(struct machine *machine);

/* After the phase of the loss; loss is not yet divided by weight. */
struct loss_sum machine_loss(struct machine *machine);
/* Or each microbatch's loss, weight and correct, for a later sum: losses[microbatches][3]. */
void machine_losses(const struct machine *machine, double *losses);

#endif
