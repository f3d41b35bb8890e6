#include "cluster/node_hardware.h"

#include <glob.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

enum { TEXT_MAX = 1 << 16 };
/* Bits of the Raspberry Pi firmware's get_throttled: now, and the same 16 higher since it was switched on. */
enum { UNDER_VOLTAGE_BITS = 1 | 1 << 16, THROTTLED_BITS = 0xe | 0xe << 16 };

/* The beginning of a small file as text; false when it is not there or empty. */
static bool read_text(const char *root, const char *path, char *buffer, size_t size)
{
    char whole[PATH_MAX];
    if (snprintf(whole, sizeof whole, "%s%s", root, path) >= (int)sizeof whole) return false;
    FILE *file = fopen(whole, "re");
    if (!file) return false;
    size_t n = fread(buffer, 1, size - 1, file);
    fclose(file);
    buffer[n] = 0;
    return n > 0;
}

/* One printable line of at most `size` bytes, quotes and blanks around it taken off. */
static void copy_line(char *out, size_t size, const char *text)
{
    text += strspn(text, " \t\"");
    size_t length = strcspn(text, "\r\n\"");
    while (length && strchr(" \t", text[length - 1])) length--;
    if (length >= size) length = size - 1;
    for (size_t i = 0; i < length; i++) out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    out[length] = 0;
}

/* What follows `key` at the start of a line, up to and with `separator`; NULL when there is no such line. */
static const char *value_of(const char *text, const char *key, char separator)
{
    size_t length = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        if (strncmp(line, key, length) != 0) continue;
        const char *end = line + length;
        end += strspn(end, " \t");
        if (*end == separator) return end + 1;
    }
    return NULL;
}

static void read_system(struct node_report *report, const char *root)
{
    char text[TEXT_MAX];
    if (!read_text(root, "/etc/os-release", text, sizeof text)) return;
    const char *name = value_of(text, "PRETTY_NAME", '=');
    if (name) copy_line(report->system, sizeof report->system, name);
}

static void read_model(struct node_report *report, const char *root)
{
    char text[TEXT_MAX];
    if (read_text(root, "/proc/device-tree/model", text, sizeof text)) {
        copy_line(report->model, sizeof report->model, text);
        return;
    }
    if (!read_text(root, "/proc/cpuinfo", text, sizeof text)) return;
    const char *name = value_of(text, "model name", ':');
    if (!name) name = value_of(text, "Model", ':');
    if (name) copy_line(report->model, sizeof report->model, name);
}

static uint64_t kilobytes(const char *text, const char *key)
{
    const char *value = value_of(text, key, ':');
    unsigned long long n = value ? strtoull(value, NULL, 10) : 0;
    return n > UINT64_MAX / 1024 ? UINT64_MAX : n * 1024;
}

/* A byte count in a file of a cgroup; false when there is none ("max"). */
static bool cgroup_bytes(const char *root, const char *folder, const char *name, uint64_t *bytes)
{
    char path[PATH_MAX], text[64], *end;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) return false;
    if (!read_text(root, path, text, sizeof text)) return false;
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
    if (!read_text(root, path, text, sizeof text)) return 0;
    for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++)
        for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
            size_t length = strlen(keys[i]);
            if (strncmp(line, keys[i], length) != 0 || line[length] != ' ') continue;
            *(i < 2 ? &own : &total) += strtoull(line + length, NULL, 10);
        }
    return total > own ? total : own; /* version 1 counts those below apart */
}

/* A cgroup and those around it bound what a process may take. */
static void apply_limits(struct node_report *report, const char *root, const char *base, const char *group,
                         const char *limit_name, const char *used_name)
{
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s%s", base, group) >= (int)sizeof folder) return;
    size_t base_length = strlen(base);
    for (;;) {
        uint64_t limit, used;
        if (cgroup_bytes(root, folder, limit_name, &limit) && limit < report->memory_bytes) {
            report->memory_bytes = limit;
            if (!cgroup_bytes(root, folder, used_name, &used)) used = 0;
            uint64_t cache = cgroup_cache(root, folder);
            used = used > cache ? used - cache : 0;
            uint64_t left = limit > used ? limit - used : 0;
            if (left < report->memory_free_bytes) report->memory_free_bytes = left;
        }
        char *slash = strrchr(folder, '/');
        if (!slash || slash < folder + base_length) return;
        *slash = 0;
    }
}

