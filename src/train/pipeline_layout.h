/*
 * Which nodes of a network are whose in a pipeline, and in what groups a batch goes through it: worked out by
 * all members from the same numbers.
 */
#ifndef TRAIN_PIPELINE_LAYOUT_H
#define TRAIN_PIPELINE_LAYOUT_H

#include <stdbool.h>

#include "net/cut.h"
#include "net/optimiser.h"
#include "train/stages.h"

/* What members tell each other. */
struct pipeline_node {
    double rate;    /* multiply-adds a second, all threads together */
    double memory;  /* bytes that it may still take */
    double latency; /* seconds of an exchange without bytes; the caller's to fill in */
    uint64_t threads;
};

/* Measures this one: about 200 ms. */
bramble_status pipeline_node_measure(struct pipeline_node *out, uint32_t threads, bramble_error *error);

struct pipeline_layout {
    struct net_cut *cuts; /* [n_nodes + 1] */
    struct stages stages; /* whose places are nodes */
    uint32_t group;       /* microbatches */
    uint32_t bundle;      /* groups */
};

/* For batches of so many samples. BRAMBLE_ERR_UNSUPPORTED when the network does not fit. */
bramble_status pipeline_layout_find(struct pipeline_layout *out, const struct net_graph *graph,
                                    const struct pipeline_node *nodes, uint32_t n_nodes, uint32_t batch_size,
                                    const struct optimiser_options *optimiser, bramble_error *error);
void pipeline_layout_fini(struct pipeline_layout *layout); /* zeroed ones too */

#endif
