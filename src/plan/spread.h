/*
 * Who gets how many microbatches of a batch, by what one takes each: train/shares.h's answer for groups of
 * nodes that are alike, without going through the nodes.
 */
#ifndef PLAN_SPREAD_H
#define PLAN_SPREAD_H

#include <stdint.h>

/* Nodes of a group with the same share. */
struct plan_class {
    uint32_t group, n, share;
};

/*
 * classes[2 n_groups + 1]: seconds[g] > 0 is what a microbatch takes one of the nodes[g] of group g. The
 * first node of group `first` is a class of its own, the first one (UINT32_MAX: nobody is). Returns how many
 * classes. O(groups log(microbatches)).
 */
uint32_t plan_spread(struct plan_class *classes, const double *seconds, const uint32_t *nodes,
                     uint32_t n_groups, uint32_t first, uint32_t n_microbatches);

#endif
