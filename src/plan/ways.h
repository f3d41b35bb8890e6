/* The ways of training that are no exchange of gradients at each step. */
#ifndef PLAN_WAYS_H
#define PLAN_WAYS_H

#include <stdbool.h>

#include "plan/simulate.h"

/* Nodes by themselves, and an average now and then: a batch's part of a round. */
bramble_status plan_rounds(struct plan_time *out, const struct plan_platform *platform,
                           const struct plan_net *net, bool int8, bramble_error *error);

/* Each node at its own pace: its gradient to the first one, weights back; its network and its processors take
 * turns. The first one applies gradients, and works with what is left of its processors. */
struct plan_time plan_stale(const struct plan_platform *platform, const struct plan_net *net);

/* In lockstep: the slowest stage for each group of samples but one, and all stages once. */
struct plan_time plan_pipeline(const struct plan_platform *platform, const struct plan_stages *stages);

#endif
