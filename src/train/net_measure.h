/*
 * A network and its data as a planner sees them (plan/work.h), measured: some steps of it are taken on this
 * machine, with the batches it would be trained on, and forgotten.
 */
#ifndef TRAIN_NET_MEASURE_H
#define TRAIN_NET_MEASURE_H

#include <bramble/net.h>

#include "plan/work.h"

struct net_measured {
    struct plan_net net;
    double sample_seconds; /* that this machine takes for a sample, on the options' threads */
    double spread;         /* share by which that differed from time to time */
    uint64_t parameters;
};

/* About two seconds, or as long as six steps take. */
bramble_status net_measure(struct net_measured *out, const struct bramble_table *table,
                           const bramble_net_options *options, bramble_error *error);

#endif
