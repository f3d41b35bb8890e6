/* Whether a node can take part in a run, and what its owner should see to. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cluster/probe.h"

static const double CLOCK_SECONDS = 5;        /* an offset people should know of */
static const uint64_t MEMORY_MIN = 64u << 20; /* a worker without data takes some 20 MB */
static const uint64_t MEMORY_LOW = 256u << 20, DISK_LOW = 500u << 20;

/* What keeps it out; false when there is something. */
static bool can_run(const struct node_report *report, const struct node_report *ours, const struct node *node,
                    char *problem, size_t size)
{
    uint64_t memory = report->memory_free_bytes;
    if (strcmp(report->version, ours->version) != 0)
        snprintf(problem, size,
                 "bramble %s there (%.80s), %s here; run: bramble cluster install --cluster FILE",
                 report->version, report->program, ours->version);
    else if (strcmp(report->mpi, ours->mpi) != 0)
        snprintf(problem, size, "%.40s there, %.40s here; install the same release on both", report->mpi,
                 ours->mpi);
    else if (!report->mpi_daemon)
        snprintf(problem, size, "Open MPI's programs are not there; on %s: sudo apt install openmpi-bin",
                 node->name);
    else if (memory && memory < MEMORY_MIN)
        snprintf(problem, size, "only %.0f MB of memory are free; end other programs there",
                 (double)memory * 1e-6);
    else
        return true;
    return false;
}

bool node_report_judge(const struct node_report *report, const struct node_report *ours,
                       const struct node *node, char *problem, size_t size)
{
    problem[0] = 0;
    if (!can_run(report, ours, node, problem, size)) return false;
    if (report->under_voltage)
        snprintf(problem, size,
                 "its power supply is too weak (under-voltage); use the official one, a short cable");
    else if (report->throttled)
        snprintf(problem, size, "it slows down for heat or power; give it a fan or a better supply");
    else if (fabs(report->clock_offset_seconds) > CLOCK_SECONDS)
        snprintf(problem, size, "its clock is %.0f s off; on it: sudo timedatectl set-ntp true",
                 report->clock_offset_seconds);
    else if (report->memory_free_bytes && report->memory_free_bytes < MEMORY_LOW)
        snprintf(problem, size, "only %.0f MB of memory are free", (double)report->memory_free_bytes * 1e-6);
    else if (report->disk_free_bytes < DISK_LOW)
        snprintf(problem, size, "only %.0f MB of disk are free, for data it keeps",
                 (double)report->disk_free_bytes * 1e-6);
    else if (node->cores > report->cores)
        snprintf(problem, size, "has %u cores, not the %u of the cluster file", report->cores, node->cores);
    return true;
}
