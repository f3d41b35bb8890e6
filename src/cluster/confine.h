/*
 * Where the processes of an MPI job listen. Open MPI has settings for the addresses it tells others, but none
 * for those it binds: its sockets listen on every network of a machine. So bind() is our own in all of them:
 * ranks have it from this program, into mpiexec and orted it is loaded (LD_PRELOAD, from memory). Where that
 * cannot be, they listen as Open MPI has it, and the ranks say so. docs/security.md says what it keeps out
 * and what not, docs/decisions/0014 why it is so.
 */
#ifndef CLUSTER_CONFINE_H
#define CLUSTER_CONFINE_H

#include <stdbool.h>

#include "base/str.h"

#include <bramble/error.h>

/* In the environment of all of a job's processes: its network, as "10.0.0.0/24". */
#define CONFINE_NETWORK "BRAMBLE_NETWORK"

/* In the environment of what mpiexec and orted start, when bind() is ours in them. */
#define CONFINE_LOADED "BRAMBLE_CONFINED"

/* LD_PRELOAD begins so; what is loaded takes that away again, for children have no such file. */
#define CONFINE_PRELOAD "/proc/self/fd/"

/* What follows the path of a node's bramble in the command that starts the node's orted, for printf: takes
 * the network. */
#define CONFINED_DAEMON " confine %s -- orted"

/* Opens what is to be loaded: *fd, to be closed by whoever forks and left open to the new program, and the
 * value that LD_PRELOAD shall have for it. *fd becomes -1 where the system lets no such file be made. */
void confine_open(int *fd, struct str *preload);

/* Becomes another program, confined to a network where that can be; words end with a NULL. Returns only when
 * it cannot be started. */
bramble_status confine_exec(const char *network, const char *const *words, bramble_error *error);

/* For ranks, once MPI listens: whether this process and the one that started it listen on the network alone.
 */
bool confine_holds(void);

/* What to tell of a rank for which it does not. */
#define CONFINE_PROBLEM                                                                                      \
    "MPI listens on every network of this node, not on the cluster's alone; close its ports to the others "  \
    "with a firewall (docs/security.md)"

#endif
