/*
 * One run of mpiexec: rank 0 here, a worker on each member. Open MPI over TCP with its own heartbeat of
 * connections; the settings and what was measured for them are in docs/decisions/0011.
 */
#ifndef CLUSTER_LAUNCH_H
#define CLUSTER_LAUNCH_H

#include "base/str.h"
#include "cluster/cluster.h"

struct member {
    const struct node *node;
    const char *program; /* absolute path of bramble there */
    uint32_t threads;    /* 0: all */
};

struct launch_plan {
    const struct cluster *cluster;
    const struct member *members; /* ranks 1..n */
    size_t n_members;
    const char *program; /* of rank 0, here */
    const char *command; /* what every rank runs of it: NULL is "rank" with what follows */
    const char *agent;   /* remote_agent() */
    const char *token;   /* on the command lines of ranks and of MPI's daemons: by it leftovers are found */
    const char *orders, *reports, *log; /* paths: rank 0's pipes, and where mpiexec's own words go */
};

struct launch;

bramble_status launch_start(struct launch **out, const struct launch_plan *plan, bramble_error *error);
/* False while it runs; then its exit code, 128 + signal when it was killed. */
bool launch_ended(struct launch *launch, int *exit_code);
/* 0 < stage: ask (SIGTERM), insist (SIGKILL). Remote ranks end when their connection does. */
void launch_signal(struct launch *launch, int signal);
void launch_free(struct launch *launch); /* kills what runs; NULL is fine */

/* The line of mpiexec's log that best says what went wrong, into buffer; empty when there is none. *rank: the
 * rank it blames, or 0. */
void launch_diagnose(const char *log, char *buffer, size_t size, uint32_t *rank);

#endif
