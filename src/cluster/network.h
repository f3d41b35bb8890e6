/* Which of this machine's networks reaches the others. */
#ifndef CLUSTER_NETWORK_H
#define CLUSTER_NETWORK_H

#include <stddef.h>

#include <bramble/error.h>

enum { NETWORK_TEXT = 64 };

/* The network (as "10.0.0.0/24") of the interface that packets to `host` leave by; sends none. Loopback for
 * this machine itself. */
bramble_status network_to(const char *host, char cidr[NETWORK_TEXT], bramble_error *error);

#endif
