#include "base/cpu_quota.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PATH_ROOM = 2 * PATH_MAX };

/* The first number in a file, or, unless `second` is NULL, the first two; false: they are not there. */
static bool read_numbers(const char *root, const char *folder, const char *name, double *first,
                         double *second)
{
    char path[PATH_ROOM];
    if (snprintf(path, sizeof path, "%s/sys/fs/cgroup%s/%s", root, folder, name) >= (int)sizeof path)
        return false;
    FILE *file = fopen(path, "re");
    if (!file) return false;
    bool found = fscanf(file, "%lf", first) == 1 && (!second || fscanf(file, "%lf", second) == 1);
    fclose(file);
    return found;
}

/* What one group says, of version 2 or 1. */
static double folder_quota(const char *root, const char *folder, bool unified)
{
    double quota = 0, period = 0;
    bool there = unified ? read_numbers(root, folder, "cpu.max", &quota, &period)
                         : read_numbers(root, folder, "cpu.cfs_quota_us", &quota, NULL) &&
                               read_numbers(root, folder, "cpu.cfs_period_us", &period, NULL);
    return there && quota > 0 && period > 0 ? quota / period : INFINITY;
}

static double least_quota(const char *root, char *folder, const char *mount, bool unified)
{
    double least = INFINITY;
    for (;;) {
        char below[PATH_ROOM];
        snprintf(below, sizeof below, "%s%s", mount, folder);
        least = fmin(least, folder_quota(root, below, unified));
        char *slash = strrchr(folder, '/');
        if (!slash) return least;
        *slash = 0;
    }
}

/* Is "cpu" among the controllers, "cpu,cpuacct"? */
static bool names_cpu(const char *controllers, size_t length)
{
    for (const char *at = controllers, *end = at + length; at < end; at += strcspn(at, ",:") + 1)
        if (strcspn(at, ",:") == 3 && strncmp(at, "cpu", 3) == 0) return true;
    return false;
}

/* A line of /proc/self/cgroup: NUMBER:CONTROLLERS:FOLDER. */
static double line_quota(const char *root, const char *line)
{
    char folder[PATH_MAX], mount[PATH_MAX] = "";
    const char *controllers = strchr(line, ':');
    const char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path || strlen(path) >= sizeof folder) return INFINITY;
    size_t length = (size_t)(path - ++controllers);
    if (length && !names_cpu(controllers, length)) return INFINITY;
    if (length) snprintf(mount, sizeof mount, "/%.*s", (int)length, controllers);
    snprintf(folder, sizeof folder, "%.*s", (int)strcspn(path + 1, "\n"), path + 1);
    return least_quota(root, folder, mount, !length);
}

double cpu_quota(const char *root)
{
    char line[PATH_MAX];
    double least = INFINITY;
    snprintf(line, sizeof line, "%s/proc/self/cgroup", root);
    FILE *file = fopen(line, "re");
    while (file && fgets(line, sizeof line, file)) least = fmin(least, line_quota(root, line));
    if (file) fclose(file);
    return least;
}
