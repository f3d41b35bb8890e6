/*
 * The allocation of a Slurm job as a cluster: its nodes, and what the job may use of each. Nodes are reached
 * by srun within the job (srun.h), never by ssh.
 */
#ifndef CLUSTER_SLURM_H
#define CLUSTER_SLURM_H

#include "cluster/cluster.h"

/*
 * All nodes of the job we run in, in Slurm's order, but this machine first where it is one of them; threads
 * and memory as allocated (SLURM_JOB_CPUS_PER_NODE; SLURM_MEM_PER_NODE or SLURM_MEM_PER_CPU). Slurm's own
 * `scontrol show hostnames` reads the list of nodes. BRAMBLE_ERR_USAGE outside a job.
 */
bramble_status cluster_from_slurm(struct cluster **out, bramble_error *error);

/* True in all copies but the first when srun started several of this program: the first does the work for
 * all, the others have none. */
bool slurm_copy_is_spare(void);

#endif
