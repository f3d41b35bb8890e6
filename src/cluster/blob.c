#include "cluster/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/mem.h"

#define SUFFIX ".data"

enum { DISK_KEPT_FREE = 10 }; /* a tenth of the disk stays free if removing old blobs can do it */

struct blob_intake {
    char hash[BLOB_HASH_LENGTH + 1];
    char *folder, *temporary; /* temporary NULL: in memory */
    int fd;
    uint64_t length, missing;
};

static char *text(const char *format, const char *a, const char *b, const char *c)
{
    struct str s = {0};
    str_printf(&s, format, a, b, c);
    return str_take(&s);
}

/* Every folder of the path that is not there, for this user alone. */
static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        bool failed = mkdir(path, 0700) != 0 && errno != EEXIST;
        *slash = '/';
        if (failed) return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

bramble_status blob_folder(char **path, bramble_error *error)
{
    const char *own = getenv("BRAMBLE_CACHE"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *folder = own && *own       ? mem_strdup(own)
                   : cache && *cache ? text("%s%s%s", cache, "/bramble", "")
                                     : text("%s%s%s", home ? home : "", "/.cache", "/bramble");
    if (!folder) return error_memory(error, "the cache folder's name");
    if (folder[0] != '/' || !make_folders(folder)) {
        bramble_status status = error_set(
            error, BRAMBLE_ERR_IO, "cache folder %s cannot be made (%s); set BRAMBLE_CACHE to one that can",
            folder, folder[0] == '/' ? strerror(errno) : "not a full path");
        mem_free(folder);
        return status;
    }
    *path = folder;
    return BRAMBLE_OK;
}

static bool hash_fd(int fd, uint64_t length, char hash[BLOB_HASH_LENGTH + 1])
{
    void *map = length ? mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0) : NULL;
    if (map == MAP_FAILED) return false;
    if (map) madvise(map, length, MADV_SEQUENTIAL);
    XXH128_hash_t sum = XXH3_128bits(map ? map : "", length);
    if (map) munmap(map, length);
    snprintf(hash, BLOB_HASH_LENGTH + 1, "%016llx%016llx", (unsigned long long)sum.high64,
             (unsigned long long)sum.low64);
    return true;
}

bramble_status blob_hash_file(const char *path, char hash[BLOB_HASH_LENGTH + 1], uint64_t *length,
                              bramble_error *error)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                hash_fd(fd, (uint64_t)info.st_size, hash);
    int why = errno;
    if (fd >= 0) close(fd);
    if (!good) return error_set(error, BRAMBLE_ERR_IO, "%s: cannot be read: %s", path, strerror(why));
    *length = (uint64_t)info.st_size;
    return BRAMBLE_OK;
}

static bool is_blob(const char *name)
{
    return strspn(name, "0123456789abcdef") == BLOB_HASH_LENGTH &&
           strcmp(name + BLOB_HASH_LENGTH, SUFFIX) == 0;
}

