/* A step whose gradients meet: in slices at every member, or all at the first one. */
#ifndef PLAN_REDUCE_TIME_H
#define PLAN_REDUCE_TIME_H

#include "plan/members.h"

/* The members' clocks are left as they are at the end. traffic[n_classes] is room. */
struct plan_time plan_reduce(struct plan_members *members, const struct plan_net *net, bool central,
                             struct plan_traffic *traffic);

#endif
