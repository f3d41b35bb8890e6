#include "base/paths.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static bool is_folder(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) return false;
    if (!S_ISDIR(info.st_mode)) errno = ENOTDIR;
    return S_ISDIR(info.st_mode);
}

static bool make(const char *path)
{
    return mkdir(path, 0700) == 0 || is_folder(path);
}

bool folders_make(const char *path)
{
    char *copy = mem_strdup(path);
    if (!copy) {
        errno = ENOMEM;
        return false;
    }
    bool made = true;
    for (char *slash = copy; made && *slash && (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        made = make(copy);
        *slash = '/';
    }
    made = made && make(copy);
    int why = errno;
    mem_free(copy);
    errno = why;
    return made;
}

void folder_remove(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    rmdir(path);
}

char *program_path(void)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    return length > 0 && length < (ssize_t)sizeof path ? mem_strndup(path, (size_t)length) : NULL;
}
