#include "cluster/node_checks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double CLOCK_SECONDS = 5;        /* an offset people should know of */
static const uint64_t MEMORY_MIN = 64u << 20; /* a worker without data takes some 20 MB */
static const uint64_t MEMORY_LOW = 256u << 20, DISK_LOW = 500u << 20;

static enum check_result look_at_bramble(const struct node_report *report, const struct node_report *ours,
                                         const struct node *node, char *text, size_t size)
{
    (void)node;
    if (strcmp(report->version, ours->version) == 0) {
        snprintf(text, size, "%s, %.150s", report->version, report->program);
        return CHECK_OK;
    }
    snprintf(text, size, "bramble %s there (%.80s), %s here; run: bramble cluster install --cluster FILE",
             report->version, report->program, ours->version);
    return CHECK_FAILED;
}

static enum check_result look_at_mpi(const struct node_report *report, const struct node_report *ours,
                                     const struct node *node, char *text, size_t size)
{
    if (strcmp(report->mpi, ours->mpi) != 0) {
        snprintf(text, size, "%.40s there, %.40s here; install the same release on both", report->mpi,
                 ours->mpi);
        return CHECK_FAILED;
    }
    if (!report->mpi_daemon) {
        snprintf(text, size, "Open MPI's programs are not there; on %.60s: sudo apt install openmpi-bin",
                 node->name);
        return CHECK_FAILED;
    }
    snprintf(text, size, "%s", report->mpi);
    return CHECK_OK;
}

static enum check_result look_at_memory(const struct node_report *report, const struct node_report *ours,
                                        const struct node *node, char *text, size_t size)
{
    double free = (double)report->memory_free_bytes * 1e-6;
    (void)ours;
    if (!report->memory_free_bytes) {
        snprintf(text, size, "it does not tell how much is free");
        return CHECK_OK;
    }
    if (report->memory_free_bytes < MEMORY_MIN) {
        snprintf(text, size, "only %.0f MB of memory are free; end other programs there", free);
        return CHECK_FAILED;
    }
    if (report->memory_free_bytes < MEMORY_LOW) {
        snprintf(text, size, "only %.0f MB of memory are free", free);
        return CHECK_WARNING;
    }
    if (node->memory_bytes > report->memory_bytes) {
        snprintf(text, size, "has %.0f MB of memory, less than memory = in the cluster file",
                 (double)report->memory_bytes * 1e-6);
        return CHECK_WARNING;
    }
    snprintf(text, size, "%.0f MB free", free);
    return CHECK_OK;
}

static enum check_result look_at_power(const struct node_report *report, const struct node_report *ours,
                                       const struct node *node, char *text, size_t size)
{
    (void)ours;
    (void)node;
    if (report->under_voltage) {
        snprintf(text, size,
                 "its power supply is too weak (under-voltage); use the official one and a short cable");
        return CHECK_WARNING;
    }
    if (report->throttled) {
        snprintf(text, size, "it slows down for heat or power; give it a fan or a better supply");
        return CHECK_WARNING;
    }
    if (isnan(report->temperature))
        snprintf(text, size, "no complaint");
    else
        snprintf(text, size, "no complaint, %.0f degrees", report->temperature);
    return CHECK_OK;
}

static enum check_result look_at_clock(const struct node_report *report, const struct node_report *ours,
                                       const struct node *node, char *text, size_t size)
{
    (void)ours;
    (void)node;
    if (fabs(report->clock_offset_seconds) > CLOCK_SECONDS) {
        snprintf(text, size, "its clock is %.0f s off; on it: sudo timedatectl set-ntp true",
                 report->clock_offset_seconds);
        return CHECK_WARNING;
    }
    snprintf(text, size, "within %.1f s of ours", fabs(report->clock_offset_seconds));
    return CHECK_OK;
}

static enum check_result look_at_disk(const struct node_report *report, const struct node_report *ours,
                                      const struct node *node, char *text, size_t size)
{
    (void)ours;
    (void)node;
    double free = (double)report->disk_free_bytes * 1e-6;
    bool low = report->disk_free_bytes < DISK_LOW;
    snprintf(text, size, low ? "only %.0f MB of disk are free for the data it keeps" : "%.0f MB free", free);
    return low ? CHECK_WARNING : CHECK_OK;
}

static enum check_result look_at_cores(const struct node_report *report, const struct node_report *ours,
                                       const struct node *node, char *text, size_t size)
{
    (void)ours;
    bool fewer = node->cores > report->cores;
    if (fewer)
        snprintf(text, size, "has %u cores, not the %u of the cluster file", report->cores, node->cores);
    else
        snprintf(text, size, "%u of %s", report->cores, report->arch);
    return fewer ? CHECK_WARNING : CHECK_OK;
}

const struct node_check node_checks[] = {
    {"bramble", look_at_bramble}, {"mpi", look_at_mpi},
    {"memory", look_at_memory},   {"power", look_at_power},
    {"clock", look_at_clock},     {"disk", look_at_disk},
    {"cores", look_at_cores},     {NULL, NULL},
};

bool node_report_judge(const struct node_report *report, const struct node_report *ours,
                       const struct node *node, char *problem, size_t size)
{
    char text[256];
    problem[0] = 0;
    for (const struct node_check *check = node_checks; check->name; check++) {
        enum check_result result = check->look(report, ours, node, text, sizeof text);
        if (result == CHECK_OK || (result == CHECK_WARNING && problem[0])) continue;
        snprintf(problem, size, "%s", text);
        if (result == CHECK_FAILED) return false;
    }
    return true;
}
