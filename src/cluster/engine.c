#include "cluster/engine.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "cluster/generation.h"
#include "cluster/roster.h"

#define TICK_NS 10000000
#define STATUS_SECONDS 0.25
#define JOINS_SECONDS 0.5
#define LAUNCH_PATIENCE 45.0 /* for the first; later ones get a multiple of the longest so far */
#define LAUNCH_PATIENCE_TIMES 8
#define LEAVE_SECONDS 1.5    /* to go home when asked to */
#define INQUEST_SECONDS 5.0  /* mpiexec takes about three to say which rank was killed */
#define SETTLED_SECONDS 20.0 /* a generation that held so long clears its members' records */

enum { LAUNCHES_IN_VAIN = 4, CRASHES_ALLOWED = 2, LEAVING_MOST = 8 };

struct engine {
    struct engine_options options;
    const struct cluster *cluster;
    char folder[64], token[40];
    struct roster roster;
    struct generation *now, *next;            /* at work; to follow it */
    struct generation *leaving[LEAVING_MOST]; /* on their way out */
    double longest_launch;
    uint32_t n_generations, in_vain; /* launches since the last that got ready */
    double joins_read_at;
    off_t joins_read;

    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    char *job; /* its JSON; NULL: none */
    bool stop, job_over, job_new;
    uint32_t tasks_done, n_tasks, n_jobs;
    bramble_error failure;          /* of the job */
    struct member_status *snapshot; /* n_snapshot */
    size_t n_snapshot;
};

const char *member_state_name(enum member_state state)
{
    static const char *const names[] = {"away", "starting", "loading", "receiving", "working", "left out"};
    return names[state];
}

