/*
 * bramble/bramble.h: the whole public API.
 *
 *   error.h   statuses and messages        table.h   data in
 *   forest.h  training forests             model.h   prediction, files, inspection
 *   net.h     training networks
 *   cluster.h the machines that train together
 *   run.h     runs that are kept
 *   engine.h  training on them
 *   scaling.h how that scales
 *   plan.h    how long it will take
 *
 * examples/forest.c is the shortest complete program. Every type is opaque or plain data; every function
 * that can fail returns a bramble_status. Distinct objects may be used from distinct threads at once; one
 * object may be read from several.
 */
#ifndef BRAMBLE_BRAMBLE_H
#define BRAMBLE_BRAMBLE_H

#include <bramble/error.h>
#include <bramble/table.h>
#include <bramble/model.h>
#include <bramble/forest.h>
#include <bramble/net.h>
#include <bramble/cluster.h>
#include <bramble/run.h>
#include <bramble/engine.h>
#include <bramble/scaling.h>
#include <bramble/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0"; static storage. */
BRAMBLE_API const char *bramble_version(void);

#ifdef __cplusplus
}
#endif
#endif
