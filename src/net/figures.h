/* What a network is made of, layer by layer, for people. */
#ifndef NET_FIGURES_H
#define NET_FIGURES_H

#include "net/graph.h"

struct layer_figures {
    const char *name, *op;     /* the node's name and operator; the graph's */
    struct net_shape shape;    /* of its (first) output, of one sample */
    uint64_t parameters;       /* trained numbers it is the first to use */
    uint64_t macs;             /* multiply-adds of one sample's forward pass, where they are worth counting */
    uint64_t activation_bytes; /* of all its outputs, for one sample */
};

struct net_figures {
    uint32_t layers;
    uint64_t parameters, macs, activation_bytes; /* sums; the input's bytes are not counted */
    uint64_t weight_bytes;                       /* parameters, states and constants */
};

/* Of node n. O(nodes), as parameters may be shared. */
struct layer_figures figures_of_layer(const struct net_graph *graph, uint32_t n);
struct net_figures figures_of_net(const struct net_graph *graph);

#endif
