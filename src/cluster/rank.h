/* What `bramble rank` is: one process of an MPI job that launch.h started. */
#ifndef CLUSTER_RANK_H
#define CLUSTER_RANK_H

#include "cluster/program.h"

struct rank_options {
    uint32_t threads;             /* of a worker; 0: all */
    uint64_t memory;              /* bytes a worker may take; 0: what is free */
    const char *orders, *reports; /* of rank 0 */
};

/* Joins the MPI job and does its part: rank 0 coordinates, the others work on jobs of these programs (NULL at
 * the end). Returns when the job is over. */
bramble_status rank_run(const struct rank_options *options, const struct program *const *programs,
                        bramble_error *error);

#endif
