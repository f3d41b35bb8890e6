/* Members of a simulated step: classes of nodes that do the same, each with a clock of its own. */
#ifndef PLAN_MEMBERS_H
#define PLAN_MEMBERS_H

#include "plan/simulate.h"
#include "plan/spread.h"

struct plan_member {
    const struct plan_group *group;
    uint32_t n, share, pieces; /* nodes; microbatches; whole subtrees that a share is cut into */
    double work;               /* seconds that its share takes when nothing else is done */
    double stolen;             /* by the network so far */
};

struct plan_members {
    struct plan_member *list;
    uint32_t n_classes;
    uint64_t n;
    double n_pieces; /* of all */
};

/* What a member sends and receives in an exchange, in bytes and messages. */
struct plan_traffic {
    double sent, received, messages;
};

/* By seconds[g] that a microbatch takes a node of each group. NULL list: out of memory. */
struct plan_members plan_members_of(const struct plan_platform *platform, const struct plan_net *net,
                                    const double *seconds);
void plan_members_fini(struct plan_members *members);

/* All have exchanged when the slowest has; begun at `start`. What the processor does for it delays work that
 * is not done by then. traffic[n_classes]. */
double plan_exchange(struct plan_members *members, const struct plan_traffic *traffic, double start);

/* Everybody tells everybody a few numbers. */
double plan_gather(struct plan_members *members, double start);

double plan_member_end(const struct plan_member *member); /* of its work */
double plan_members_end(const struct plan_members *members);

#endif
