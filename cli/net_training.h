/* One run of bramble train net: what was asked, and what came of it. */
#ifndef CLI_NET_TRAINING_H
#define CLI_NET_TRAINING_H

#include <bramble/bramble.h>

#include "gathering.h"
#include "train_data.h"

struct train_net_values {
    struct train_source source;
    const char *out, *plot, *cluster;
    bool json, quiet;
    char *const *words; /* the whole command line */
    bramble_net_options net;
};

struct net_training {
    const struct train_net_values *values;
    bramble_run *run;            /* NULL: it is not kept */
    struct gathering *gathering; /* the cluster's nodes, or NULL */
    struct train_data data;
    bramble_model *model;
    bramble_net_stats stats;
    bool tested;
    bramble_evaluation evaluation; /* on the test data, when tested */
    uint64_t model_bytes;
};

/* From reading the data to telling what came of it, as a run that is kept (NULL: it is not) and that is ended
 * here. Goes on from the run's checkpoint where there is one. */
bramble_status net_training_carry_out(const struct train_net_values *values, bramble_run *run,
                                      bramble_error *error);

/* The result on stdout. */
void net_training_print_text(const struct net_training *training);

/* The object that --json prints; *out is yours to mem_free. */
bramble_status net_training_to_json(const struct net_training *training, char **out, bramble_error *error);

#endif
