#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "cluster/engine_internal.h"

static struct roster_entry *entry_of(const struct reporter *from, uint32_t rank)
{
    if (rank < 1 || rank > from->generation->n_members) return NULL;
    return from->engine->roster.entries[from->generation->members[rank - 1]];
}

static enum member_state state_from(const char *word)
{
    if (strcmp(word, "working") == 0) return MEMBER_WORKING;
    if (strcmp(word, "receiving") == 0) return MEMBER_RECEIVING;
    if (strcmp(word, "loading") == 0) return MEMBER_LOADING;
    return strcmp(word, "out") == 0 ? MEMBER_OUT : MEMBER_STARTING;
}

static bool is_current(struct engine *engine, uint32_t job)
{
    pthread_mutex_lock(&engine->lock);
    bool current = engine->job && engine->job_number == job;
    pthread_mutex_unlock(&engine->lock);
    return current;
}

/* A generation on its way out was counted when it was let go. */
static void worker_reported(const struct reporter *from, const char *line)
{
    uint32_t job, rank, tasks;
    char state[16];
    double rate;
    struct roster_entry *entry;
    if (sscanf(line, "%" SCNu32 " %" SCNu32 " %15s %" SCNu32 " %lf", &job, &rank, state, &tasks, &rate) !=
            5 ||
        !(entry = entry_of(from, rank)) || from->generation->leaving || !is_current(from->engine, job))
        return;
    enum member_state was = entry->status.state;
    entry->status.state = state_from(state);
    entry->tasks_now = tasks;
    entry->status.tasks = entry->tasks_before + tasks;
    if (rate > 0) entry->status.rate = rate;
    if (was != MEMBER_WORKING && entry->status.state == MEMBER_WORKING)
        engine_tell(from->engine, "working", entry->node.name, NULL);
}

static void worker_lost(const struct reporter *from, uint32_t rank, double silent)
{
    struct engine *engine = from->engine;
    struct roster_entry *entry = entry_of(from, rank);
    char why[96];
    if (!entry || from->generation->leaving) return;
    snprintf(why, sizeof why, "silent for %.1f seconds", silent);
    engine_tell(engine, "lost", entry->node.name, "%s", why);
    roster_lose(&engine->roster, from->generation->members[rank - 1], clock_seconds(), why);
    generation_kill(from->generation);
}

/* The next generation is without it for a while. */
static void member_unfit(const struct reporter *from, uint32_t rank, const char *why)
{
    if (from->generation->leaving) return;
    roster_lose(&from->engine->roster, from->generation->members[rank - 1], clock_seconds(), why);
    generation_kill(from->generation);
}

static void progress_reported(const struct reporter *from, const char *line)
{
    struct engine *engine = from->engine;
    uint32_t job, done, n;
    if (sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32, &job, &done, &n) != 3) return;
    pthread_mutex_lock(&engine->lock);
    if (engine->job && job == engine->job_number && n == engine->n_tasks && done <= n &&
        done > engine->tasks_done) {
        if (engine->since_number != from->generation->number) {
            engine->since = clock_seconds();
            engine->since_done = done;
            engine->since_number = from->generation->number;
        }
        engine->tasks_done = done;
    }
    pthread_mutex_unlock(&engine->lock);
}

static void job_failed(const struct reporter *from, const char *line)
{
    struct engine *engine = from->engine;
    bramble_error error;
    uint32_t job, status, rank;
    int at = 0;
    if (sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32 " %n", &job, &status, &rank, &at) != 3) return;
    const struct roster_entry *entry = entry_of(from, rank);
    error_set(&error, status == BRAMBLE_ERR_MEMORY ? BRAMBLE_ERR_MEMORY : BRAMBLE_ERR_DATA, "%s%s%s",
              entry ? entry->node.name : "", entry ? ": " : "", line + at);
    if (error.status == BRAMBLE_ERR_MEMORY && is_current(engine, job))
        from->generation->refusal = error; /* others may do it, when they come */
    else
        engine_end_job(engine, job, &error);
}

static void worker_opened(struct generation *generation, uint32_t job, uint32_t rank)
{
    if (job != generation->prepared) return;
    for (size_t i = 0; i < generation->n_members; i++) generation->opened[i] |= !rank || rank == i + 1;
}

/* What one worker said or did, in words. */
static void node_reported(const struct reporter *from, const char *line)
{
    uint32_t rank;
    int at = 0;
    struct roster_entry *entry;
    if (sscanf(line, "unfit %" SCNu32 " %n", &rank, &at) == 1 && (entry = entry_of(from, rank))) {
        member_unfit(from, rank, line + at);
    } else if (sscanf(line, "have %" SCNu32, &rank) == 1 && (entry = entry_of(from, rank))) {
        engine_tell(from->engine, "data", entry->node.name, NULL);
    } else if (sscanf(line, "out %" SCNu32 " %n", &rank, &at) == 1 && (entry = entry_of(from, rank))) {
        snprintf(entry->status.problem, sizeof entry->status.problem, "%.255s", line + at);
        engine_tell(from->engine, "out", entry->node.name, "%s", line + at);
    } else if (sscanf(line, "note %" SCNu32 " %n", &rank, &at) == 1) {
        entry = entry_of(from, rank);
        engine_tell(from->engine, "note", entry ? entry->node.name : NULL, "%s", line + at);
    }
}

/* The reports before this one said what each node did: that is to be seen first. */
static void job_done(struct engine *engine, uint32_t number)
{
    engine_publish(engine);
    engine_end_job(engine, number, NULL);
}

void engine_take_report(void *context, char *line)
{
    const struct reporter *from = context;
    uint32_t number, rank;
    double seconds;
    if (strncmp(line, "progress ", 9) == 0)
        progress_reported(from, line + 9);
    else if (strncmp(line, "worker ", 7) == 0)
        worker_reported(from, line + 7);
    else if (sscanf(line, "lost %" SCNu32 " %lf", &number, &seconds) == 2)
        worker_lost(from, number, seconds);
    else if (sscanf(line, "opened %" SCNu32 " %" SCNu32, &number, &rank) == 2)
        worker_opened(from->generation, number, rank);
    else if (sscanf(line, "done %" SCNu32, &number) == 1)
        job_done(from->engine, number);
    else if (strncmp(line, "error ", 6) == 0)
        job_failed(from, line + 6);
    else if (sscanf(line, "divided %*u %" SCNu32, &number) == 1)
        engine_tell(from->engine, "divided", NULL, "the data are divided among %" PRIu32 " nodes", number);
    else
        node_reported(from, line);
}
