/* What bramble_cluster is, for the files that implement it. */
#ifndef API_CLUSTER_HANDLE_H
#define API_CLUSTER_HANDLE_H

#include <bramble/cluster.h>

#include "cluster/probe.h"

struct bramble_cluster {
    struct cluster *cluster;
    struct node_state *states; /* one a node; all empty before a probe */
};

#endif
