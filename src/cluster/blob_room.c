#include "cluster/blob_room.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { DISK_KEPT_FREE = 10 }; /* a tenth of the disk stays free if removing old blobs can do it */

static bool starts_as_hash(const char *name)
{
    return strspn(name, "0123456789abcdef") == BLOB_HASH_LENGTH;
}

static bool is_blob(const char *name)
{
    return starts_as_hash(name) && strcmp(name + BLOB_HASH_LENGTH, BLOB_SUFFIX) == 0;
}

static bool is_part(const char *name)
{
    return starts_as_hash(name) && strlen(name) == BLOB_HASH_LENGTH + sizeof BLOB_PART_SUFFIX - 1 &&
           name[BLOB_HASH_LENGTH] == '.';
}

/* Nobody who lives writes it any more. */
static void remove_abandoned(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) unlinkat(folder, name, 0);
    close(fd);
}

struct survey {
    uint64_t bytes; /* of all blobs */
    char oldest[BLOB_HASH_LENGTH + sizeof BLOB_SUFFIX];
    struct timespec used; /* the oldest, when last */
};

static void look_at(struct survey *survey, const char *name, const struct stat *info)
{
    bool older = info->st_mtim.tv_sec != survey->used.tv_sec ? info->st_mtim.tv_sec < survey->used.tv_sec
                                                             : info->st_mtim.tv_nsec < survey->used.tv_nsec;
    survey->bytes += (uint64_t)info->st_blocks * 512;
    if (*survey->oldest && !older) return;
    survey->used = info->st_mtim;
    memcpy(survey->oldest, name, sizeof survey->oldest);
}

static struct survey look_round(DIR *files)
{
    struct survey survey = {0};
    rewinddir(files);
    for (struct dirent *entry; (entry = readdir(files));) {
        struct stat info;
        if (is_part(entry->d_name)) remove_abandoned(dirfd(files), entry->d_name);
        if (!is_blob(entry->d_name) || fstatat(dirfd(files), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        look_at(&survey, entry->d_name, &info);
    }
    return survey;
}

void blob_make_room(const char *folder, uint64_t length)
{
    struct statvfs disk;
    DIR *files = opendir(folder);
    if (!files) return;
    struct survey survey = look_round(files);
    if (statvfs(folder, &disk) != 0) disk = (struct statvfs){0};
    uint64_t size = (uint64_t)disk.f_blocks * disk.f_frsize, wanted = length + size / DISK_KEPT_FREE;
    if ((uint64_t)disk.f_bavail * disk.f_frsize + survey.bytes < wanted) wanted = length;
    bool hope = (uint64_t)disk.f_bavail * disk.f_frsize + survey.bytes >= wanted;
    while (hope && *survey.oldest && statvfs(folder, &disk) == 0 &&
           (uint64_t)disk.f_bavail * disk.f_frsize < wanted) {
        if (unlinkat(dirfd(files), survey.oldest, 0) != 0) break;
        survey = look_round(files);
    }
    closedir(files);
}
