#include "base/threads.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/cpu_quota.h"

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

uint32_t threads_available(void)
{
    cpu_set_t set;
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* for more processors than a cpu_set_t holds */
    uint32_t n = sched_getaffinity(0, sizeof set, &set) == 0 ? (uint32_t)CPU_COUNT(&set)
                 : online > 0                                ? (uint32_t)online
                                                             : 1;
    double quota = round(cpu_quota(""));
    if (quota < n) n = (uint32_t)quota;
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
