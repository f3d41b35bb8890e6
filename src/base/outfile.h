/*
 * Files that appear whole or not at all: bytes go to a temporary file in the same folder, which is synced
 * and renamed over PATH by outfile_commit. Until then an existing PATH is untouched; outfile_abandon (or a
 * failed commit) removes the temporary file. A file that was there keeps its mode, a link stays a link.
 */
#ifndef BASE_OUTFILE_H
#define BASE_OUTFILE_H

#include <stddef.h>

#include <bramble/error.h>

struct outfile;

bramble_status outfile_open(struct outfile **out, const char *path, bramble_error *error);
/* Buffered. The first failure sticks and is reported by commit, so callers need not check each write. */
void outfile_write(struct outfile *file, const void *bytes, size_t length);
/* Releases `file` whatever happens. */
bramble_status outfile_commit(struct outfile *file, bramble_error *error);
void outfile_abandon(struct outfile *file); /* NULL is fine */

#endif
