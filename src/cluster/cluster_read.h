/* Cluster files from memory, for tests and fuzzers; and the machine that reads them. */
#ifndef CLUSTER_CLUSTER_READ_H
#define CLUSTER_CLUSTER_READ_H

#include "cluster/cluster.h"

/* cluster_read of a file whose bytes are here; `path` is for messages. */
bramble_status cluster_read_text(struct cluster **out, const char *path, const char *text, size_t length,
                                 bramble_error *error);

/* Adds this machine under its own name, before the others. */
bramble_status cluster_append_own(struct cluster *cluster, bramble_error *error);

#endif
