#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

enum { BUFFER_BYTES = 1 << 16 };

struct outfile {
    char *path, *temporary;
    int fd;
    int failure; /* errno of the first failed write, or 0 */
    size_t used;
    char buffer[BUFFER_BYTES];
};

static void file_free(struct outfile *file)
{
    if (file->fd >= 0) close(file->fd);
    mem_free(file->path);
    mem_free(file->temporary);
    mem_free(file);
}

static mode_t default_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

bramble_status outfile_open(struct outfile **out, const char *path, bramble_error *error)
{
    struct outfile *file = mem_alloc(1, sizeof *file);
    if (!file) return error_memory(error, "an output file");
    *file = (struct outfile){.fd = -1};
    size_t length = strlen(path);
    file->path = mem_strdup(path);
    file->temporary = mem_alloc(length + sizeof ".XXXXXX", 1);
    if (!file->path || !file->temporary) {
        file_free(file);
        return error_memory(error, "an output file");
    }
    memcpy(file->temporary, path, length);
    memcpy(file->temporary + length, ".XXXXXX", sizeof ".XXXXXX");
    struct stat existing;
    if (stat(path, &existing) == 0 && !S_ISREG(existing.st_mode)) {
        file_free(file);
        return error_set(error, BRAMBLE_ERR_IO, "%s: not a regular file; name a file to write", path);
    }
    file->fd = mkostemp(file->temporary, O_CLOEXEC);
    if (file->fd < 0) {
        int reason = errno;
        file_free(file);
        return error_set(error, BRAMBLE_ERR_IO,
                         "%s: cannot write here: %s; name a folder that exists and is yours", path,
                         strerror(reason));
    }
    fchmod(file->fd, default_mode());
    *out = file;
    return BRAMBLE_OK;
}

static void write_all(struct outfile *file, const char *bytes, size_t length)
{
    while (length && !file->failure) {
        ssize_t n = write(file->fd, bytes, length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            file->failure = errno;
            return;
        }
        bytes += n;
        length -= (size_t)n;
    }
}

static void flush(struct outfile *file)
{
    write_all(file, file->buffer, file->used);
    file->used = 0;
}

void outfile_write(struct outfile *file, const void *bytes, size_t length)
{
    if (length > BUFFER_BYTES - file->used) flush(file);
    if (length > BUFFER_BYTES) {
        write_all(file, bytes, length);
        return;
    }
    memcpy(file->buffer + file->used, bytes, length);
    file->used += length;
}

/* Makes the rename itself durable; some file systems cannot, which is no reason to fail. */
static void sync_folder(const char *path)
{
    char *copy = mem_strdup(path);
    if (!copy) return;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    mem_free(copy);
}

bramble_status outfile_commit(struct outfile *file, bramble_error *error)
{
    flush(file);
    if (!file->failure && fsync(file->fd) != 0 && errno != EINVAL) file->failure = errno;
    if (close(file->fd) != 0 && !file->failure) file->failure = errno;
    file->fd = -1;
    if (!file->failure && rename(file->temporary, file->path) != 0) file->failure = errno;
    bramble_status status = BRAMBLE_OK;
    if (file->failure) {
        unlink(file->temporary);
        status = error_set(error, BRAMBLE_ERR_IO, "%s: cannot write: %s; nothing was changed", file->path,
                           strerror(file->failure));
    } else {
        sync_folder(file->path);
    }
    file_free(file);
    return status;
}

void outfile_abandon(struct outfile *file)
{
    if (!file) return;
    unlink(file->temporary);
    file_free(file);
}
