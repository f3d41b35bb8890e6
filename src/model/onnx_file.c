#include "model/onnx_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

const char *onnx_file_entry(const Onnx__ModelProto *model, const char *key)
{
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *entry = model->metadata_props[i];
        if (entry->key && entry->value && strcmp(entry->key, key) == 0) return entry->value;
    }
    return NULL;
}

bramble_status onnx_file_decode(struct onnx_file *file, const void *bytes, size_t size, const char *name,
                                const char *wanted, bramble_error *error)
{
    bounded_init(&file->bounded, size);
    file->model = onnx__model_proto__unpack(&file->bounded.allocator, size, bytes);
    if (!file->model && file->bounded.out_of_memory) return error_memory(error, "a model file");
    if (!file->model)
        return error_set(error, BRAMBLE_ERR_DATA, "%s: not an ONNX file, or a damaged one; %s", name, wanted);
    return BRAMBLE_OK;
}

void onnx_file_fini(struct onnx_file *file)
{
    onnx__model_proto__free_unpacked(file->model, &file->bounded.allocator);
    file->model = NULL;
}

/* Reads `size` bytes or up to the end, whichever comes first; bytes read, or -1. */
static ssize_t read_fully(int fd, char *bytes, size_t size)
{
    size_t n = 0;
    while (n < size) {
        ssize_t got = read(fd, bytes + n, size - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

/* All of a file in memory; *out is the caller's. Files of 2 GiB and more are no ONNX files. */
static bramble_status slurp(char **out, size_t *size, const char *path, int fd, const char *wanted,
                            bramble_error *error)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return error_set(error, BRAMBLE_ERR_IO, "%s: not a regular file; %s", path, wanted);
    if (info.st_size < 1 || info.st_size > INT32_MAX)
        return error_set(error, BRAMBLE_ERR_DATA, "%s: has %lld bytes, which no ONNX file has; %s", path,
                         (long long)info.st_size, wanted);
    char *bytes = mem_alloc((size_t)info.st_size, 1);
    if (!bytes) return error_memory(error, "a model file");
    ssize_t n = read_fully(fd, bytes, (size_t)info.st_size);
    if (n < 0) {
        error_set(error, BRAMBLE_ERR_IO, "%s: cannot read: %s; take a copy from a disk that works", path,
                  strerror(errno));
        mem_free(bytes);
        return BRAMBLE_ERR_IO;
    }
    *out = bytes;
    *size = (size_t)n;
    return BRAMBLE_OK;
}

bramble_status onnx_file_load(struct onnx_file *file, const char *path, const char *wanted,
                              bramble_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(error, BRAMBLE_ERR_IO, "%s: cannot open: %s; %s", path, strerror(errno), wanted);
    char *bytes = NULL;
    size_t size = 0;
    bramble_status status = slurp(&bytes, &size, path, fd, wanted, error);
    close(fd);
    if (status) return status;
    status = onnx_file_decode(file, bytes, size, path, wanted, error);
    mem_free(bytes);
    return status;
}
