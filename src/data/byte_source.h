/* A stream of bytes with a true end, whatever it comes from: a file, or an array inside an archive. */
#ifndef DATA_BYTE_SOURCE_H
#define DATA_BYTE_SOURCE_H

#include "data/infile.h"

struct byte_source {
    const char *path; /* for messages; borrowed */
    void *stream;
    ptrdiff_t (*read)(void *stream, void *buffer, size_t n, bramble_error *error); /* as infile_read */
    uint64_t length;     /* bytes until its end, 0: unknown */
    uint64_t disk_bytes; /* what it takes where it is stored, stored as it is or deflated; 0: unknown */
    uint64_t done;       /* bytes read so far */
};

struct byte_source byte_source_infile(struct infile *file);

/* n bytes, or fewer at the true end; -1 on failure. */
ptrdiff_t byte_source_read(struct byte_source *source, void *buffer, size_t n, bramble_error *error);

/* Exactly n bytes of a header; the end before that is an error. */
bramble_status byte_source_header(struct byte_source *source, void *buffer, size_t n, bramble_error *error);

/*
 * Whether `bytes` more can follow: exactly that many where the length is known, no more than deflate allows
 * where the size on disk is. BRAMBLE_ERR_DATA says what the header promises and what there is.
 */
bramble_status byte_source_expect(const struct byte_source *source, uint64_t bytes, bramble_error *error);

/* How many of `bytes` that a header promises deserve memory before any has arrived. */
uint64_t byte_source_likely(const struct byte_source *source, uint64_t bytes);

#endif
