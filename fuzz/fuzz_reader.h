/* What the readers' fuzz targets share: bytes become a file, the file a table, and a table read again with
 * its own schema must be the same table. */
#ifndef FUZZ_READER_H
#define FUZZ_READER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/reader.h"

typedef bramble_status reader_function(struct raw_table *, const char *, const bramble_read_options *,
                                       bramble_error *);

static inline bramble_table *fuzz_read(reader_function *reader, const char *path,
                                       const bramble_read_options *options)
{
    struct raw_table raw = {0};
    bramble_table *table = NULL;
    bramble_error error = {0};
    bramble_status status = reader(&raw, path, options, &error);
    if (!status) status = table_finish(&table, &raw, options, &error);
    raw_table_fini(&raw);
    if (status != error.status || !status != !error.message[0] || !status != !!table) abort();
    return table;
}

static inline void fuzz_path(reader_function *reader, const char *path)
{
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    bramble_table *table = fuzz_read(reader, path, &options);
    if (table) {
        options.schema = &table->schema;
        bramble_table *again = fuzz_read(reader, path, &options);
        if (!again || table_checksum(again) != table_checksum(table)) abort();
        bramble_table_free(again);
    }
    bramble_table_free(table);
}

static inline void write_all(int fd, const uint8_t *bytes, size_t n)
{
    if (write(fd, bytes, n) != (ssize_t)n) abort();
}

static inline void fuzz_bytes(reader_function *reader, const uint8_t *bytes, size_t n)
{
    char path[40];
    int fd = memfd_create("fuzz", 0);
    if (fd < 0) abort();
    write_all(fd, bytes, n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    fuzz_path(reader, path);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#endif
