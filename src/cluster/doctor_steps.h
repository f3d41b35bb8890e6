/* The doctor's longer steps. */
#ifndef CLUSTER_DOCTOR_STEPS_H
#define CLUSTER_DOCTOR_STEPS_H

#include "cluster/doctor.h"

struct doctor {
    struct remote *remote;
    const struct cluster *cluster;
    doctor_tell *tell;
    bool (*go_on)(void *context); /* or NULL */
    void *context;
    bool *reached;             /* a node: ssh works */
    struct node_state *states; /* a node */
};

void doctor_say(const struct doctor *doctor, const struct node *node, const char *name,
                enum check_result result, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Names: which address ssh goes to for each node, and what each node takes us for. Fills reached. */
bramble_status doctor_names(struct doctor *doctor, bramble_error *error);

/* A small MPI job on all usable nodes. */
bramble_status doctor_mpi(struct doctor *doctor, bramble_error *error);

#endif
