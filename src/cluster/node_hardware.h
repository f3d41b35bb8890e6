/* What a machine is and how it feels, from the files of /proc, /sys and /etc. */
#ifndef CLUSTER_NODE_HARDWARE_H
#define CLUSTER_NODE_HARDWARE_H

#include "cluster/probe.h"

/* Fills arch, system, model, memory, power and temperature of a report. `root` is put before every path: ""
 * for this machine, a folder with such files for a recorded one. What is not told stays empty, 0 or NaN. */
void node_hardware_read(struct node_report *report, const char *root);

/* True when some folder of PATH has this program. */
bool program_on_path(const char *program);

/* "Open MPI 4.1.4" of the library we are linked with. */
void mpi_release(char *buffer, size_t size);

#endif
