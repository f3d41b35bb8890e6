/*
 * Commands on nodes of the Slurm job we run in. Every srun of ours is a step beside all others of the job
 * (--overlap) with all that the job has on its nodes.
 */
#ifndef CLUSTER_SRUN_H
#define CLUSTER_SRUN_H

#include <sys/types.h>

#include "cluster/remote.h"

/*
 * Words that run the words after them without what Slurm told our own step of itself: srun takes most of it
 * (SLURM_NTASKS, SLURM_CPU_BIND, ...) for options. Which job we are in stays known. NULL at the end.
 */
extern const char *const srun_clean[];

/* srun_clean, srun and its options for one node; its name and the command follow. NULL at the end. */
extern const char *const srun_one_node[];

/* Options of every srun of ours, as Open MPI's plm_slurm_args takes them: parted by blanks. */
#define SRUN_BESIDE "--overlap --mem=0 --cpu-bind=none"

/* What an srun that ended by itself says: REMOTE_DONE when the command's own exit code came through. */
enum remote_outcome srun_classify(int exit_code, const struct str *errors);

/* remote_explain for outcomes that are Slurm's doing. */
void srun_explain(const struct remote_command *command, char *buffer, size_t size);

/* The srun by which an mpiexec started its daemons; 0: there is none yet. It is in a process group of its
 * own, and would outlive mpiexec while a node is silent. */
pid_t srun_below(pid_t mpiexec);

/* Ends it at once; 0, and one that has ended, are fine. */
void srun_end(pid_t pid);

#endif
