#include "cluster/spare_memory.h"

#include "base/error.h"
#include "cluster/node_hardware.h"

#define MEGABYTE 1e6
#define WORK_BYTES 30000000 /* for the process and the work on the data */

static uint64_t least(uint64_t memory, uint64_t limit)
{
    return limit && (limit < memory || !memory) ? limit : memory;
}

uint64_t spare_memory_most(uint64_t limit)
{
    struct node_report self = {0};
    node_hardware_read(&self, "");
    return least(self.memory_bytes, limit);
}

bramble_status spare_memory_check(uint64_t bytes, uint64_t limit, bool *for_good, bramble_error *error)
{
    struct node_report self = {0};
    node_hardware_read(&self, "");
    uint64_t there = least(self.memory_free_bytes, limit);
    double needed = (double)bytes * 1.1 + WORK_BYTES;
    if (!there || needed <= (double)there) return BRAMBLE_OK;
    *for_good = there == limit;
    return error_set(
        error, BRAMBLE_ERR_MEMORY,
        "the data need %.1f MB of memory here, and %.1f MB %s; more machines, or larger ones, can "
        "do it",
        needed / MEGABYTE, (double)there / MEGABYTE,
        *for_good ? "is what the cluster's file allows" : "are free");
}
