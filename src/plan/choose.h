/* Which nodes a way of training is fastest with. */
#ifndef PLAN_CHOOSE_H
#define PLAN_CHOOSE_H

#include "plan/simulate.h"

/* Why nodes of a group have no part. */
enum plan_reason {
    PLAN_TAKES_PART,
    PLAN_NO_MEMORY, /* it cannot hold what a member has to */
    PLAN_HINDERS,   /* a batch would take longer with it */
};

/* What one node of a group more would come to. */
struct plan_hindrance {
    double seconds; /* a batch */
    enum plan_bound bound;
};

struct plan_choice {
    struct plan_time time;
    double low, high; /* seconds a batch, if all nodes are as much faster, or slower, as they may be */
    enum plan_bound bound;
    uint32_t *used;                    /* [n_groups]: nodes that take part; mem_free it */
    enum plan_reason *reasons;         /* [n_groups]: of those that do not; mem_free it */
    struct plan_hindrance *hindrances; /* [n_groups]: of PLAN_HINDERS; mem_free it. NULL: not worked out */
};

/*
 * The fastest set of nodes. Up to CHOOSE_SETS sets all are tried, so that a further node never makes a plan
 * slower; beyond that nodes are
 * left out, and, beginning with the first one alone, taken in while that helps, so that no plan is slower
 * than the first node by itself. BRAMBLE_ERR_UNSUPPORTED when no node has the memory. Of a pipeline, whose
 * stages were cut for nodes already, all are taken.
 */
enum { CHOOSE_SETS = 4096 };
bramble_status plan_choose(struct plan_choice *out, enum plan_kind kind, const struct plan_platform *platform,
                           const struct plan_net *net, const struct plan_stages *stages,
                           bramble_error *error);

/* The same of a forest, whose trees are tasks: groups are left out one after the other while that helps. The
 * time is a tree's, of the whole run's. */
bramble_status plan_choose_forest(struct plan_choice *out, const struct plan_platform *platform,
                                  const struct plan_forest *forest, bramble_error *error);
void plan_choice_fini(struct plan_choice *choice); /* zeroed ones too */

#endif