/* The process's memory cgroup, of either version: "0::/path" or "7:memory:/path". */
static void read_limits(struct node_report *report, const char *root)
{
    char text[TEXT_MAX], group[PATH_MAX];
    if (!read_text(root, "/proc/self/cgroup", text, sizeof text)) return;
    for (char *line = text, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        const char *path = strstr(line, ":/");
        if (!path) continue;
        snprintf(group, sizeof group, "%s", strcmp(path + 1, "/") == 0 ? "" : path + 1);
        if (strncmp(line, "0::", 3) == 0)
            apply_limits(report, root, "/sys/fs/cgroup", group, "memory.max", "memory.current");
        else if (strstr(line, ":memory:"))
            apply_limits(report, root, "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes",
                         "memory.usage_in_bytes");
    }
}

static void read_memory(struct node_report *report, const char *root)
{
    char text[TEXT_MAX];
    if (!read_text(root, "/proc/meminfo", text, sizeof text)) return;
    report->memory_bytes = kilobytes(text, "MemTotal");
    report->memory_free_bytes = kilobytes(text, "MemAvailable");
    read_limits(report, root);
}

/* The firmware's own word where it gives one. */
static void read_power(struct node_report *report, const char *root)
{
    char text[64];
    if (!read_text(root, "/sys/devices/platform/soc/soc:firmware/get_throttled", text, sizeof text)) return;
    unsigned long bits = strtoul(text, NULL, 16);
    report->under_voltage = (bits & UNDER_VOLTAGE_BITS) != 0;
    report->throttled = (bits & THROTTLED_BITS) != 0;
}

/* Calls visit with every path, without root, that a pattern finds below root. */
static void each_path(const char *root, const char *pattern, void (*visit)(const char *path, void *context),
                      void *context)
{
    char whole[PATH_MAX];
    glob_t found;
    if (snprintf(whole, sizeof whole, "%s%s", root, pattern) >= (int)sizeof whole) return;
    if (glob(whole, 0, NULL, &found) != 0) return;
    for (size_t i = 0; i < found.gl_pathc; i++) visit(found.gl_pathv[i], context);
    globfree(&found);
}

/* The under-voltage alarm that newer kernels show as a sensor named rpi_volt. */
static void take_alarm(const char *path, void *context)
{
    struct node_report *report = context;
    char text[16], name[PATH_MAX], sensor[32];
    snprintf(name, sizeof name, "%.*s/name", (int)(strrchr(path, '/') - path), path);
    if (!read_text("", name, sensor, sizeof sensor) || strncmp(sensor, "rpi_volt", 8) != 0) return;
    if (read_text("", path, text, sizeof text) && text[0] == '1') report->under_voltage = true;
}

/* The warmest zone. */
static void take_temperature(const char *path, void *context)
{
    struct node_report *report = context;
    char text[32], *end;
    if (!read_text("", path, text, sizeof text)) return;
    double degrees = (double)strtol(text, &end, 10) / 1000;
    if (end == text || degrees < -50 || degrees > 200) return;
    if (isnan(report->temperature) || degrees > report->temperature) report->temperature = degrees;
}

void node_hardware_read(struct node_report *report, const char *root)
{
    struct utsname names;
    if (uname(&names) == 0) copy_line(report->arch, sizeof report->arch, names.machine);
    report->temperature = NAN;
    read_system(report, root);
    read_model(report, root);
    read_memory(report, root);
    read_power(report, root);
    each_path(root, "/sys/class/hwmon/hwmon*/in0_lcrit_alarm", take_alarm, report);
    each_path(root, "/sys/class/thermal/thermal_zone*/temp", take_temperature, report);
}
