/*
 * Streaming input: plain and gzip files read alike, told apart by their first bytes, never by name.
 *
 * Bytes arrive in order and in full, or an error names the file: a truncated or corrupt .gz is never a silent
 * early end. Several gzip members one after the other are one stream, as gzip has it; zero padding behind the
 * last is fine, anything else is refused. A gzip member's checksum stands behind its data: only a stream read
 * up to the 0 at its end is known to be sound.
 */
#ifndef DATA_INFILE_H
#define DATA_INFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

struct infile;

/* *out is the caller's to close. A folder, a missing or an unreadable file: BRAMBLE_ERR_IO, one clear line.
 */
bramble_status infile_open(struct infile **out, const char *path, bramble_error *error);

/* The same over `size` bytes that stay the caller's and must outlive *out; `path` is for messages. */
bramble_status infile_open_memory(struct infile **out, const char *path, const void *bytes, size_t size,
                                  bramble_error *error);

/*
 * Up to n bytes into `buffer`; returns how many, 0 only at the true end (or n == 0), -1 with *error set on
 * failure. Fewer than n does not mean the end is near. Large n (64 KB or more) avoids a copy.
 */
ptrdiff_t infile_read(struct infile *file, void *buffer, size_t n, bramble_error *error);

/* n bytes, or fewer at the true end; *got says how many. For callers who want the failure's own status. */
bramble_status infile_read_full(struct infile *file, void *buffer, size_t n, size_t *got,
                                bramble_error *error);

/* Back to the first byte. BRAMBLE_ERR_UNSUPPORTED for what cannot be read twice (a pipe). */
bramble_status infile_rewind(struct infile *file, bramble_error *error);

uint64_t infile_size(const struct infile *file); /* bytes on disk, compressed or not; 0: unknown */
bool infile_is_gzip(const struct infile *file);
const char *infile_path(const struct infile *file); /* borrowed */

void infile_close(struct infile *file); /* NULL is fine */

#endif
