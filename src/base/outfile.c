#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

enum { BUFFER_BYTES = 1 << 16, TEMPORARY_SUFFIX = sizeof ".01234567" };

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

/* A new file beside PATH, named after it; its name goes into file->temporary. */
static int create_beside(struct outfile *file)
{
    size_t length = strlen(file->path);
    struct timespec now;
    for (unsigned attempt = 0; attempt < 100; attempt++) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        uint32_t number = ((uint32_t)now.tv_nsec ^ (uint32_t)getpid() << 12) + attempt;
        snprintf(file->temporary + length, TEMPORARY_SUFFIX, ".%08x", number);
        int fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

/* PATH, or what it links to, so that a link stays a link. */
static char *real_path(const char *path)
{
    struct stat info;
    if (lstat(path, &info) != 0 || !S_ISLNK(info.st_mode)) return mem_strdup(path);
    char *target = realpath(path, NULL);
    char *copy = mem_strdup(target ? target : path);
    free(target);
    return copy;
}

bramble_status outfile_open(struct outfile **out, const char *path, bramble_error *error)
{
    struct outfile *file = mem_alloc(1, sizeof *file);
    if (!file) return error_memory(error, "an output file");
    *file = (struct outfile){.fd = -1};
    file->path = real_path(path);
    file->temporary = file->path ? mem_alloc(strlen(file->path) + TEMPORARY_SUFFIX, 1) : NULL;
    if (!file->temporary) {
        file_free(file);
        return error_memory(error, "an output file");
    }
    memcpy(file->temporary, file->path, strlen(file->path));
    struct stat existing;
    bool exists = stat(path, &existing) == 0;
    if (exists && !S_ISREG(existing.st_mode)) {
        file_free(file);
        return error_set(error, BRAMBLE_ERR_IO, "%s: not a regular file; name a file to write", path);
    }
    file->fd = create_beside(file);
    if (file->fd < 0) {
        int reason = errno;
        file_free(file);
        return error_set(error, BRAMBLE_ERR_IO,
                         "%s: cannot write here: %s; name a folder that exists and is yours", path,
                         strerror(reason));
    }
    if (exists) fchmod(file->fd, existing.st_mode & 07777);
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
