/* Data that runs left in the caches of nodes (blob.h), removed: for who measures how long sending them takes.
 */
#ifndef CLUSTER_CACHE_EMPTYING_H
#define CLUSTER_CACHE_EMPTYING_H

#include "cluster/remote.h"

/* On all n nodes at once. Fails, naming a node, when one of them does not answer. */
bramble_status caches_empty(struct remote *remote, const struct node *nodes, size_t n, bramble_error *error);

#endif
