/* Files of binned data: whatever is taken has bins, classes and numbers that growing trees can rely on. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/binned_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool true_statement)
{
    if (!true_statement) abort();
}

static void use(const struct binned_file *file)
{
    const struct bramble_table *table = &file->table;
    const struct binned *binned = &file->binned;
    for (size_t i = 0; i < table->n_rows; i++) {
        must(table->classes ? table->classes[i] < table->schema.n_classes : isfinite(table->values[i]));
        must(!table->weights || (table->weights[i] >= 0 && isfinite(table->weights[i])));
        for (uint32_t f = binned->held_begin; f < binned->held_end; f++) {
            const struct feature_bins *bins = &binned->bins[f];
            uint8_t code = binned->by_row[i * (binned->held_end - binned->held_begin) + f];
            must(code < bins->n_bins || (bins->has_missing && code == bins->n_bins));
            must(bins->categorical || code == bins->n_bins || bins->low[code] <= bins->high[code]);
        }
    }
    for (uint32_t c = 0; c < table->schema.n_classes; c++) must(strlen(table->schema.classes[c]) < SIZE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    bramble_error error;
    struct binned_file *file;
    snprintf(path, sizeof path, "%s/bramble-fuzz-%d", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm",
             getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
    if (binned_file_read(&file, path, &error)) {
        must(*error.message && !strchr(error.message, '\n'));
    } else {
        use(file);
        binned_file_free(file);
    }
    unlink(path);
    return 0;
}
