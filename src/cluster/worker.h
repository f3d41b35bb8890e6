/* A node's part in a cluster: gets jobs, their data and their tasks, hands in results. */
#ifndef CLUSTER_WORKER_H
#define CLUSTER_WORKER_H

#include "cluster/program.h"
#include "cluster/wire.h"

/*
 * Works until told to stop. `programs` ends with NULL. The wire stays the caller's.
 */
void worker_run(struct wire *wire, const struct program *const *programs, uint32_t threads);

#endif
