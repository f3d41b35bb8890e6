#include "base/threads.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_THREADS = 1024 };

struct crew {
    atomic_uint_fast64_t next;
    uint64_t n_tasks;
    void (*task)(void *context, uint32_t thread, uint64_t i);
    void *context;
};

struct member {
    struct crew *crew;
    uint32_t number;
};

/* Processors the cpu.max of one cgroup folder allows; 0 when it sets no quota. */
static uint32_t folder_quota(const char *folder)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", folder);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    double quota, period;
    int fields = fscanf(file, "%lf %lf", &quota, &period);
    fclose(file);
    if (fields != 2 || period <= 0 || quota <= 0) return 0;
    double cpus = quota / period;
    return cpus < 1 ? 1 : cpus > MAX_THREADS ? MAX_THREADS : (uint32_t)(cpus + 0.5);
}

/* The least that this process's cgroup (v2) and those around it allow; 0: no quota. */
static uint32_t cgroup_quota(void)
{
    char folder[PATH_MAX] = "";
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (file) {
        char line[PATH_MAX];
        while (fgets(line, sizeof line, file))
            if (strncmp(line, "0::/", 4) == 0)
                snprintf(folder, sizeof folder, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
        fclose(file);
    }
    uint32_t least = 0;
    for (;;) {
        uint32_t quota = folder_quota(folder);
        if (quota && (!least || quota < least)) least = quota;
        char *slash = strrchr(folder, '/');
        if (!slash) return least;
        *slash = 0;
    }
}

uint32_t threads_available(void)
{
    cpu_set_t set;
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* for more processors than a cpu_set_t holds */
    uint32_t n = sched_getaffinity(0, sizeof set, &set) == 0 ? (uint32_t)CPU_COUNT(&set)
                 : online > 0                                ? (uint32_t)online
                                                             : 1;
    uint32_t quota = cgroup_quota();
    if (quota && quota < n) n = quota;
    return n ? n : 1;
}

static void *work(void *argument)
{
    struct member *member = argument;
    struct crew *crew = member->crew;
    uint64_t i;
    while ((i = atomic_fetch_add(&crew->next, 1)) < crew->n_tasks)
        crew->task(crew->context, member->number, i);
    return NULL;
}

void threads_run(uint32_t threads, uint64_t n_tasks, void (*task)(void *context, uint32_t thread, uint64_t i),
                 void *context)
{
    if (!threads) threads = threads_available();
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    if (threads > n_tasks) threads = n_tasks ? (uint32_t)n_tasks : 1;

    struct crew crew = {.n_tasks = n_tasks, .task = task, .context = context};
    struct member members[MAX_THREADS];
    pthread_t handles[MAX_THREADS];
    uint32_t started = 0;
    for (uint32_t t = 1; t < threads; t++) {
        members[started] = (struct member){&crew, started + 1};
        if (pthread_create(&handles[started], NULL, work, &members[started]) != 0) break;
        started++;
    }
    work(&(struct member){&crew, 0});
    for (uint32_t t = 0; t < started; t++) pthread_join(handles[t], NULL);
}
