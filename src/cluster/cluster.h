/*
 * The machines a person lists, as cluster.ini has them (docs/cluster.md gives the file's grammar).
 */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

struct node {
    char *name;            /* the section's name, or the host of a plain list; what messages call it */
    char *host;            /* what ssh is given: a name, an address, an alias of ~/.ssh/config */
    char *user;            /* NULL: ssh's own choice */
    char *program;         /* bramble's path there; NULL: looked for (probe.h) */
    uint32_t cores;        /* threads to use; 0: all it has */
    uint64_t memory_bytes; /* most a run may take there; 0: what is free */
    bool local;            /* this machine itself: reached without ssh */
    bool slurm;            /* of the Slurm job we run in: reached by srun unless local */
};

bool node_copy(struct node *out, const struct node *node); /* node_fini it; false: out of memory */
void node_fini(struct node *node);

struct cluster {
    char *path;    /* of the file; for messages */
    char *network; /* CIDR on which MPI's processes meet; NULL: of the interface that reaches the nodes */
    uint16_t port_low, port_high; /* TCP ports of ranks and daemons, both included; 0, 0: any */
    size_t n_nodes;
    struct node *nodes; /* the local machine first where it takes part */
};

/* The path "slurm" stands for the nodes of the Slurm job we run in (slurm.h); a file of that name is
 * "./slurm". */
bramble_status cluster_read(struct cluster **out, const char *path, bramble_error *error);
bramble_status cluster_write(const struct cluster *cluster, const char *path, bramble_error *error);
bramble_status cluster_append(struct cluster *cluster, const struct node *node,
                              bramble_error *error); /* copies */
void cluster_free(struct cluster *cluster);          /* NULL is fine */

#endif
