/* mpiexec knows no users: where a cluster names some, its remote agent is a script that tells ssh. */
#ifndef CLUSTER_LAUNCH_AGENT_H
#define CLUSTER_LAUNCH_AGENT_H

#include "cluster/launch.h"

bool launch_agent_needed(const struct launch_plan *plan);

/* Writes the script, which mpiexec is to run as "sh PATH". */
bool launch_agent_write(const struct launch_plan *plan, const char *path);

#endif
