/* A forest grown by a cluster: the same as forest_fit's, bit for bit. */
#ifndef TRAIN_CLUSTER_FOREST_H
#define TRAIN_CLUSTER_FOREST_H

#include "cluster/engine.h"
#include "forest/forest.h"

/* Whom to ask how far it is, as engine_run asks. */
struct cluster_watch {
    bool (*status)(void *context, const struct engine_status *status); /* or NULL */
    void *context;
};

/*
 * Bins the table, hands its trees out over the engine and puts the forest together. `folder` keeps the
 * journal of finished trees: when the program ends too soon, the same call goes on from there.
 */
bramble_status cluster_forest_fit(struct forest **out, struct engine *engine, const char *folder,
                                  const struct bramble_table *table, const bramble_forest_options *options,
                                  const struct cluster_watch *watch, bramble_forest_stats *stats,
                                  bramble_error *error);

#endif
