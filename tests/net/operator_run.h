/* What operator_check.h is made of: an operator's random inputs, and one run of a step through it. */
#ifndef TESTS_NET_OPERATOR_RUN_H
#define TESTS_NET_OPERATOR_RUN_H

#include "operator_check.h"

/* A case with its numbers drawn. */
struct rig {
    const struct operator_case *c;
    struct net_shape shapes[NET_OUTPUTS_MAX];
    size_t sizes[NET_INPUTS_MAX];  /* numbers of an input: of all samples, or of the parameter */
    float *x[NET_INPUTS_MAX];      /* NULL: absent */
    double *exact[NET_INPUTS_MAX]; /* the same numbers */
    float *dy[NET_OUTPUTS_MAX];
};

void rig_init(struct rig *rig, const struct operator_case *c);
void rig_fini(struct rig *rig);
size_t rig_output_size(const struct rig *rig, uint32_t output); /* of all samples */
bramble_status rig_infer(const struct operator_case *c, struct net_shape *shapes, bramble_error *error);

enum { RUN_SEED = 11, RUN_STEP = 3 }; /* what dropout is keyed by */

struct run_options {
    bool training, add, reverse, in_place;
};

struct operator_run {
    const struct rig *rig;
    struct run_options options;
    struct net_graph graph; /* inputs, then outputs */
    struct net_value values[NET_INPUTS_MAX + NET_OUTPUTS_MAX];
    struct net_node node;
    uint32_t microbatches;
    uint32_t n_partial, n_batch;
    size_t kept_bytes;
    float *x[NET_INPUTS_MAX], *y[NET_OUTPUTS_MAX], *dy[NET_OUTPUTS_MAX], *dx[NET_INPUTS_MAX];
    float *gradient[NET_INPUTS_MAX];
    float *made[NET_OUTPUTS_MAX]; /* what forward wrote: backward may find y gone */
    void *prepared, *kept, *scratch;
    double *partials, *total;
    float *batch;
};

void run_init(struct operator_run *run, const struct rig *rig, struct run_options options);
void run_forward(struct operator_run *run);
void run_backward(struct operator_run *run); /* and the parameters' gradients */
void run_fini(struct operator_run *run);

float run_added_to(uint32_t input, size_t j); /* what dx holds before a run that adds */
void *run_room(size_t count, size_t size);    /* on 64 bytes, every bit set: NaN; asserts */

#endif
