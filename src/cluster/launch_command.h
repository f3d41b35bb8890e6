/* mpiexec's command line for a plan, with all of Open MPI's settings. */
#ifndef CLUSTER_LAUNCH_COMMAND_H
#define CLUSTER_LAUNCH_COMMAND_H

#include "cluster/launch.h"
#include "cluster/network.h"

/* What a plan needs to be started. */
struct launch_means {
    char network[NETWORK_TEXT]; /* on which MPI meets */
    struct str agent;           /* the command that starts daemons on nodes */
    const char *scratch;        /* a folder for mpiexec's own files */
    int confine;                /* confine_open's file, or -1, and what LD_PRELOAD shall be with it */
    struct str preload;
};

/* Owned words, NULL at the end. */
struct words {
    char **list;
    size_t n, capacity;
    bool failed;
};

bool launch_uses_slurm(const struct launch_plan *plan);

/* Whether all members are this machine; else *remote is the first that is not. */
bool launch_all_local(const struct launch_plan *plan, const struct node **remote);

/* The network: what the cluster's file says, else the one that reaches the first remote node. */
bramble_status launch_network(const struct launch_plan *plan, char cidr[NETWORK_TEXT], bramble_error *error);

/* *words is the caller's to end, also after an error. */
bramble_status launch_command(struct words *words, const struct launch_plan *plan,
                              const struct launch_means *means, bramble_error *error);
void words_fini(struct words *words);

#endif
