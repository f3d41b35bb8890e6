#include "base/machine_memory.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/small_file.h"

enum { TEXT_MAX = 1 << 16 };

static uint64_t kilobytes(const char *text, const char *key)
{
    const char *value = small_file_value(text, key, ':');
    unsigned long long n = value ? strtoull(value, NULL, 10) : 0;
    return n > UINT64_MAX / 1024 ? UINT64_MAX : n * 1024;
}

/* A byte count in a file of a cgroup; false when there is none ("max"). */
static bool cgroup_bytes(const char *root, const char *folder, const char *name, uint64_t *bytes)
{
    char path[PATH_MAX], text[64], *end;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) return false;
    if (!small_file_read(root, path, text, sizeof text)) return false;
    unsigned long long n = strtoull(text, &end, 10);
    *bytes = n;
    return end != text;
}

/* Bytes of a cgroup that are files' pages, which are given back when memory is wanted. */
static uint64_t cgroup_cache(const char *root, const char *folder)
{
    static const char *const keys[] = {"inactive_file", "active_file", "total_inactive_file",
                                       "total_active_file"};
    char path[PATH_MAX], text[TEXT_MAX];
    uint64_t own = 0, total = 0;
    if (snprintf(path, sizeof path, "%s/memory.stat", folder) >= (int)sizeof path) return 0;
    if (!small_file_read(root, path, text, sizeof text)) return 0;
    for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++)
        for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
            size_t length = strlen(keys[i]);
            if (strncmp(line, keys[i], length) != 0 || line[length] != ' ') continue;
            *(i < 2 ? &own : &total) += strtoull(line + length, NULL, 10);
        }
    return total > own ? total : own; /* version 1 counts those below apart */
}

/* A cgroup and those around it bound what a process may take. */
static void apply_limits(struct machine_memory *memory, const char *root, const char *base, const char *group,
                         const char *limit_name, const char *used_name)
{
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s%s", base, group) >= (int)sizeof folder) return;
    size_t base_length = strlen(base);
    for (;;) {
        uint64_t limit, used;
        if (cgroup_bytes(root, folder, limit_name, &limit) && limit < memory->total) {
            memory->total = limit;
            if (!cgroup_bytes(root, folder, used_name, &used)) used = 0;
            uint64_t cache = cgroup_cache(root, folder);
            used = used > cache ? used - cache : 0;
            uint64_t left = limit > used ? limit - used : 0;
            if (left < memory->available) memory->available = left;
        }
        char *slash = strrchr(folder, '/');
        if (!slash || slash < folder + base_length) return;
        *slash = 0;
    }
}

/* The process's memory cgroup, of either version: "0::/path" or "7:memory:/path". */
static void read_limits(struct machine_memory *memory, const char *root)
{
    char text[TEXT_MAX], group[PATH_MAX];
    if (!small_file_read(root, "/proc/self/cgroup", text, sizeof text)) return;
    for (char *line = text, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        const char *path = strstr(line, ":/");
        if (!path) continue;
        snprintf(group, sizeof group, "%s", strcmp(path + 1, "/") == 0 ? "" : path + 1);
        if (strncmp(line, "0::", 3) == 0)
            apply_limits(memory, root, "/sys/fs/cgroup", group, "memory.max", "memory.current");
        else if (strstr(line, ":memory:"))
            apply_limits(memory, root, "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes",
                         "memory.usage_in_bytes");
    }
}

void machine_memory_read(struct machine_memory *out, const char *root)
{
    char text[TEXT_MAX];
    *out = (struct machine_memory){0};
    if (!small_file_read(root, "/proc/meminfo", text, sizeof text)) return;
    out->total = kilobytes(text, "MemTotal");
    out->available = kilobytes(text, "MemAvailable");
    read_limits(out, root);
}

/* Bytes of data this process has, as `ulimit -d` counts them. */
static uint64_t data_bytes(void)
{
    char text[TEXT_MAX];
    return small_file_read("", "/proc/self/status", text, sizeof text) ? kilobytes(text, "VmData") : 0;
}

uint64_t process_memory_left(void)
{
    struct machine_memory memory;
    struct rlimit limit;
    machine_memory_read(&memory, "");
    uint64_t left = memory.total ? memory.available : UINT64_MAX;
    if (getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return left;
    uint64_t used = data_bytes(), allowed = limit.rlim_cur > used ? limit.rlim_cur - used : 0;
    return allowed < left ? allowed : left;
}
