/*
 * From gradients to weights: the length of a gradient, and the optimiser's step over all parameters. Both go
 * by fixed ranges of numbers, so that any number of threads gives the same bits.
 */
#ifndef NET_UPDATE_H
#define NET_UPDATE_H

#include "base/team.h"
#include "net/graph.h"
#include "net/optimiser.h"

enum { UPDATE_RANGE = 16384 }; /* numbers: 64 KB */

struct update_range {
    size_t first; /* in graph.weights */
    uint32_t n;
    bool decays;
};

struct update {
    struct net_graph *graph;
    struct team *team;
    struct optimiser_options options;
    uint32_t n_ranges;
    struct update_range *ranges;
    double *squares; /* of each range */
    uint32_t slots;
    float *state; /* [slots][n_parameters] */
};

/* Borrows graph and team. */
bramble_status update_init(struct update *update, struct net_graph *graph, struct team *team,
                           const struct optimiser_options *options, bramble_error *error);
void update_fini(struct update *update);
size_t update_bytes(const struct update *update);

/* Fills in squares: the sum of each range's. */
void update_squares(struct update *update, const float *gradients);

/* The Euclidean length of all parameters' gradients; NaN or infinite when any of them is. */
double update_norm(struct update *update, const float *gradients);

/* step counts from 1. */
void update_weights(struct update *update, const float *gradients, double norm, double learning_rate,
                    uint64_t step);

#endif