static void tell(struct engine *engine, const char *event, const char *node, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void tell(struct engine *engine, const char *event, const char *node, const char *format, ...)
{
    char text[512] = "";
    va_list args;
    va_start(args, format);
    if (format) vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (engine->options.event) engine->options.event(engine->options.event_context, event, node, text);
}

static void roster_event(void *context, const char *event, const char *node, const char *text)
{
    tell(context, event, node, "%s", text);
}

static void end_job(struct engine *engine, const bramble_error *error)
{
    pthread_mutex_lock(&engine->lock);
    if (engine->job && !engine->job_over) {
        engine->job_over = true;
        engine->failure = error ? *error : (bramble_error){0};
        pthread_cond_broadcast(&engine->changed);
    }
    pthread_mutex_unlock(&engine->lock);
}

/* --- what rank 0 reports --- */

struct reporter {
    struct engine *engine;
    struct generation *generation;
};

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

static void worker_reported(const struct reporter *from, const char *line)
{
    uint32_t rank, tasks;
    char state[16];
    double rate;
    struct roster_entry *entry;
    if (sscanf(line, "%" SCNu32 " %15s %" SCNu32 " %lf", &rank, state, &tasks, &rate) != 4 ||
        !(entry = entry_of(from, rank)))
        return;
    enum member_state was = entry->status.state;
    entry->status.state = state_from(state);
    entry->tasks_now = tasks;
    entry->status.tasks = entry->tasks_before + tasks;
    if (rate > 0) entry->status.rate = rate;
    if (was != MEMBER_WORKING && entry->status.state == MEMBER_WORKING)
        tell(from->engine, "working", entry->node.name, NULL);
}

static void worker_lost(const struct reporter *from, uint32_t rank, double silent)
{
    struct engine *engine = from->engine;
    struct roster_entry *entry = entry_of(from, rank);
    char why[96];
    if (!entry) return;
    snprintf(why, sizeof why, "silent for %.1f seconds", silent);
    tell(engine, "lost", entry->node.name, "%s", why);
    roster_lose(&engine->roster, from->generation->members[rank - 1], clock_seconds(), why);
    generation_kill(from->generation);
}

static void progress_reported(struct engine *engine, const char *line)
{
    uint32_t done, n;
    if (sscanf(line, "%" SCNu32 " %" SCNu32, &done, &n) != 2) return;
    pthread_mutex_lock(&engine->lock);
    if (engine->job && n == engine->n_tasks && done > engine->tasks_done) engine->tasks_done = done;
    pthread_mutex_unlock(&engine->lock);
}

static void take_report(void *context, char *line)
{
    const struct reporter *from = context;
    struct engine *engine = from->engine;
    uint32_t rank = 0;
    unsigned pid;
    double seconds;
    int at = 0;
    struct roster_entry *entry;
    if (strncmp(line, "progress ", 9) == 0) {
        progress_reported(engine, line + 9);
    } else if (strncmp(line, "worker ", 7) == 0) {
        worker_reported(from, line + 7);
    } else if (sscanf(line, "hello %" SCNu32 " %u", &rank, &pid) == 2 && (entry = entry_of(from, rank))) {
        entry->pid = (int)pid;
    } else if (sscanf(line, "lost %" SCNu32 " %lf", &rank, &seconds) == 2) {
        worker_lost(from, rank, seconds);
    } else if (sscanf(line, "have %" SCNu32, &rank) == 1 && (entry = entry_of(from, rank))) {
        tell(engine, "data", entry->node.name, NULL);
    } else if (sscanf(line, "out %" SCNu32 " %n", &rank, &at) == 1 && (entry = entry_of(from, rank))) {
        snprintf(entry->status.problem, sizeof entry->status.problem, "%.255s", line + at);
        tell(engine, "out", entry->node.name, "%s", line + at);
    } else if (sscanf(line, "note %" SCNu32 " %n", &rank, &at) == 1 && (entry = entry_of(from, rank))) {
        tell(engine, "note", entry->node.name, "%s", line + at);
    } else if (strcmp(line, "done") == 0) {
        end_job(engine, NULL);
    } else if (strncmp(line, "error ", 6) == 0) {
        bramble_error error;
        error_set(&error, BRAMBLE_ERR_DATA, "%s", line + 6);
        end_job(engine, &error);
    }
}

/* --- generations --- */

static bool contains(const struct generation *generation, size_t node)
{
    for (size_t i = 0; generation && i < generation->n_members; i++)
        if (generation->members[i] == node) return true;
    return false;
}

/* Starts a generation of everybody present. */
static struct generation *launch(struct engine *engine)
{
    struct member members[GENERATION_MEMBERS];
    size_t numbers[GENERATION_MEMBERS], n = 0;
    for (size_t i = 0; i < engine->roster.n && n < GENERATION_MEMBERS; i++) {
        struct roster_entry *entry = engine->roster.entries[i];
        if (!entry->present) continue;
        members[n] = (struct member){&entry->node, entry->program, entry->status.threads};
        numbers[n++] = i;
        if (entry->status.state == MEMBER_AWAY) entry->status.state = MEMBER_STARTING;
    }
    struct launch_plan plan = {.cluster = engine->cluster,
                               .members = members,
                               .n_members = n,
                               .program = engine->options.program,
                               .agent = remote_agent(engine->roster.remote),
                               .token = engine->token};
    struct generation *generation = NULL;
    bramble_error error = {0};
    if (generation_start(&generation, engine->folder, ++engine->n_generations, &plan, numbers, &error)) {
        end_job(engine, &error);
        return NULL;
    }
    tell(engine, "launched", NULL, "generation %u, %zu nodes", engine->n_generations, n);
    return generation;
}

static void let_go(struct engine *engine, struct generation **generation)
{
    size_t i = 0;
    while (i < LEAVING_MOST - 1 && engine->leaving[i]) i++;
    generation_free(engine->leaving[i]); /* only when all places are taken */
    engine->leaving[i] = *generation;
    (*generation)->leaving = true;
    (*generation)->leave_by = clock_seconds() + LEAVE_SECONDS;
    *generation = NULL;
}

/* What it did stays counted when the next one counts from nothing. */
static void keep_counts(struct engine *engine, const struct generation *generation)
{
    for (size_t i = 0; i < generation->n_members; i++) {
        struct roster_entry *entry = engine->roster.entries[generation->members[i]];
        entry->tasks_before += entry->tasks_now;
        entry->tasks_now = 0;
    }
}

/* A generation that never got ready: nobody can be trusted, so all are looked at again. */
static void mourn_stillborn(struct engine *engine, const struct generation *g)
{
    char line[200];
    uint32_t rank;
    bramble_error error;
    double now = clock_seconds();
    launch_diagnose(g->log_path, line, sizeof line, &rank);
    for (size_t i = 0; i < g->n_members; i++)
        roster_doubt(&engine->roster, g->members[i], now, *line ? line : "MPI did not start");
    error_set(&error, BRAMBLE_ERR_IO, "MPI does not start on these nodes: %s; bramble doctor finds out why",
              *line ? line : "mpiexec gave no reason");
    tell(engine, "launch_failed", NULL, "%s", error.message);
    if (++engine->in_vain >= LAUNCHES_IN_VAIN) end_job(engine, &error);
}

/* mpiexec has said what it knows about the end of a generation that was at work. One crash of a node may be
 * an accident; after another the run goes on without it for a while. */
static void hold_inquest(struct engine *engine, const struct generation *g)
{
    char line[200];
    uint32_t rank;
    launch_diagnose(g->log_path, line, sizeof line, &rank);
    if (rank < 1 || rank > g->n_members) return;
    struct roster_entry *entry = engine->roster.entries[g->members[rank - 1]];
    tell(engine, "crashed", entry->node.name, "%s", line);
    if (++entry->crashes < CRASHES_ALLOWED || !entry->present) return;
    roster_lose(&engine->roster, g->members[rank - 1], clock_seconds(),
                "its process was killed again and again");
    if (contains(engine->now, g->members[rank - 1])) generation_kill(engine->now);
}

/* Rank 0 is gone although nobody asked it to go. The next generation starts at once: most often the node of
 * the rank that was killed is well. */
static void mourn(struct engine *engine, struct generation **generation)
{
    int exit_code;
    struct generation *g = *generation;
    if (!g->ready && !launch_ended(g->launch, &exit_code)) {
        if (!g->reports.ended) return;
        if (!g->leave_by) g->leave_by = clock_seconds() + INQUEST_SECONDS;
        if (clock_seconds() < g->leave_by) return; /* mpiexec is about to say why */
    }
    bool lost_one = false; /* noticed by its silence: then there is nobody else to blame */
    for (size_t i = 0; i < g->n_members; i++) lost_one |= !engine->roster.entries[g->members[i]]->present;
    if (!g->ready) mourn_stillborn(engine, g);
    keep_counts(engine, g);
    if (g->coordinator > 0 && !g->reports.ended) kill(g->coordinator, SIGKILL);
    let_go(engine, generation);
    if (g->ready && !lost_one) {
        g->inquest = true;
        g->leave_by = clock_seconds() + INQUEST_SECONDS;
        tell(engine, "broke", NULL, "generation %u", g->number);
    } else {
        generation_kill(g);
    }
}

static void get_ready(struct engine *engine, struct generation *generation)
{
    double seconds = clock_seconds() - generation->started;
    if (seconds > engine->longest_launch) engine->longest_launch = seconds;
    engine->in_vain = 0;
    tell(engine, "ready", NULL, "generation %u after %.2f seconds", generation->number, seconds);
}

static double launch_patience(const struct engine *engine)
{
    return engine->longest_launch > 0 ? LAUNCH_PATIENCE_TIMES * engine->longest_launch : LAUNCH_PATIENCE;
}

/* Reads its reports; frees it when it is over before its time. */
static void tend(struct engine *engine, struct generation **generation)
{
    struct generation *g = *generation;
    struct reporter from = {engine, g};
    if (!g) return;
    bool was_ready = g->ready;
    double now = clock_seconds();
    generation_poll(g, take_report, &from);
    if (g->ready && !was_ready) get_ready(engine, g);
    if (g->ready ? heartbeat_missed(&g->beat, now) : now - g->started > launch_patience(engine)) {
        tell(engine, "hung", NULL, "generation %u", g->number);
        generation_kill(g);
    }
    if (generation_over(g)) mourn(engine, generation);
}

static void tend_leaving(struct engine *engine)
{
    double now = clock_seconds();
    for (size_t i = 0; i < LEAVING_MOST; i++) {
        struct generation *g = engine->leaving[i];
        int exit_code;
        if (!g) continue;
        struct reporter from = {engine, g};
        if (!g->reports.ended) generation_poll(g, take_report, &from);
        bool over = launch_ended(g->launch, &exit_code);
        if (!over && now > g->leave_by) generation_kill(g);
        if (!over) continue;
        if (g->inquest) hold_inquest(engine, g);
        generation_free(g);
        engine->leaving[i] = NULL;
    }
}

/* Nobody of an earlier generation holds the journal any more. */
static bool alone(const struct engine *engine)
{
    for (size_t i = 0; i < LEAVING_MOST; i++)
        if (engine->leaving[i] && engine->leaving[i]->heard && !engine->leaving[i]->reports.ended)
            return false;
    return true;
}

static bool somebody_new(const struct engine *engine)
{
    for (size_t i = 0; i < engine->roster.n; i++)
        if (engine->roster.entries[i]->present && !contains(engine->now, i)) return true;
    return false;
}

static bool anybody(const struct engine *engine)
{
    for (size_t i = 0; i < engine->roster.n; i++)
        if (engine->roster.entries[i]->present) return true;
    return false;
}

/* The next generation was started with somebody who is lost since. */
static bool next_is_stale(const struct engine *engine)
{
    for (size_t i = 0; engine->next && i < engine->next->n_members; i++)
        if (!engine->roster.entries[engine->next->members[i]]->present) return true;
    return false;
}

static void decide(struct engine *engine, double now)
{
    if (next_is_stale(engine)) {
        generation_kill(engine->next);
        let_go(engine, &engine->next);
    }
    if (!engine->now && engine->next) {
        engine->now = engine->next;
        engine->next = NULL;
    }
    if (!engine->now) {
        if (anybody(engine) && roster_gathered(&engine->roster, now)) engine->now = launch(engine);
    } else if (!engine->next && engine->now->ready && somebody_new(engine)) {
        engine->next = launch(engine);
    } else if (engine->next && engine->next->ready) {
        keep_counts(engine, engine->now);
        generation_order(engine->now, "stop", "");
        let_go(engine, &engine->now);
        engine->now = engine->next;
        engine->next = NULL;
    }
}

/* --- jobs --- */

static void give_job(struct engine *engine)
{
    struct generation *g = engine->now;
    pthread_mutex_lock(&engine->lock);
    if (engine->job_new) {
        for (size_t i = 0; i < engine->roster.n; i++)
            engine->roster.entries[i]->tasks_before = engine->roster.entries[i]->tasks_now = 0;
        if (g) g->given_job = false;
        engine->job_new = false;
    }
    if (g && g->ready && engine->job && !engine->job_over && !g->given_job && alone(engine)) {
        generation_order(g, "job", engine->job);
        g->given_job = true;
    }
    if (g && g->given_job && !engine->job) {
        generation_order(g, "drop", "");
        g->given_job = false;
    }
    pthread_mutex_unlock(&engine->lock);
}

/* No node can be reached, and none is being looked for: the job cannot be done. */
static void check_hope(struct engine *engine, double now)
{
    if (engine->now || engine->next || anybody(engine) || !roster_gathered(&engine->roster, now)) return;
    for (size_t i = 0; i < engine->roster.n; i++)
        if (engine->roster.entries[i]->status.tasks || engine->roster.entries[i]->failures < 2) return;
    bramble_error error;
    const struct roster_entry *first = engine->roster.n ? engine->roster.entries[0] : NULL;
    error_set(&error, BRAMBLE_ERR_IO, "none of the %zu nodes can be used; %s: %s", engine->roster.n,
              first ? first->node.name : "the cluster", first ? first->status.problem : "it lists none");
    end_job(engine, &error);
}

static void settle(struct engine *engine, double now)
{
    if (!engine->now || !engine->now->ready || now - engine->now->started < SETTLED_SECONDS) return;
    for (size_t i = 0; i < engine->now->n_members; i++) {
        struct roster_entry *entry = engine->roster.entries[engine->now->members[i]];
        entry->failures = entry->crashes = 0;
    }
}

static void publish(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    if (engine->n_snapshot < engine->roster.n) {
        struct member_status *bigger =
            mem_resize(engine->snapshot, engine->roster.n, sizeof *engine->snapshot);
        if (bigger) engine->snapshot = bigger;
        if (bigger) engine->n_snapshot = engine->roster.n;
    }
    for (size_t i = 0; i < engine->n_snapshot; i++) engine->snapshot[i] = engine->roster.entries[i]->status;
    pthread_mutex_unlock(&engine->lock);
}

static void read_joins(struct engine *engine, double now)
{
    char host[256];
    if (!engine->options.joins || now - engine->joins_read_at < JOINS_SECONDS) return;
    engine->joins_read_at = now;
    FILE *file = fopen(engine->options.joins, "re");
    if (!file) return;
    fseeko(file, engine->joins_read, SEEK_SET);
    while (fgets(host, sizeof host, file) && strchr(host, '\n')) {
        engine->joins_read = ftello(file);
        host[strcspn(host, "\n")] = 0;
        if (!*host || host[0] == '-') continue; /* ssh would take it for an option */
        if (!roster_add(&engine->roster, host, NULL)) tell(engine, "added", host, NULL);
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

static void go_home(struct engine *engine)
{
    double end = clock_seconds() + LEAVE_SECONDS;
    bool any = true;
    if (engine->next) generation_kill(engine->next), let_go(engine, &engine->next);
    if (engine->now) {
        if (engine->now->ready)
            generation_order(engine->now, "stop", "");
        else
            generation_kill(engine->now);
        let_go(engine, &engine->now);
    }
    while (any && clock_seconds() < end) {
        tend_leaving(engine);
        any = false;
        for (size_t i = 0; i < LEAVING_MOST; i++) any |= engine->leaving[i] != NULL;
        if (any) nanosleep(&(struct timespec){0, TICK_NS}, NULL);
    }
    for (size_t i = 0; i < LEAVING_MOST; i++) {
        struct generation *g = engine->leaving[i];
        for (size_t m = 0; g && m < g->n_members; m++) {
            struct roster_entry *entry = engine->roster.entries[g->members[m]];
            entry->leftover = entry->pid > 0 && !entry->node.local;
        }
        generation_free(g);
        engine->leaving[i] = NULL;
    }
    roster_sweep(&engine->roster, 1.0);
}

static void *supervise(void *context)
{
    struct engine *engine = context;
    while (!told_to_stop(engine)) {
        double now = clock_seconds();
        read_joins(engine, now);
        roster_poll(&engine->roster, now, roster_event, engine);
        tend(engine, &engine->now);
        tend(engine, &engine->next);
        tend_leaving(engine);
        decide(engine, now);
        give_job(engine);
        check_hope(engine, now);
        settle(engine, now);
        publish(engine);
        nanosleep(&(struct timespec){0, TICK_NS}, NULL);
    }
    go_home(engine);
    return NULL;
}

/* --- for the caller --- */

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
    struct engine_status status = {engine->tasks_done, engine->n_tasks, engine->n_generations,
                                   members ? n : 0, members};
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
    numbered.number = ++engine->n_jobs;
    char *text = job_to_json(&numbered);
    if (!text) return error_memory(error, "a job");
    bool go_on = true;
    pthread_mutex_lock(&engine->lock);
    engine->job = text;
    engine->job_new = true;
    engine->job_over = false;
    engine->tasks_done = 0;
    engine->n_tasks = job->n_tasks;
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
