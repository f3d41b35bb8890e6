/*
 * Each step between blank machines and a cluster that works, tried in order: names, ssh, programs, MPI.
 */
#ifndef CLUSTER_DOCTOR_H
#define CLUSTER_DOCTOR_H

#include "cluster/node_checks.h"

struct doctor_check {
    const struct node *node; /* NULL: of the cluster as a whole */
    const char *name;        /* "ssh" */
    enum check_result result;
    const char *text; /* what was found, or what is wrong and what to type: one line; borrowed for the call */
};

typedef void doctor_tell(const struct doctor_check *check, void *context);

/* Tells each check as it is done. Fails only when looking could not be begun here. */
bramble_status doctor_run(struct remote *remote, const struct cluster *cluster, doctor_tell *tell,
                          bool (*go_on)(void *context), void *context, bramble_error *error);

#endif
