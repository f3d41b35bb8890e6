#include "cluster/node_hardware.h"

#include <glob.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/machine_memory.h"
#include "base/small_file.h"

enum { TEXT_MAX = 1 << 16 };
/* Bits of the Raspberry Pi firmware's get_throttled: now, and the same 16 higher since it was switched on. */
enum { UNDER_VOLTAGE_BITS = 1 | 1 << 16, THROTTLED_BITS = 0xe | 0xe << 16 };

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

static void read_system(struct node_report *report, const char *root)
{
    char text[TEXT_MAX];
    if (!small_file_read(root, "/etc/os-release", text, sizeof text)) return;
    const char *name = small_file_value(text, "PRETTY_NAME", '=');
    if (name) copy_line(report->system, sizeof report->system, name);
}

static void read_model(struct node_report *report, const char *root)
{
    char text[TEXT_MAX];
    if (small_file_read(root, "/proc/device-tree/model", text, sizeof text)) {
        copy_line(report->model, sizeof report->model, text);
        return;
    }
    if (!small_file_read(root, "/proc/cpuinfo", text, sizeof text)) return;
    const char *name = small_file_value(text, "model name", ':');
    if (!name) name = small_file_value(text, "Model", ':');
    if (name) copy_line(report->model, sizeof report->model, name);
}

static void read_memory(struct node_report *report, const char *root)
{
    struct machine_memory memory;
    machine_memory_read(&memory, root);
    report->memory_bytes = memory.total;
    report->memory_free_bytes = memory.available;
}

/* The firmware's own word where it gives one. */
static void read_power(struct node_report *report, const char *root)
{
    char text[64];
    if (!small_file_read(root, "/sys/devices/platform/soc/soc:firmware/get_throttled", text, sizeof text))
        return;
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
    if (!small_file_read("", name, sensor, sizeof sensor) || strncmp(sensor, "rpi_volt", 8) != 0) return;
    if (small_file_read("", path, text, sizeof text) && text[0] == '1') report->under_voltage = true;
}

/* The warmest zone. */
static void take_temperature(const char *path, void *context)
{
    struct node_report *report = context;
    char text[32], *end;
    if (!small_file_read("", path, text, sizeof text)) return;
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
