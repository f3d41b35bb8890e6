/* What a cluster's nodes are, for people. */
#ifndef CLI_CLUSTER_TABLE_H
#define CLI_CLUSTER_TABLE_H

#include <bramble/bramble.h>

#include "command.h"

#define OPTION_CLUSTER_OF(values)                                                                            \
    {                                                                                                        \
        .name = "cluster", .value = "FILE", .kind = OPTION_TEXT, .offset = FIELD(values, cluster),           \
        .fallback = "cluster.ini", .help = "the file that lists the machines"                                \
    }

/* One line a node, one more for each that has a problem, and how many can be used. */
void cluster_table_print(const bramble_cluster *cluster);

/* Probes with Ctrl-C watched and, on a terminal, a word on what takes so long. */
bramble_status cluster_table_probe(bramble_cluster *cluster, bool measure, bool quiet, bramble_error *error);

#endif
