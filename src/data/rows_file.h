/*
 * The rows that a network is trained on, and how they are encoded, as one file whose bytes are used as they
 * are. A node of a cluster gets this instead of the table, keeps it in its cache and maps it: rows that
 * memory cannot hold stay on its disk.
 *
 * The file is the same for the same rows and encoder on every machine (little-endian, every array on a
 * 64-byte boundary). It has no checksum of its own: whoever keeps it knows its bytes by their hash.
 */
#ifndef DATA_ROWS_FILE_H
#define DATA_ROWS_FILE_H

#include "data/rows.h"

/* Writes the file whole or not at all: N x row_bytes and a little more. `rows` were made with this encoder;
 * the last n_validation of them are set aside to judge by. BRAMBLE_ERR_DATA for rows that no file can have:
 * none to train on, no target, targets that are not finite, parts where all weigh 0. */
bramble_status rows_file_write(const char *path, const struct rows *rows, size_t n_validation,
                               const struct encoder *encoder, bramble_error *error);

struct rows_file {
    struct rows rows;    /* points into the file: read only, not to be ended by rows_fini */
    size_t n_validation; /* the last of the rows: fewer than all */
    struct encoder encoder;
    void *bytes; /* the file's */
    size_t n_bytes;
};

/* Maps and checks a file (any bytes may be in it); *out is the caller's to free. Everything is checked but
 * the values of features, which the encoder makes numbers of whatever they are: targets and weights are read,
 * the rows are not yet. O(N + F).
 *
 * Nobody may write to the file while it is open; another may take its place. A disk that cannot be read is a
 * signal (SIGBUS), as with a spill. */
bramble_status rows_file_open(struct rows_file **out, const char *path, bramble_error *error);
void rows_file_free(struct rows_file *file); /* NULL is fine */

#endif
