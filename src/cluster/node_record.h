/*
 * A cluster as it was found, in a file that can be read without its machines (docs/formats.md): what a
 * planner and tests work from.
 */
#ifndef CLUSTER_NODE_RECORD_H
#define CLUSTER_NODE_RECORD_H

#include "cluster/probe.h"

/* One line of JSON; mem_free it. states: one a node. NULL: out of memory. */
char *node_record_to_json(const struct cluster *cluster, const struct node_state *states);

/* *states: one a node, node_state_fini each and mem_free them. Hostile input; `path` is for messages. */
bramble_status node_record_from_json(struct cluster **cluster, struct node_state **states, const char *path,
                                     const char *text, size_t length, bramble_error *error);

#endif