/* Removes the blob used longest ago; false: there is none. */
static bool remove_oldest(const char *folder)
{
    char oldest[BLOB_HASH_LENGTH + sizeof SUFFIX] = "";
    struct timespec when = {0};
    DIR *files = opendir(folder);
    if (!files) return false;
    for (struct dirent *entry; (entry = readdir(files));) {
        struct stat info;
        if (!is_blob(entry->d_name) || fstatat(dirfd(files), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        bool older = info.st_mtim.tv_sec != when.tv_sec ? info.st_mtim.tv_sec < when.tv_sec
                                                        : info.st_mtim.tv_nsec < when.tv_nsec;
        if (*oldest && !older) continue;
        when = info.st_mtim;
        memcpy(oldest, entry->d_name, sizeof oldest);
    }
    bool removed = *oldest && unlinkat(dirfd(files), oldest, 0) == 0;
    closedir(files);
    return removed;
}

static void make_room(const char *folder, uint64_t length)
{
    struct statvfs disk;
    while (statvfs(folder, &disk) == 0 &&
           (uint64_t)disk.f_bavail * disk.f_frsize <
               length + (uint64_t)disk.f_blocks * disk.f_frsize / DISK_KEPT_FREE)
        if (!remove_oldest(folder)) return;
}

bramble_status blob_adopt(const char *file, const char *hash, char **path, bramble_error *error)
{
    char *folder = NULL;
    if (blob_folder(&folder, NULL) != BRAMBLE_OK) folder = NULL;
    char *name = folder ? text("%s/%s%s", folder, hash, SUFFIX) : NULL;
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
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool good = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size == length &&
                hash_fd(fd, length, found) && strcmp(found, hash) == 0;
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
    if (blob_folder(&folder, NULL) != BRAMBLE_OK) return false;
    char *name = text("%s/%s%s", folder, hash, SUFFIX);
    mem_free(folder);
    if (name && check(name, hash, length)) {
        *path = name;
        return true;
    }
    mem_free(name);
    return false;
}

static bool open_in_memory(struct blob_intake *intake)
{
    intake->fd = memfd_create("bramble-data", MFD_CLOEXEC);
    return intake->fd >= 0 && ftruncate(intake->fd, (off_t)intake->length) == 0;
}

/* posix_fallocate, so that a disk that is too small says so now and not with a SIGBUS later. */
static bool open_on_disk(struct blob_intake *intake)
{
    char number[24];
    if (blob_folder(&intake->folder, NULL) != BRAMBLE_OK) return false;
    make_room(intake->folder, intake->length);
    snprintf(number, sizeof number, ".%d", (int)getpid());
    intake->temporary = text("%s/%s%s", intake->folder, intake->hash, number);
    if (!intake->temporary) return false;
    intake->fd = open(intake->temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (intake->fd >= 0 && posix_fallocate(intake->fd, 0, (off_t)intake->length) == 0) return true;
    if (intake->fd >= 0) {
        close(intake->fd);
        unlink(intake->temporary);
    }
    mem_free(intake->temporary);
    intake->temporary = NULL;
    return false;
}

bramble_status blob_intake_new(struct blob_intake **out, const char *hash, uint64_t length,
                               bramble_error *error)
{
    if (strspn(hash, "0123456789abcdef") != BLOB_HASH_LENGTH || hash[BLOB_HASH_LENGTH] || length == 0 ||
        length > INT64_MAX)
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

bramble_status blob_intake_write(struct blob_intake *intake, uint64_t offset, const void *bytes,
                                 size_t length, bramble_error *error)
{
    if (offset > intake->length || length > intake->length - offset || length > intake->missing)
        return error_set(error, BRAMBLE_ERR_DATA, "data came in that lie outside their file");
    for (size_t done = 0; done < length;) {
        ssize_t n = pwrite(intake->fd, (const char *)bytes + done, length - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return error_set(error, BRAMBLE_ERR_IO, "data could not be written: %s", strerror(errno));
        done += (size_t)n;
    }
    intake->missing -= length;
    return BRAMBLE_OK;
}

uint64_t blob_intake_missing(const struct blob_intake *intake)
{
    return intake->missing;
}

bramble_status blob_intake_finish(struct blob_intake *intake, char **path, bool *kept, bramble_error *error)
{
    char found[BLOB_HASH_LENGTH + 1], number[16];
    if (intake->missing || !hash_fd(intake->fd, intake->length, found) || strcmp(found, intake->hash) != 0)
        return error_set(error, BRAMBLE_ERR_DATA, "data came in damaged");
    char *name = NULL;
    *kept = intake->temporary;
    if (intake->temporary) {
        name = text("%s/%s%s", intake->folder, intake->hash, SUFFIX);
        if (!name || rename(intake->temporary, name) != 0) {
            mem_free(name);
            return error_set(error, BRAMBLE_ERR_IO, "data could not be kept: %s", strerror(errno));
        }
        close(intake->fd);
        mem_free(intake->temporary);
        intake->temporary = NULL;
    } else { /* the descriptor stays open for good: it is what holds the memory */
        snprintf(number, sizeof number, "%d", intake->fd);
        name = text("/proc/self/fd/%s%s%s", number, "", "");
        if (!name) return error_memory(error, "a file's name");
    }
    intake->fd = -1;
    *path = name;
    return BRAMBLE_OK;
}

void blob_intake_free(struct blob_intake *intake)
{
    if (!intake) return;
    if (intake->fd >= 0) close(intake->fd);
    if (intake->temporary) unlink(intake->temporary);
    mem_free(intake->temporary);
    mem_free(intake->folder);
    mem_free(intake);
}
