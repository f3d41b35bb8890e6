#include "cluster/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "base/error.h"
#include "base/mem.h"
#include "cluster/blob_room.h"
#include "cluster/node_hardware.h"

enum { PIECE = 1 << 16, MEMORY_PARTS = 4, MEMORY_PARTS_USED = 3 };

struct blob_intake {
    char hash[BLOB_HASH_LENGTH + 1];
    char *folder, *temporary; /* temporary NULL: in memory */
    int fd;
    uint64_t length, missing;
};

/* In memory there must be room for the work on the data too. */
static bool open_in_memory(struct blob_intake *intake)
{
    struct node_report self = {0};
    node_hardware_read(&self, "");
    uint64_t most = self.memory_free_bytes / MEMORY_PARTS * MEMORY_PARTS_USED;
    if (self.memory_free_bytes && intake->length > most) return false;
    intake->fd = memfd_create("bramble-data", MFD_CLOEXEC);
    return intake->fd >= 0 && ftruncate(intake->fd, (off_t)intake->length) == 0;
}

static void leave_disk(struct blob_intake *intake)
{
    if (intake->temporary) unlink(intake->temporary);
    mem_free(intake->temporary);
    intake->temporary = NULL;
}

/* posix_fallocate, so that a disk that is too small says so now and not when the data are half here. */
static bool open_on_disk(struct blob_intake *intake)
{
    if (cache_folder_make(&intake->folder, NULL) != BRAMBLE_OK) return false;
    blob_make_room(intake->folder, intake->length);
    intake->temporary = blob_path(intake->folder, intake->hash, BLOB_PART_SUFFIX);
    if (!intake->temporary) return false;
    intake->fd = mkostemp(intake->temporary, O_CLOEXEC);
    if (intake->fd >= 0) flock(intake->fd, LOCK_EX | LOCK_NB); /* a sign of life; some disks know none */
    if (intake->fd >= 0 && posix_fallocate(intake->fd, 0, (off_t)intake->length) == 0) return true;
    if (intake->fd >= 0) leave_disk(intake), close(intake->fd);
    mem_free(intake->temporary);
    intake->temporary = NULL;
    intake->fd = -1;
    return false;
}

bramble_status blob_intake_new(struct blob_intake **out, const char *hash, uint64_t length,
                               bramble_error *error)
{
    if (!blob_hash_valid(hash) || length == 0 || length > INT64_MAX)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "a data file was announced with a name or size that makes no sense");
    struct blob_intake *intake = mem_zalloc(1, sizeof *intake);
    if (!intake) return error_memory(error, "data coming in");
    memcpy(intake->hash, hash, sizeof intake->hash);
    intake->length = intake->missing = length;
    intake->fd = -1;
    if (!open_on_disk(intake) && !open_in_memory(intake)) {
        blob_intake_free(intake);
        return error_set(error, BRAMBLE_ERR_IO,
                         "there is room for the data neither on the disk nor in memory");
    }
    *out = intake;
    return BRAMBLE_OK;
}

static bool write_at(int fd, uint64_t offset, const void *bytes, size_t length)
{
    for (const char *at = bytes; length;) {
        ssize_t n = pwrite(fd, at, length, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        offset += (uint64_t)n;
        length -= (size_t)n;
    }
    return true;
}

/* What has come in so far, from a disk that takes no more, into memory. */
static bool move_to_memory(struct blob_intake *intake)
{
    char piece[PIECE];
    int disk = intake->fd;
    bool good = open_in_memory(intake);
    for (uint64_t done = 0; good && done < intake->length;) {
        ssize_t n = pread(disk, piece, sizeof piece, (off_t)done);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) break; /* the rest was never written */
        good = n > 0 && write_at(intake->fd, done, piece, (size_t)n);
        if (good) done += (uint64_t)n;
    }
    if (!good && intake->fd >= 0 && intake->fd != disk) close(intake->fd);
    if (!good) {
        intake->fd = disk;
        return false;
    }
    leave_disk(intake);
    close(disk);
    return true;
}

bramble_status blob_intake_write(struct blob_intake *intake, uint64_t offset, const void *bytes,
                                 size_t length, bramble_error *error)
{
    if (offset > intake->length || length > intake->length - offset || length > intake->missing)
        return error_set(error, BRAMBLE_ERR_DATA, "data came in that lie outside their file");
    if (!write_at(intake->fd, offset, bytes, length)) {
        int why = errno;
        if (!intake->temporary || !move_to_memory(intake) || !write_at(intake->fd, offset, bytes, length))
            return error_set(error, BRAMBLE_ERR_IO, "data could not be written: %s", strerror(why));
    }
    intake->missing -= length;
    return BRAMBLE_OK;
}

uint64_t blob_intake_missing(const struct blob_intake *intake)
{
    return intake->missing;
}

/* The descriptor stays open for good: it is what holds the memory, or a file that lost its name. */
static bramble_status stay_open(struct blob_intake *intake, char **path, bramble_error *error)
{
    char number[16];
    snprintf(number, sizeof number, "%d", intake->fd);
    char *name = blob_path("/proc/self/fd", number, "");
    if (!name) return error_memory(error, "a file's name");
    intake->fd = -1;
    *path = name;
    return BRAMBLE_OK;
}

bramble_status blob_intake_finish(struct blob_intake *intake, char **path, bool *kept, bramble_error *error)
{
    char found[BLOB_HASH_LENGTH + 1];
    if (intake->missing || !blob_hash_fd(intake->fd, intake->length, found) ||
        strcmp(found, intake->hash) != 0)
        return error_set(error, BRAMBLE_ERR_DATA, "data came in damaged");
    char *name = intake->temporary ? blob_path(intake->folder, intake->hash, BLOB_SUFFIX) : NULL;
    *kept = name && rename(intake->temporary, name) == 0;
    if (!*kept) {
        mem_free(name);
        return stay_open(intake, path, error);
    }
    mem_free(intake->temporary);
    intake->temporary = NULL;
    close(intake->fd);
    intake->fd = -1;
    *path = name;
    return BRAMBLE_OK;
}

void blob_intake_free(struct blob_intake *intake)
{
    if (!intake) return;
    leave_disk(intake);
    if (intake->fd >= 0) close(intake->fd);
    mem_free(intake->folder);
    mem_free(intake);
}
