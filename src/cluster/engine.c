#include "cluster/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "cluster/engine_internal.h"

#define TICK_NS 10000000
#define STATUS_SECONDS 0.25
#define JOINS_SECONDS 0.2

enum { JOIN_MOST = 512 };

const char *member_state_name(enum member_state state)
{
    static const char *const names[] = {"away", "starting", "loading", "receiving", "working", "left out"};
    return names[state];
}

void engine_tell(struct engine *engine, const char *event, const char *node, const char *format, ...)
{
    char text[512] = "";
    va_list args;
    va_start(args, format);
    if (format) vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (engine->options.event) engine->options.event(engine->options.event_context, event, node, text);
}

void engine_note(struct engine *engine, const char *text)
{
    engine_tell(engine, "note", NULL, "%s", text);
}

static void roster_event(void *context, const char *event, const char *node, const char *text)
{
    engine_tell(context, event, node, "%s", text);
}

void engine_end_job(struct engine *engine, uint32_t number, const bramble_error *error)
{
    pthread_mutex_lock(&engine->lock);
    if (engine->job && !engine->job_over && (!number || number == engine->job_number)) {
        engine->job_over = true;
        engine->failure = error ? *error : (bramble_error){0};
        pthread_cond_broadcast(&engine->changed);
    }
    pthread_mutex_unlock(&engine->lock);
}

uint32_t engine_tasks_done(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    uint32_t done = engine->tasks_done;
    pthread_mutex_unlock(&engine->lock);
    return done;
}

/* Nobody of an earlier generation holds the journal any more. */
static bool alone(const struct engine *engine)
{
    for (size_t i = 0; i < LEAVING_MOST; i++)
        if (engine->leaving[i] && engine->leaving[i]->heard && !engine->leaving[i]->reports.ended)
            return false;
    return true;
}

/* A generation that shall follow gets ready for the job while the one before is at it. */
static void prepare_job(struct engine *engine, struct generation *next)
{
    if (!next || !next->ready || engine->job_over || next->prepared == (engine->job ? engine->job_number : 0))
        return;
    next->prepared = engine->job ? engine->job_number : 0;
    memset(next->opened, 0, sizeof next->opened);
    generation_order(next, engine->job ? "prepare" : "drop", engine->job ? engine->job : "");
}

static void give_job(struct engine *engine)
{
    struct generation *g = engine->now;
    pthread_mutex_lock(&engine->lock);
    prepare_job(engine, engine->next);
    if (engine->job_new) {
        for (size_t i = 0; i < engine->roster.n; i++) {
            struct roster_entry *entry = engine->roster.entries[i];
            entry->tasks_before = entry->tasks_now = entry->status.tasks = 0;
            if (entry->status.state == MEMBER_OUT) *entry->status.problem = 0;
        }
        if (g) g->given_job = false;
        engine->job_new = false;
    }
    if (g && g->ready && engine->job && !engine->job_over && !g->given_job && alone(engine)) {
        generation_order(g, "job", engine->job);
        g->given_job = true;
        g->refusal = (bramble_error){0};
    }
    if (g && (g->given_job || g->prepared) && !engine->job) {
        generation_order(g, "drop", "");
        g->given_job = false;
        g->prepared = 0;
    }
    pthread_mutex_unlock(&engine->lock);
}

/* Is there a node that may yet come, beside those of g? */
static bool others_may_come(const struct engine *engine, const struct generation *g)
{
    for (size_t i = 0; i < engine->roster.n; i++) {
        const struct roster_entry *entry = engine->roster.entries[i];
        bool member = false;
        for (size_t m = 0; g && m < g->n_members; m++) member |= g->members[m] == i;
        if (member) continue;
        if (entry->present || (!entry->gone && (entry->status.tasks || entry->failures < 2))) return true;
    }
    return false;
}

/* No node can be reached, or those that are have no memory for the job, and none is being looked for: it
 * cannot be done. */
static void check_hope(struct engine *engine, double now)
{
    struct generation *g = engine->now;
    if (g && g->given_job && g->refusal.status && !others_may_come(engine, g))
        engine_end_job(engine, 0, &g->refusal);
    if (engine->now || engine->next || roster_present(&engine->roster) ||
        !roster_gathered(&engine->roster, now))
        return;
    if (others_may_come(engine, NULL)) return;
    bramble_error error;
    const struct roster_entry *first = engine->roster.n ? engine->roster.entries[0] : NULL;
    error_set(&error, BRAMBLE_ERR_IO, "none of the %zu nodes can be used; %s: %s", engine->roster.n,
              first ? first->node.name : "the cluster", first ? first->status.problem : "it lists none");
    engine_end_job(engine, 0, &error);
}

void engine_publish(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->generation = engine->n_generations;
    if (engine->n_snapshot < engine->roster.n) {
        struct member_status *bigger =
            mem_resize(engine->snapshot, engine->roster.n, sizeof *engine->snapshot);
        if (bigger) engine->snapshot = bigger;
        if (bigger) engine->n_snapshot = engine->roster.n;
    }
    for (size_t i = 0; i < engine->n_snapshot; i++) engine->snapshot[i] = engine->roster.entries[i]->status;
    pthread_mutex_unlock(&engine->lock);
}

/* One line of the joins file, from where the last one ended; false: there is none yet. Too long a line is
 * passed over. */
static bool next_join(struct engine *engine, FILE *file, char host[JOIN_MOST])
{
    bool whole = true;
    for (;;) {
        if (!fgets(host, JOIN_MOST, file)) return false;
        size_t length = strcspn(host, "\n");
        bool ended = host[length] == '\n';
        host[length] = 0;
        whole &= ended;
        if (!ended && length < JOIN_MOST - 1) return false; /* still being written */
        if (!ended) continue;
        engine->joins_read = ftello(file);
        if (!whole) *host = 0;
        return true;
    }
}

