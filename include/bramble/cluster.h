/*
 * bramble/cluster.h: the machines that train together.
 *
 * A cluster is a list of machines in a small file (docs/cluster.md). They are reached over the person's own
 * ssh; nothing listens on them before a run and nothing stays after it.
 */
#ifndef BRAMBLE_CLUSTER_H
#define BRAMBLE_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <bramble/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What this machine says about itself as one line of JSON (docs/formats.md); *json is the caller's, release
 * with bramble_string_free. With `measure` it also runs its kernels on all cores, which takes two seconds. */
BRAMBLE_API bramble_status bramble_node_report(char **json, bool measure, bramble_error *error);

#ifdef __cplusplus
}
#endif
#endif
