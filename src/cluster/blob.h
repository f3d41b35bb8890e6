/*
 * Data files a node keeps from run to run, named by what is in them: HASH.data in the cache folder
 * (base/cache_folder.h), HASH being the XXH3-128 of the bytes. What does not match its name is not used and
 * removed.
 *
 * A folder that cannot be written, or a full disk, is no reason to stop: the data then stay in memory for the
 * run.
 */
#ifndef CLUSTER_BLOB_H
#define CLUSTER_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

enum { BLOB_HASH_LENGTH = 32 };

bool blob_hash_valid(const char *hash); /* 32 digits of the hexadecimal system, small letters */

/* Hash of a file's bytes, as text, and its length. O(length). */
bramble_status blob_hash_file(const char *path, char hash[BLOB_HASH_LENGTH + 1], uint64_t *length,
                              bramble_error *error);

/* Takes a finished file into the cache by renaming it; *path is where it is now, the caller's to mem_free. A
 * folder on another file system: the file stays where it is, and that is *path. */
bramble_status blob_adopt(const char *file, const char *hash, char **path, bramble_error *error);

/* Path of a blob that is there, whole and unchanged (*path is the caller's to mem_free), or false. O(length).
 */
bool blob_find(const char *hash, uint64_t length, char **path);

/* FOLDER/KEY.made says which blob something became whose key (of a hash's form) this is. Keeps it; a folder
 * that cannot be written is no reason to stop here either. */
void blob_remember(const char *key, const char *hash, uint64_t length);
/* As blob_find, by the key of what the blob was made from; hash and length are the blob's. */
bool blob_recall(const char *key, char hash[BLOB_HASH_LENGTH + 1], uint64_t *length, char **path);

/* A blob that is coming in, in pieces of any order. */
struct blob_intake;

bramble_status blob_intake_new(struct blob_intake **out, const char *hash, uint64_t length,
                               bramble_error *error);
/* Puts bytes in their place. Fails for what lies outside. A disk that takes no more moves the blob into
 * memory, if there is enough. */
bramble_status blob_intake_write(struct blob_intake *intake, uint64_t offset, const void *bytes,
                                 size_t length, bramble_error *error);
uint64_t blob_intake_missing(const struct blob_intake *intake); /* bytes yet to come */
/* Checks the hash and puts the blob where blob_find finds it; *path is the caller's. With *kept false it is
 * not, and lives as long as this process. O(length). */
bramble_status blob_intake_finish(struct blob_intake *intake, char **path, bool *kept, bramble_error *error);
void blob_intake_free(struct blob_intake *intake); /* NULL is fine; what is not finished is removed */

#endif
