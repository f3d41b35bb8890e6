/* The cache folder from within: names, hashes, and room for one more blob. For blob.c and blob_intake.c. */
#ifndef CLUSTER_BLOB_ROOM_H
#define CLUSTER_BLOB_ROOM_H

#include "cluster/blob.h"

#define BLOB_SUFFIX ".data"
#define BLOB_PART_SUFFIX ".XXXXXX" /* of a blob that is coming in; locked (flock) while its process lives */

/* FOLDER/HASH and a suffix; mem_free it; NULL: out of memory. */
char *blob_path(const char *folder, const char *hash, const char *suffix);

/* Hash of an open file's first `length` bytes; false, with errno, when they cannot be read. */
bool blob_hash_fd(int fd, uint64_t length, char hash[BLOB_HASH_LENGTH + 1]);

/* Removes what crashed processes left half written, and the blobs used longest ago until `length` bytes and
 * a tenth of the disk are free; no more than help: without hope for the tenth, for the bytes alone. */
void blob_make_room(const char *folder, uint64_t length);

#endif
