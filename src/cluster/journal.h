/*
 * The results of a run as they come in: an append-only file of records, each with its own checksum, so that
 * whatever ends the program, what was written before counts. It opens with the run's key (what the results
 * belong to, at most 4096 bytes); another key is refused. The tail a crash left half written is cut off when
 * it is opened to append; a damaged record amid whole ones is passed over.
 *
 * File: "BRJRNL01", u32 length of the key, the key, u64 XXH3-64 of all that; then records: u32 task, u32
 * length, u64 XXH3-64 over task, length and bytes, bytes. All little-endian.
 */
#ifndef CLUSTER_JOURNAL_H
#define CLUSTER_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

struct journal;

/* Creates the file (synced, its folder too), or opens one with the same key; locked against a second writer
 * for as long as it is open; waits a second for one that is just leaving. */
bramble_status journal_append_open(struct journal **out, const char *path, const char *key,
                                   bramble_error *error);
/* Written when this returns (a kill -9 of the program loses nothing); synced to the disk by a journal_sync
 * that follows. After a failure (a full disk) the file is as before, and appending may be tried again. */
bramble_status journal_append(struct journal *journal, uint32_t task, const void *bytes, uint32_t length,
                              bramble_error *error);
bramble_status journal_sync(struct journal *journal, bramble_error *error);
/* Puts this record in the place of all but the first one, synced to the disk: what a crash leaves is the file
 * as it was, or as it becomes (a file of its own, PATH.new, is renamed). */
bramble_status journal_replace(struct journal *journal, uint32_t task, const void *bytes, uint32_t length,
                               bramble_error *error);
void journal_close(struct journal *journal); /* syncs; NULL is fine */

/* Calls `visit` for every whole record in order, of a file with this key; stops early when it returns an
 * error. The bytes are borrowed for the call. A file that is not there has no records. */
bramble_status journal_read(const char *path, const char *key,
                            bramble_status (*visit)(void *context, uint32_t task, const void *bytes,
                                                    uint32_t length, bramble_error *error),
                            void *context, bramble_error *error);

#endif