static void read_joins(struct engine *engine, double now)
{
    char host[JOIN_MOST];
    bramble_error error;
    if (!engine->options.joins || now - engine->joins_read_at < JOINS_SECONDS) return;
    engine->joins_read_at = now;
    FILE *file = fopen(engine->options.joins, "re");
    if (!file) return;
    fseeko(file, engine->joins_read, SEEK_SET);
    while (next_join(engine, file, host)) {
        if (!*host) continue;
        if (roster_add(&engine->roster, host, &error))
            engine_tell(engine, "note", NULL, "%s", error.message);
        else
            engine_tell(engine, "added", host, NULL);
    }
    fclose(file);
}

static bool told_to_stop(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool stop = engine->stop;
    pthread_mutex_unlock(&engine->lock);
    return stop;
}

static void *supervise(void *context)
{
    struct engine *engine = context;
    while (!told_to_stop(engine)) {
        double now = clock_seconds();
        read_joins(engine, now);
        roster_poll(&engine->roster, now, roster_event, engine);
        engine_tend_generations(engine, now);
        give_job(engine);
        check_hope(engine, now);
        engine_publish(engine);
        nanosleep(&(struct timespec){0, TICK_NS}, NULL);
    }
    engine_send_home(engine);
    return NULL;
}

static bramble_status make_folder(struct engine *engine, bramble_error *error)
{
    snprintf(engine->folder, sizeof engine->folder, "/tmp/bramble-XXXXXX");
    if (!mkdtemp(engine->folder))
        return error_set(error, BRAMBLE_ERR_IO, "no folder can be made in /tmp; free some space there");
    snprintf(engine->token, sizeof engine->token, "%s-%d", engine->folder + sizeof "/tmp/bramble-" - 1,
             (int)getpid());
    return BRAMBLE_OK;
}

static void engine_free(struct engine *engine)
{
    roster_fini(&engine->roster);
    if (*engine->folder) rmdir(engine->folder);
    pthread_mutex_destroy(&engine->lock);
    pthread_cond_destroy(&engine->changed);
    mem_free(engine->snapshot);
    mem_free(engine);
}

bramble_status engine_start(struct engine **out, const struct cluster *cluster,
                            const struct engine_options *options, bramble_error *error)
{
    struct engine *engine = mem_zalloc(1, sizeof *engine);
    if (!engine) return error_memory(error, "the cluster's supervisor");
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&engine->lock, NULL);
    pthread_cond_init(&engine->changed, &monotonic);
    engine->cluster = cluster;
    engine->options = *options;
    bramble_status status = make_folder(engine, error);
    if (!status) status = roster_init(&engine->roster, cluster, engine->token, error);
    if (!status && pthread_create(&engine->thread, NULL, supervise, engine) != 0)
        status = error_set(error, BRAMBLE_ERR_MEMORY, "no thread can be started");
    if (status)
        engine_free(engine);
    else
        *out = engine;
    return status;
}

/* Under the lock, which it gives up while the caller looks at the status. */
static bool show_status(struct engine *engine,
                        bool (*show)(void *context, const struct engine_status *status), void *context)
{
    size_t n = engine->n_snapshot;
    struct member_status *members = mem_alloc(n, sizeof *members);
    if (members && n) memcpy(members, engine->snapshot, n * sizeof *members);
    struct engine_status status = {engine->tasks_done, engine->n_tasks, engine->generation, members ? n : 0,
                                   members};
    pthread_mutex_unlock(&engine->lock);
    bool go_on = show(context, &status);
    mem_free(members);
    pthread_mutex_lock(&engine->lock);
    return go_on;
}

static void wait_a_little(struct engine *engine)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(STATUS_SECONDS * 1e9);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&engine->changed, &engine->lock, &until);
}

bramble_status engine_run(struct engine *engine, const struct job *job,
                          bool (*show)(void *context, const struct engine_status *status), void *context,
                          bramble_error *error)
{
    struct job numbered = *job;
    numbered.number = engine->job_number + 1; /* which only this thread changes */
    char *text = job_to_json(&numbered);
    if (!text)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: a name here is not UTF-8, or memory is short; rename it", job->journal);
    bool go_on = true;
    pthread_mutex_lock(&engine->lock);
    engine->job = text;
    engine->job_number = numbered.number;
    engine->job_new = true;
    engine->job_over = false;
    engine->tasks_done = 0;
    engine->n_tasks = job->n_tasks;
    engine->chained = job->chained;
    engine->since = clock_seconds();
    engine->since_done = engine->since_number = 0;
    while (!engine->job_over && go_on) {
        wait_a_little(engine);
        if (show) go_on = show_status(engine, show, context);
    }
    bramble_error failure = engine->job_over ? engine->failure : (bramble_error){0};
    engine->job = NULL;
    pthread_mutex_unlock(&engine->lock);
    mem_free(text);
    if (!go_on && !failure.status) return error_set(error, BRAMBLE_ERR_CANCELLED, "training was stopped");
    if (failure.status && error) *error = failure;
    return failure.status;
}

uint32_t engine_threads(struct engine *engine)
{
    uint32_t n = 0;
    pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; i < engine->n_snapshot; i++)
        if (engine->snapshot[i].tasks) n += engine->snapshot[i].threads;
    pthread_mutex_unlock(&engine->lock);
    return n;
}

void engine_stop(struct engine *engine)
{
    if (!engine) return;
    pthread_mutex_lock(&engine->lock);
    engine->stop = true;
    pthread_mutex_unlock(&engine->lock);
    pthread_join(engine->thread, NULL);
    engine_free(engine);
}
