/* What bramble_plan is, for the files that implement it. */
#ifndef API_PLAN_HANDLE_H
#define API_PLAN_HANDLE_H

#include <bramble/plan.h>

#include "plan/choose.h"
#include "train/net_measure.h"
#include "train/node_speed.h"

enum { PLAN_WAYS_MOST = 8, PLAN_PROBLEM = 496 };

/* This machine, which others are compared with. */
struct plan_here {
    struct node_speed speed;
    double core_rate;
    uint32_t cores;
    char kernels[16];
};

struct plan_way {
    const char *name, *options;
    bool exact, best, possible;
    char problem[PLAN_PROBLEM];
    struct plan_choice choice; /* when possible */
    double seconds, low, high, rate_alone,
        begin; /* of the run; rate_alone: all that take part, batches a second */
};

struct plan_node {
    bool measured;
    double gemm_gflops, tree_rate;
};

struct plan_missing {
    char name[PLAN_NAME], reason[PLAN_PROBLEM];
};

struct bramble_plan {
    struct plan_here here;
    struct net_measured net;   /* of networks */
    struct plan_forest forest; /* of forests */
    double tree_seconds;       /* a tree on this machine */
    bool is_net, links_given;  /* links_given: no measured one counts */
    struct plan_group *groups; /* n_groups of capacity */
    struct plan_node *nodes;
    uint32_t n_groups, capacity, first;
    struct plan_missing *missing;
    size_t n_missing;
    struct plan_way ways[PLAN_WAYS_MOST];
    uint32_t n_ways;
};

/* plan_nodes.c: measures this machine, and finds groups. */
bramble_status plan_find_nodes(struct bramble_plan *plan, const bramble_plan_options *options,
                               bramble_error *error);
/* Once the work is measured: what each group takes for it. */
void plan_scale_nodes(struct bramble_plan *plan);

/* plan_ways.c */
bramble_status plan_find_ways(struct bramble_plan *plan, bramble_error *error);

#endif
