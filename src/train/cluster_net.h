/* A network trained by a cluster: the same as net_fit's, bit for bit. */
#ifndef TRAIN_CLUSTER_NET_H
#define TRAIN_CLUSTER_NET_H

#include <bramble/net.h>

#include "cluster/engine.h"
#include "model/model.h"

/* Who is told how far it is, and what the nodes do (NULL: nothing new); false stops it. */
struct cluster_net_watch {
    bool (*status)(void *context, const bramble_net_progress *progress, const struct engine_status *nodes);
    void *context;
};

/*
 * Prepares the rows, gives them to the nodes and lets them train (net_together.h). `folder` keeps the journal
 * of how far they are: when the program ends too soon, the same call goes on from there. What stops the
 * training is `watch`; the options' progress and checkpoint have no meaning here.
 */
bramble_status cluster_net_fit(struct bramble_model **out, struct engine *engine, const char *folder,
                               const struct bramble_table *table, const bramble_net_options *options,
                               const struct cluster_net_watch *watch, bramble_net_stats *stats,
                               bramble_error *error);

#endif
