/*
 * bramble/plan.h: how long a training will take on some machines, and which of them to take, before it is
 * begun.
 *
 *     bramble_plan_options options = BRAMBLE_PLAN_OPTIONS_INIT;
 *     options.cluster = cluster;                 (probed with `measure`, or read from a record)
 *     options.net = &net_options;
 *     bramble_plan_make(&plan, table, &options, &error);
 *     for (size_t w = 0; w < bramble_plan_n_ways(plan); w++) {
 *         bramble_plan_way way;
 *         bramble_plan_way_get(plan, w, &way);
 *         if (way.possible) printf("%s: %.1f s\n", way.name, way.seconds);
 *     }
 *     bramble_plan_free(plan);
 *
 * What is to be trained is measured on this machine: some steps of the network, or a few trees. Other nodes'
 * times are that, scaled by what their records say. Machines that one does not own come from a catalogue of
 * boards. Everything is worked out on paper; no node is asked anything.
 */
#ifndef BRAMBLE_PLAN_H
#define BRAMBLE_PLAN_H

#include <bramble/cluster.h>
#include <bramble/forest.h>
#include <bramble/net.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bramble_plan bramble_plan;

typedef struct bramble_plan_options {
    const bramble_cluster *cluster; /* the nodes; others meet at the local one, else at the first. NULL: this
                                       machine alone */
    const char *const *add;         /* [n_add] further machines: "pi5", "2xpi5" (docs/plans.md lists them) */
    size_t n_add;
    const char *link; /* "wifi", "lan1000", ...: by which those are reached, NULL: each by its own; without
                         any, by which the cluster's nodes are, NULL: as measured, inside ssh */
    const bramble_net_options *net; /* plan this network; NULL: a forest */
    const bramble_forest_options *forest;
} bramble_plan_options;
#define BRAMBLE_PLAN_OPTIONS_INIT                                                                            \
    {                                                                                                        \
        .cluster = NULL                                                                                      \
    }

/* What is to be trained, and where it was measured. */
typedef struct bramble_plan_work {
    double sample_seconds;         /* network: of a sample on this machine; NaN for forests */
    double tree_seconds;           /* forest: of a tree on this machine, all processors; NaN for networks */
    double gemm_gflops, tree_rate; /* this machine's, which others' are compared with */
    uint64_t parameters;           /* numbers; 0 for forests */
    uint64_t samples;              /* of all epochs; trees for forests */
    uint32_t batch_size;           /* 0 for forests */
} bramble_plan_work;

/* A way of training, with the nodes it is fastest on. */
typedef struct bramble_plan_way {
    const char
        *name; /* "ring", "central", "central, staleness 1", "local", "local, int8", "alone", "trees" */
    const char *options; /* of bramble train, to get it; "" when there are none */
    bool possible;       /* else only name and problem are set */
    const char *problem;
    bool exact; /* the result is one machine's, bit for bit */
    bool best;  /* the fastest exact one */
    double seconds_a_step, seconds_a_step_low, seconds_a_step_high; /* a batch; forests: a tree */
    double seconds, seconds_low, seconds_high; /* of all steps, the launch and the data's way to the nodes */
    double efficiency;   /* of what the nodes that take part would come to with no network between them */
    double sent_bytes;   /* a step, all nodes together */
    double memory_bytes; /* of the node that needs most */
    uint64_t nodes;      /* that take part */
    const char *bound;   /* "computing", "bandwidth", "latency", "processing messages": what helps most if
                            there is more of it */
} bramble_plan_way;

/* Machines that are alike. */
typedef struct bramble_plan_node {
    const char *name; /* a node's, or a board's */
    uint64_t count;
    bool measured;                    /* on the machine itself; else the catalogue's */
    double samples_a_second;          /* of one alone; trees a second for forests */
    double spread;                    /* share by which that may be wrong, both ways */
    double bandwidth_mbs, latency_ms; /* the link as planned: 10^6 bytes a second, a round trip */
    double memory_bytes;              /* that may be taken */
} bramble_plan_node;

/* Takes about four seconds. BRAMBLE_ERR_USAGE names boards and links when one is not known;
 * BRAMBLE_ERR_UNSUPPORTED when no node was measured. *out is the caller's to free. */
BRAMBLE_API bramble_status bramble_plan_make(bramble_plan **out, const bramble_table *table,
                                             const bramble_plan_options *options, bramble_error *error);
BRAMBLE_API void bramble_plan_free(bramble_plan *plan); /* NULL is fine */

/* Texts in what these fill in are the plan's. */
BRAMBLE_API void bramble_plan_work_get(const bramble_plan *plan, bramble_plan_work *out);
BRAMBLE_API size_t bramble_plan_n_ways(const bramble_plan *plan);
BRAMBLE_API void bramble_plan_way_get(const bramble_plan *plan, size_t way, bramble_plan_way *out);
BRAMBLE_API size_t bramble_plan_n_nodes(const bramble_plan *plan);
BRAMBLE_API void bramble_plan_node_get(const bramble_plan *plan, size_t node, bramble_plan_node *out);

/* What a way makes of node `node`. */
typedef struct bramble_plan_part {
    uint64_t taken;        /* of its machines */
    const char *reason;    /* why others are not, in one line; "" when all are, or only one was asked for */
    double seconds_a_step; /* with one more of them, when that is why; else NaN */
    const char *bound;     /* what would bound such a step; "" likewise */
} bramble_plan_part;
BRAMBLE_API void bramble_plan_part_get(const bramble_plan *plan, size_t way, size_t node,
                                       bramble_plan_part *out);

/* The cluster's nodes that no plan can be made for, `i` from 0: false behind the last. */
BRAMBLE_API bool bramble_plan_unknown(const bramble_plan *plan, size_t i, const char **name,
                                      const char **reason);

#ifdef __cplusplus
}
#endif
#endif
