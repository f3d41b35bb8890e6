/* Drawing a network's weights anew. */
#ifndef NET_INITIALISE_H
#define NET_INITIALISE_H

#include "net/graph.h"

/*
 * Fills every parameter and state as its filler says (graph.h); constants stay. A number depends on the seed,
 * the value's name and its place in the value alone, so that a layer added elsewhere changes no other, and is
 * the same bits on every machine. To be called on a finished graph. O(weights).
 */
void weights_draw(struct net_graph *graph, uint64_t seed);

#endif
