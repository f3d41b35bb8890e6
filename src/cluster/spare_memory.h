/* Whether a job's data fit into this node's memory. */
#ifndef CLUSTER_SPARE_MEMORY_H
#define CLUSTER_SPARE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include <bramble/error.h>

/* What a job may take here at most: the memory there is, what the process's cgroup allows, and `limit` bytes
 * (0: no limit), whichever is least. */
uint64_t spare_memory_most(uint64_t limit);

/* BRAMBLE_ERR_MEMORY when a data file of `bytes`, a tenth more and 30 MB do not fit into what is free now, or
 * into `limit`; with *for_good when waiting does not help. */
bramble_status spare_memory_check(uint64_t bytes, uint64_t limit, bool *for_good, bramble_error *error);

#endif
