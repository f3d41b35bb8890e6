/* How fast the way to a node is, as our commands and data take it: inside ssh, whose cipher bounds it. */
#ifndef CLUSTER_LINK_H
#define CLUSTER_LINK_H

#include "cluster/remote.h"

/* Over a connection that stands: the median round trip of one byte, and a few megabytes one way. NaN where it
 * did not work out within `deadline_seconds`. A local node has neither. */
void link_measure(struct remote *remote, const struct node *node, double deadline_seconds, double *latency_ms,
                  double *bandwidth_mbs);

#endif
