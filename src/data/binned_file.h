/*
 * A table's codes, targets and weights as one file whose bytes are used as they are: all that growing trees
 * needs. A node of a cluster gets this instead of the table, and keeps it in its cache. Codes lie by row, the
 * order that growing reads most, so that a node holds them once (docs/decisions/0012).
 *
 * The file is the same for the same table on every machine (little-endian, every array on a 64-byte
 * boundary). It has no checksum of its own: whoever keeps it knows its bytes by their hash.
 */
#ifndef DATA_BINNED_FILE_H
#define DATA_BINNED_FILE_H

#include "data/bins.h"

/* Writes the file whole or not at all. N x F bytes and a little more. The table must have a target. */
bramble_status binned_file_write(const char *path, const struct bramble_table *table,
                                 const struct binned *binned, bramble_error *error);

/* What tells one such file from another without making it: tables with the same key (BINNED_KEY_LENGTH
 * hexadecimal digits, XXH3-128) make the same file. A fraction of the time that binned_new takes. */
enum { BINNED_KEY_LENGTH = 32 };
bramble_status binned_file_key(char key[BINNED_KEY_LENGTH + 1], const struct bramble_table *table,
                               bramble_error *error);

/* The same with the codes of features begin..end - 1 only (at least one, all of them held by `binned`):
 * for a process that has no room for more. */
bramble_status binned_file_write_shard(const char *path, const struct bramble_table *table,
                                       const struct binned *binned, uint32_t begin, uint32_t end,
                                       bramble_error *error);

/* What of a file everybody needs, and what can be divided. */
struct binned_extent {
    uint64_t n_rows;
    uint32_t n_features;
    uint64_t shared_bytes; /* of the file but for codes */
};

/* Reads the head of a file that holds all features. */
bramble_status binned_file_measure(const char *path, struct binned_extent *extent, bramble_error *error);

/* Writes the shard of features begin..end - 1 (at least one) of a file that holds all: byte for byte what
 * binned_file_write_shard writes. Needs a megabyte or two of memory, however large the file. */
bramble_status binned_file_cut(const char *path, uint32_t begin, uint32_t end, const char *out_path,
                               bramble_error *error);

/* What a file holds. `table` has its schema's types and classes, target's name, targets and weights, but no
 * columns and no other texts; `binned` has codes by row only. */
struct binned_file {
    struct bramble_table table;
    struct binned binned;
    void *bytes; /* the file's: what the two above point into */
    size_t n_bytes;
};

/* Reads and checks a file (any bytes may be in it); *out is the caller's to free. Takes the file's size in
 * memory, in huge pages where there are. */
bramble_status binned_file_read(struct binned_file **out, const char *path, bramble_error *error);
void binned_file_free(struct binned_file *file); /* NULL is fine */

#endif
