#include "base/team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/threads.h"

enum { MAX_THREADS = 1024 };

struct member {
    struct team *team;
    pthread_t handle;
    uint32_t number;
    double patience; /* seconds; see learn_patience */
};

struct team {
    pthread_mutex_t lock;
    pthread_cond_t begun;      /* a run has begun, or the team ends */
    pthread_cond_t finished;   /* nobody works any more */
    atomic_uint_fast64_t runs; /* begun so far */
    atomic_uint working;       /* members amid the run, besides the caller */
    atomic_bool open;          /* the run still takes members in */
    atomic_bool ends;
    double patience; /* of team_run's caller */

    /* The run; written while nobody works. */
    void (*task)(void *context, uint32_t thread, uint64_t i);
    void *context;
    uint64_t n_tasks;
    atomic_uint_fast64_t next;

    uint32_t n_members; /* started */
    struct member members[];
};

static void work(struct team *team, uint32_t number)
{
    uint64_t i;
    while ((i = atomic_fetch_add(&team->next, 1)) < team->n_tasks) team->task(team->context, number, i);
}

/* Seconds to look out for what is waited for before sleeping, after it took so long the last time. */
static double learn_patience(double patience, double waited)
{
    const double most = 100e-6;
    return waited < most ? most : patience / 2;
}

static bool looks_on(double begun, double patience)
{
    if (clock_seconds() - begun >= patience) return false;
    sched_yield();
    return true;
}

static bool run_begins(struct team *team, uint64_t seen)
{
    return team->ends || (team->runs != seen && team->open);
}

/* Waits until a run begins after the `seen` first ones; false when the team ends. */
static bool join_run(struct member *member, uint64_t *seen)
{
    struct team *team = member->team;
    double begun = clock_seconds();
    while (!run_begins(team, *seen) && looks_on(begun, member->patience)) {
    }
    pthread_mutex_lock(&team->lock);
    while (!run_begins(team, *seen)) pthread_cond_wait(&team->begun, &team->lock);
    *seen = team->runs;
    member->patience = learn_patience(member->patience, clock_seconds() - begun);
    bool joined = !team->ends;
    team->working += joined;
    pthread_mutex_unlock(&team->lock);
    return joined;
}

static void leave_run(struct team *team)
{
    pthread_mutex_lock(&team->lock);
    if (--team->working == 0 && !team->open) pthread_cond_signal(&team->finished);
    pthread_mutex_unlock(&team->lock);
}

static void *member_main(void *argument)
{
    struct member *member = argument;
    for (uint64_t seen = 0; join_run(member, &seen); leave_run(member->team))
        work(member->team, member->number);
    return NULL;
}

struct team *team_new(uint32_t threads)
{
    if (!threads) threads = threads_available();
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    struct team *team = mem_zalloc(1, sizeof *team + (threads - 1) * sizeof *team->members);
    if (!team) return NULL;
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->begun, NULL);
    pthread_cond_init(&team->finished, NULL);
    while (team->n_members + 1 < threads) {
        struct member *member = &team->members[team->n_members];
        *member = (struct member){.team = team, .number = team->n_members + 1};
        if (pthread_create(&member->handle, NULL, member_main, member) != 0) break;
        team->n_members++;
    }
    return team;
}

void team_free(struct team *team)
{
    if (!team) return;
    pthread_mutex_lock(&team->lock);
    team->ends = true;
    pthread_cond_broadcast(&team->begun);
    pthread_mutex_unlock(&team->lock);
    for (uint32_t i = 0; i < team->n_members; i++) pthread_join(team->members[i].handle, NULL);
    pthread_cond_destroy(&team->finished);
    pthread_cond_destroy(&team->begun);
    pthread_mutex_destroy(&team->lock);
    mem_free(team);
}

uint32_t team_size(const struct team *team)
{
    return team->n_members + 1;
}

static void begin_run(struct team *team, uint64_t n_tasks)
{
    pthread_mutex_lock(&team->lock);
    team->runs++;
    team->open = true;
    if (n_tasks - 1 >= team->n_members) {
        pthread_cond_broadcast(&team->begun);
    } else {
        for (uint64_t i = 1; i < n_tasks; i++) pthread_cond_signal(&team->begun);
    }
    pthread_mutex_unlock(&team->lock);
}

static void end_run(struct team *team)
{
    double begun = clock_seconds();
    pthread_mutex_lock(&team->lock);
    team->open = false;
    pthread_mutex_unlock(&team->lock);
    while (team->working && looks_on(begun, team->patience)) {
    }
    pthread_mutex_lock(&team->lock);
    while (team->working) pthread_cond_wait(&team->finished, &team->lock);
    pthread_mutex_unlock(&team->lock);
    team->patience = learn_patience(team->patience, clock_seconds() - begun);
}

void team_run(struct team *team, uint64_t n_tasks, void (*task)(void *context, uint32_t thread, uint64_t i),
              void *context)
{
    team->task = task;
    team->context = context;
    team->n_tasks = n_tasks;
    atomic_store(&team->next, 0);
    bool alone = n_tasks < 2 || team->n_members == 0;
    if (!alone) begin_run(team, n_tasks);
    work(team, 0);
    if (!alone) end_run(team);
}
