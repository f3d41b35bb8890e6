#include "cluster/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/cache_folder.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "cluster/blob_room.h"

enum { PIECE = 1 << 18 };

bool blob_hash_valid(const char *hash)
{
    return strspn(hash, "0123456789abcdef") == BLOB_HASH_LENGTH && !hash[BLOB_HASH_LENGTH];
}

char *blob_path(const char *folder, const char *hash, const char *suffix)
{
    struct str path = {0};
    str_printf(&path, "%s/%s%s", folder, hash, suffix);
    return str_take(&path);
}

/* Read, not mapped: a disk that fails, or a file that shrinks, is an error then and no signal. */
bool blob_hash_fd(int fd, uint64_t length, char hash[BLOB_HASH_LENGTH + 1])
{
    XXH3_state_t *state = XXH3_createState();
    void *piece = mem_alloc(PIECE, 1);
    uint64_t done = 0;
    bool good = state && piece && XXH3_128bits_reset(state) == XXH_OK;
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    while (good && done < length) {
        ssize_t n = pread(fd, piece, length - done < PIECE ? length - done : PIECE, (off_t)done);
        if (n < 0 && errno == EINTR) continue;
        good = n > 0 && XXH3_128bits_update(state, piece, (size_t)n) == XXH_OK;
        if (n == 0) errno = EIO; /* shorter than it was */
        if (good) done += (uint64_t)n;
    }
    int why = errno;
    if (good) {
        XXH128_hash_t sum = XXH3_128bits_digest(state);
        snprintf(hash, BLOB_HASH_LENGTH + 1, "%016llx%016llx", (unsigned long long)sum.high64,
                 (unsigned long long)sum.low64);
    }
    XXH3_freeState(state);
    mem_free(piece);
    errno = why;
    return good;
}

bramble_status blob_hash_file(const char *path, char hash[BLOB_HASH_LENGTH + 1], uint64_t *length,
                              bramble_error *error)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool good = fd >= 0 && fstat(fd, &info) == 0;
    if (good && !S_ISREG(info.st_mode)) good = false, errno = EINVAL;
    good = good && blob_hash_fd(fd, (uint64_t)info.st_size, hash);
    int why = errno;
    if (fd >= 0) close(fd);
    if (!good) return error_set(error, BRAMBLE_ERR_IO, "%s: cannot be read: %s", path, strerror(why));
    *length = (uint64_t)info.st_size;
    return BRAMBLE_OK;
}

bramble_status blob_adopt(const char *file, const char *hash, char **path, bramble_error *error)
{
    char *folder = NULL;
    if (cache_folder_make(&folder, NULL) != BRAMBLE_OK) folder = NULL;
    char *name = folder && blob_hash_valid(hash) ? blob_path(folder, hash, BLOB_SUFFIX) : NULL;
    if (!name || rename(file, name) != 0) {
        mem_free(name);
        name = mem_strdup(file);
    }
    mem_free(folder);
    if (!name) return error_memory(error, "a file's name");
    *path = name;
    return BRAMBLE_OK;
}

/* The blob at `name` is what it should be; one that is not is removed. */
static bool check(const char *name, const char *hash, uint64_t length)
{
    struct stat info;
    char found[BLOB_HASH_LENGTH + 1];
    int fd = open(name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return false;
    bool good = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size == length &&
                blob_hash_fd(fd, length, found) && strcmp(found, hash) == 0;
    close(fd);
    if (good)
        utimensat(AT_FDCWD, name, NULL, 0); /* used just now */
    else
        unlink(name);
    return good;
}

bool blob_find(const char *hash, uint64_t length, char **path)
{
    char *folder = NULL;
    if (!blob_hash_valid(hash) || cache_folder_make(&folder, NULL) != BRAMBLE_OK) return false;
    char *name = blob_path(folder, hash, BLOB_SUFFIX);
    mem_free(folder);
    if (name && check(name, hash, length)) {
        *path = name;
        return true;
    }
    mem_free(name);
    return false;
}
