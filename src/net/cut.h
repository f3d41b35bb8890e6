/*
 * Networks in parts, for machines that have some of the layers each.
 *
 * A cut at n has nodes 0..n-1 before it and the others behind it. What crosses it are the activations that
 * are made before and read behind: a part's input is those that cross the cut before it, one behind the other
 * in the order of their values, its output those that cross the cut behind it. A part is a graph as any
 * other; where several values cross, nodes at its ends take them apart and put them together, which change no
 * number and leave the gradients' order of adding as it is in the whole network.
 */
#ifndef NET_CUT_H
#define NET_CUT_H

#include "net/graph.h"

enum { CUT_VALUES_MAX = NET_OUTPUTS_MAX };

struct net_cut {
    uint32_t n;
    uint32_t values[CUT_VALUES_MAX]; /* rising */
    size_t size;                     /* numbers of a sample in all of them */
};

/*
 * What crosses a cut at each place: cuts[n_nodes + 1]. n is 0 where there can be none: the input or a weight
 * is read on both sides, something crosses that nothing before it trains, or too much does, or a place next
 * to it is the same. At 0 it is the input that crosses, at n_nodes the output. BRAMBLE_ERR_MEMORY. O(nodes x
 * inputs + crossings).
 */
bramble_status cut_find(const struct net_graph *graph, struct net_cut *cuts, bramble_error *error);

/* A part of a network, with its own copy of the weights. */
struct net_part {
    struct net_graph graph;
    uint32_t *values; /* of each of its values, the number in the whole network; NET_NONE: a new one */
};

/* Nodes first..end-1, between two of cut_find's cuts. Weights are copied when `graph` has any, else 0. */
bramble_status cut_part(struct net_part *out, const struct net_graph *graph, uint32_t first, uint32_t end,
                        const struct net_cut *cuts, bramble_error *error);
void cut_part_fini(struct net_part *part); /* zeroed ones too */

#endif
