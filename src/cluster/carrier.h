/*
 * Data files on their way from rank to rank: read in pieces, compressed (zstd), sent as fast as the receiver
 * takes them, to several at once without one waiting for another.
 */
#ifndef CLUSTER_CARRIER_H
#define CLUSTER_CARRIER_H

#include "cluster/blob.h"
#include "cluster/wire.h"

struct carrier;

/* A sender of the file at `path`, which must not change. */
bramble_status carrier_new(struct carrier **out, struct wire *wire, const char *path, uint32_t job,
                           bramble_error *error);
void carrier_free(struct carrier *carrier); /* NULL is fine */

bool carrier_add(struct carrier *carrier, uint32_t to); /* false: it has too many already */

/* Hands the wire a few more pieces where there is room; true when it did. Short of memory it tries again
 * later. */
bool carrier_poll(struct carrier *carrier);
bool carrier_failed(const struct carrier *carrier); /* the file became shorter, or its disk fails */

/* A WIRE_DATA message of this job, taken apart and into the intake. */
bramble_status carrier_receive(struct blob_intake *intake, const struct wire_message *message, uint32_t job,
                               bramble_error *error);

#endif
