/* mpiexec knows no users, and starts its daemons as they are: its remote agent is a script that tells ssh the
 * user, where a cluster names one, and has the node's bramble start the daemon, confined (confine.h). */
#ifndef CLUSTER_LAUNCH_AGENT_H
#define CLUSTER_LAUNCH_AGENT_H

#include "cluster/launch.h"

bool launch_agent_needed(const struct launch_plan *plan);

/* Writes the script, which mpiexec is to run as "sh PATH". */
bool launch_agent_write(const struct launch_plan *plan, const char *network, const char *path);

#endif
