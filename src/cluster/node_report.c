#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "base/cpu.h"
#include "base/cpu_quota.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/rng.h"
#include "base/threads.h"
#include "cluster/node_hardware.h"

/* Free bytes of the disk that the cache is on, or will be: of the nearest folder that is there. */
static uint64_t cache_disk_free(void)
{
    char *folder = cache_folder_name();
    struct statvfs disk = {0};
    while (folder && statvfs(*folder ? folder : "/", &disk) != 0 && *folder) {
        char *slash = strrchr(folder, '/');
        *(slash ? slash : folder) = 0;
    }
    mem_free(folder);
    return (uint64_t)disk.f_bavail * disk.f_frsize;
}

/* By the processor's clock, so that what else runs meanwhile does not count. */
static double core_rate(void)
{
    enum { NUMBERS = 1 << 18 };
    struct rng random;
    struct timespec start, end;
    uint32_t sum = 0;
    rng_init(&random, 1, RNG_HOLDOUT, 0, 0);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    for (uint32_t i = 0; i < NUMBERS; i++) sum += rng_u32(&random);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) * 1e-9;
    return sum && seconds > 0 ? NUMBERS / seconds * 1e-6 : NAN;
}

bool program_on_path(const char *program)
{
    const char *path = getenv("PATH");
    while (path && *path) {
        char file[PATH_MAX];
        size_t length = strcspn(path, ":");
        int n = snprintf(file, sizeof file, "%.*s/%s", (int)length, path, program);
        if (n < (int)sizeof file && access(file, X_OK) == 0) return true;
        path += length + (path[length] == ':');
    }
    return false;
}

bramble_status node_report_self(struct node_report *report, bramble_error *error)
{
    struct node_report own = {.program = program_path()};
    struct timespec now;
    if (!own.program) return error_memory(error, "a node's report");
    node_hardware_read(&own, "");
    mpi_release(own.mpi, sizeof own.mpi);
    snprintf(own.version, sizeof own.version, "%s", BRAMBLE_VERSION);
    snprintf(own.kernels, sizeof own.kernels, "%s", cpu_level_name(cpu_level_detect()));
    own.mpi_daemon = program_on_path("orted");
    own.cores = threads_available();
    own.disk_free_bytes = cache_disk_free();
    own.core_rate = core_rate();
    own.core_limit = cpu_quota("");
    own.tree_rate = own.gemm_gflops = own.bandwidth_mbs = own.latency_ms = NAN;
    clock_gettime(CLOCK_REALTIME, &now);
    own.clock_seconds = (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
    *report = own;
    return BRAMBLE_OK;
}

void node_report_fini(struct node_report *report)
{
    mem_free(report->program);
    report->program = NULL;
}
