/*
 * What a step, or a prediction, does: worked out once for a graph. Phases, in each of which every microbatch
 * goes through the same work on its own; where every tensor lies meanwhile; and how much room all that takes.
 *
 * A node works in the earliest phase that it can. A phase ends where what looks across samples has gathered
 * its sums; the loss follows the last forward work and begins the backward work in the same phase. Gradients
 * of a phase's parameters are jobs of the next one, beside its microbatches.
 *
 *   phase 0          1                 2 = loss               3                   4
 *   conv, gather     bn, gemm, loss,   gradients of gemm,     ...
 *   of bn            gemm', gather'    bn', conv'
 */
#ifndef NET_PLAN_H
#define NET_PLAN_H

#include "net/operator.h"

enum plan_work {
    PLAN_FORWARD_GATHER,
    PLAN_FORWARD,
    PLAN_LOSS,
    PLAN_LEAVE,  /* in the place of the loss: the output goes to another machine, ... */
    PLAN_RETURN, /* ... and, in the next phase, its gradient comes from there */
    PLAN_BACKWARD_GATHER,
    PLAN_BACKWARD
};

/* What is done to a microbatch, one after the other. */
struct plan_step {
    uint32_t phase;
    enum plan_work work;
    uint32_t node;  /* NET_NONE: what is done with the output */
    uint32_t wants; /* backward: bit i: there is a dx[i] */
    uint32_t adds;  /* bit i: dx[i] is added to */
    uint32_t
        repeats; /* bit i: an input before has the same value; its dx[i] is added to that one's afterwards */
    uint32_t zeros; /* bit o: nobody has written dy[o]: it is 0 */
};

/* A part of a parameter's gradient: a job. */
struct plan_part {
    uint32_t node, part;
};

struct plan_phase {
    uint32_t first_step, n_steps;
    uint32_t first_part, n_parts;
};

enum plan_where {
    PLAN_NOWHERE,
    PLAN_INPUT,  /* where the data are */
    PLAN_OUTPUT, /* where the prediction is wanted */
    PLAN_INPUT_GRADIENT,
    PLAN_WHOLE,  /* all microbatches at once: it lives longer than a phase */
    PLAN_THREAD, /* each thread has room for one */
};

struct plan_tensor {
    enum plan_where where;
    size_t stride; /* bytes from a microbatch to the next */
    size_t offset; /* bytes */
    uint64_t begin, end;
    uint32_t same_as; /* lies where that one does: in place */
    bool gathered;    /* gradients of parameters read all of it */
};

struct plan_node {
    bool needed, trains; /* the output needs it; there are parameters in it or before it */
    uint32_t forward_phase, backward_phase;
    size_t prepared;                 /* bytes into prepared room */
    size_t partial;                  /* doubles into the partial sums: [microbatches][n_partial] */
    uint32_t n_partial;              /* with what fills a cache line */
    size_t batch;                    /* numbers into those that combine makes */
    size_t gradient[NET_INPUTS_MAX]; /* numbers into the gradients; SIZE_MAX: none */
};

/* Several nodes train the same parameter: the later ones' gradients are added to the first one's. */
struct plan_sum {
    size_t to, from, size; /* numbers into the gradients */
};

struct plan {
    const struct net_graph *graph;
    bool training, gathers; /* gathers: something looks across samples before the gradients do */
    uint32_t microbatches;  /* of the largest batch */
    bool parted;            /* backward work begins in a phase of its own: others may go forward before */
    bool leaves;            /* the output goes on to another machine, which has the loss */
    uint32_t n_phases, n_steps, n_parts, n_sums, n_tensors;
    uint32_t n_forward; /* phases until the output is there */
    struct plan_phase *phases;
    struct plan_step *steps; /* in the order of phases */
    struct plan_part *parts; /* likewise */
    struct plan_sum *sums;
    struct plan_node *nodes;
    struct plan_tensor *tensors; /* values; their gradients; what nodes keep */
    size_t whole_bytes;
    size_t thread_bytes, scratch_bytes; /* of a thread */
    size_t prepared_bytes;
    size_t n_partials;  /* doubles */
    size_t n_batch;     /* numbers */
    size_t n_gradients; /* numbers: the parameters', then those that are added to them */
};

/* Borrows the graph. batch_size: most samples at once; without training any number can go through, a
 * microbatch at a time. BRAMBLE_ERR_UNSUPPORTED when a parameter is read by what cannot train it. */
bramble_status plan_init(struct plan *plan, const struct net_graph *graph, bool training, uint32_t batch_size,
                         bramble_error *error);
/* The same, to train a part of a network. */
bramble_status plan_init_part(struct plan *plan, const struct net_graph *graph, bool leaves,
                              uint32_t batch_size, bramble_error *error);
void plan_fini(struct plan *plan);

/* Numbers of the tensors. */
static inline uint32_t plan_gradient(const struct plan *plan, uint32_t value)
{
    return plan->graph->n_values + value;
}

static inline uint32_t plan_kept(const struct plan *plan, uint32_t node)
{
    return 2 * plan->graph->n_values + node;
}

/* The node `node` wants a gradient for its input i. */
bool plan_wants(const struct plan *plan, uint32_t node, uint32_t i);

/* plan_schedule.c: phases, steps and parts. plan_memory.c: where tensors lie. False: out of memory. */
bool plan_schedule(struct plan *plan);
bool plan_memory(struct plan *plan);

#endif
