/* A node's part in a cluster: gets jobs, their data and their tasks, hands in results. */
#ifndef CLUSTER_WORKER_H
#define CLUSTER_WORKER_H

#include "cluster/program.h"
#include "cluster/wire.h"

/*
 * Works until told to stop, on `threads` threads and in at most `memory` bytes (0: what is free). `programs`
 * ends with NULL. The wire stays the caller's.
 */
void worker_run(struct wire *wire, uint32_t rank, const struct program *const *programs, uint32_t threads,
                uint64_t memory);

#endif
