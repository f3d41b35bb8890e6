/* The same network with fewer nodes to go through: operators that take a Relu do the one behind them. */
#ifndef NET_FUSE_H
#define NET_FUSE_H

#include "net/graph.h"

/*
 * A graph that borrows names and weights of `graph` and has the same numbers for values and nodes; nodes that
 * others have taken in stay where they are, but the output does not need them any more.
 */
bramble_status fuse_init(struct net_graph *fused, const struct net_graph *graph, bramble_error *error);
void fuse_fini(struct net_graph *fused);

#endif
