/*
 * bramble/scaling.h: how training scales over the machines of a cluster.
 *
 *     bramble_scaling scaling;
 *     if (bramble_scaling_measure(&scaling, cluster, table, NULL, &error)) ...
 *     for (size_t k = 0; k < scaling.n_nodes; k++)
 *         printf("%s: %.2f\n", scaling.rows[k].cluster, scaling.rows[k].efficiency);
 *     bramble_scaling_fini(&scaling);
 *
 * Nodes are added one at a time, and all clusters grow the same forest. Right before each and right after it
 * its nodes are measured alone: each in a training of its own, all at the same time. What a node does alone
 * is its rate once it is at work; a cluster's time counts from the start of the launch to the finished
 * forest, so launching costs efficiency. Reading the table does not.
 */
#ifndef BRAMBLE_SCALING_H
#define BRAMBLE_SCALING_H

#include <bramble/cluster.h>
#include <bramble/forest.h>
#include <bramble/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a node is taken for in the table in place of what it says of itself: emulated machines say what their
 * host is. */
typedef struct bramble_scaling_machine {
    const char *node;
    uint32_t cores;
    uint64_t memory_bytes;
} bramble_scaling_machine;

/* What is being measured. */
typedef struct bramble_scaling_progress {
    const char *cluster;              /* "2 pi4 + 1 desktop" */
    bool alone;                       /* its nodes train, each alone; `training` is of the first */
    uint32_t step, n_steps;           /* from 0 */
    const bramble_progress *training; /* of that step */
} bramble_scaling_progress;

enum { BRAMBLE_SCALING_ROUNDS_MAX = 99 };

typedef struct bramble_scaling_options {
    const size_t *nodes; /* n_nodes of the cluster's, by number, in the order they are added; NULL: all */
    size_t n_nodes;
    double seconds;  /* the whole cluster trains for so long, a node alone for a sixth of that, twice */
    uint32_t trees;  /* grown in every row; 0: as many as `seconds` asks for */
    uint32_t rounds; /* all of it so often, and medians; at most BRAMBLE_SCALING_ROUNDS_MAX */
    bool cold;       /* clusters begin without the data in the nodes' caches */
    const bramble_forest_options *forest; /* trees, engine and progress are not looked at; NULL: defaults */
    const bramble_scaling_machine *machines;
    size_t n_machines;
    bool (*progress)(const bramble_scaling_progress *progress, void *context); /* false stops; or NULL */
    void *context;
} bramble_scaling_options;
#define BRAMBLE_SCALING_OPTIONS_INIT                                                                         \
    {                                                                                                        \
        .seconds = 60, .rounds = 1                                                                           \
    }

/* A node alone, watched while it grows trees, before and after the largest cluster (the mean of both); the
 * time of the whole forest follows from that. */
typedef struct bramble_scaling_node {
    char *name;
    double trees_per_second; /* once it is at work */
    double seconds;          /* that the whole forest takes it */
} bramble_scaling_node;

typedef struct bramble_scaling_row {
    char *cluster;         /* "2 pi4 + 1 desktop" */
    uint32_t nodes, cores; /* cores: those it is allowed to use */
    uint64_t memory_bytes;
    double seconds; /* from the start of the launch to the finished forest */
    char *idle; /* a node that grew no tree, the first of those; the row then is of fewer than it names; NULL:
                   none */
    bool scaled;          /* seconds are those of the node alone, which grew fewer trees */
    double parts_seconds; /* that the nodes would take if each went on doing what it does alone */
    double ideal_seconds; /* the first row's, divided by how many times its cores these are */
    double speedup;       /* over the first row */
    double scalability;   /* speedup by times the cores, as in the paper */
    double efficiency;    /* parts_seconds / seconds */
} bramble_scaling_row;

typedef struct bramble_scaling {
    uint32_t trees;
    size_t n_nodes;
    bramble_scaling_node *nodes; /* n_nodes */
    bramble_scaling_row *rows;   /* n_nodes: row k is of nodes 0..k */
} bramble_scaling;

/*
 * Measures. Probes the cluster first. Fails when a node cannot be used; one that could, and then grew no
 * tree, is named in its row. options NULL: the defaults above.
 */
BRAMBLE_API bramble_status bramble_scaling_measure(bramble_scaling *out, bramble_cluster *cluster,
                                                   const bramble_table *table,
                                                   const bramble_scaling_options *options,
                                                   bramble_error *error);
BRAMBLE_API void bramble_scaling_fini(bramble_scaling *scaling); /* one of zeros is fine */

#ifdef __cplusplus
}
#endif
#endif
