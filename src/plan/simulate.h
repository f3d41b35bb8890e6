/*
 * How long a step takes, worked out on paper: the parcels of train/reduce.h one after the other, each from
 * when its last sender has it ready, while the work on later ones goes on.
 *
 * Nodes of a group with as many microbatches do the same at the same times and are one class, so the cost is
 * O(groups x parcels), whatever the number of nodes. The links are one switch's: a node is in its own way
 * only. What a processor does for the network is taken from its work.
 */
#ifndef PLAN_SIMULATE_H
#define PLAN_SIMULATE_H

#include <bramble/error.h>

#include "plan/platform.h"
#include "plan/work.h"

enum plan_kind { PLAN_RING, PLAN_CENTRAL, PLAN_STALE, PLAN_LOCAL, PLAN_LOCAL_INT8, PLAN_PIPELINE };
enum { PLAN_KINDS = PLAN_PIPELINE + 1 };

/* What most of the time goes into. */
enum plan_bound { PLAN_BY_WORK, PLAN_BY_WIRE, PLAN_BY_LATENCY, PLAN_BY_PROCESSOR };

struct plan_time {
    double seconds;   /* a batch */
    double work;      /* of it at the one who works longest */
    double memory;    /* bytes, at the one who needs most */
    uint64_t at_work; /* nodes that have a part of the batch */
    double sent;      /* bytes, all nodes together */
    double received;
};

/* BRAMBLE_ERR_MEMORY, or BRAMBLE_ERR_UNSUPPORTED where it cannot be done at all. stages: a pipeline's. */
bramble_status plan_simulate(struct plan_time *out, enum plan_kind kind, const struct plan_platform *platform,
                             const struct plan_net *net, const struct plan_stages *stages,
                             bramble_error *error);

/* The same, each with links or processors that cost nothing: what would help most. */
bramble_status plan_bound_of(enum plan_bound *out, enum plan_kind kind, const struct plan_platform *platform,
                             const struct plan_net *net, const struct plan_stages *stages,
                             bramble_error *error);

/* A forest's seconds, from the launch to the last tree. */
struct plan_time plan_simulate_forest(const struct plan_platform *platform, const struct plan_forest *forest);

/* Seconds until nodes that are launched from the first one are at work. */
double plan_launch_seconds(const struct plan_platform *platform);
/* And have these data. */
double plan_begin_seconds(const struct plan_platform *platform, double bytes);

#endif
