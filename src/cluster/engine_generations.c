#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "cluster/engine_internal.h"

#define LAUNCH_PATIENCE 45.0      /* with nodes that were never in a generation that got ready */
#define LAUNCH_PATIENCE_LEAST 5.0 /* with others; and at least so many times the longest launch: */
#define LAUNCH_PATIENCE_TIMES 8
#define LEAVE_SECONDS 1.2    /* to go home when asked to */
#define INQUEST_SECONDS 5.0  /* mpiexec takes about three to say which rank was killed */
#define SETTLED_SECONDS 20.0 /* a generation that held so long clears its members' records */
#define SWEEP_SECONDS 1.0
#define PAUSE_NS 5000000

enum { LAUNCHES_IN_VAIN = 4, CRASHES_ALLOWED = 2, BREAKS_ALLOWED = 8 };

/* --- beginnings --- */

/* Starts a generation of everybody present who is wanted, or of this machine, or, one by one, of those at
 * work and another. A node that is new may be what keeps it from starting: then the others go on, and it is
 * tried again later.
 */
static struct generation *launch(struct engine *engine, bool only_local)
{
    struct member members[GENERATION_MEMBERS];
    size_t numbers[GENERATION_MEMBERS], n = 0;
    bool new_one = false;
    char token[64];
    for (size_t i = 0; i < engine->roster.n && n < GENERATION_MEMBERS; i++) {
        struct roster_entry *entry = engine->roster.entries[i];
        bool is_new = !generation_has(engine->now, i);
        if (!entry->present || (only_local && !entry->node.local)) continue;
        if (is_new && engine->one_by_one && new_one) continue;
        if (is_new && !only_local && !engine_wants(engine, i)) continue;
        new_one |= is_new;
        members[n] = (struct member){&entry->node, entry->program, entry->status.threads};
        numbers[n++] = i;
        if (entry->status.state == MEMBER_AWAY) entry->status.state = MEMBER_STARTING;
    }
    snprintf(token, sizeof token, "%s.%u", engine->token, ++engine->n_generations);
    struct launch_plan plan = {.cluster = engine->cluster,
                               .members = members,
                               .n_members = n,
                               .program = engine->options.program,
                               .agent = remote_agent(engine->roster.remote),
                               .token = token};
    struct generation *generation = NULL;
    bramble_error error = {0};
    if (!generation_start(&generation, engine->folder, engine->n_generations, &plan, numbers, &error)) {
        engine_tell(engine, "launched", NULL, "generation %u, %zu nodes", engine->n_generations, n);
        return generation;
    }
    engine_tell(engine, "launch_failed", NULL, "%s", error.message);
    for (size_t i = 0; i < n; i++)
        if (!generation_has(engine->now, numbers[i]))
            roster_lose(&engine->roster, numbers[i], clock_seconds(), error.message);
    if (!engine->now) engine_end_job(engine, 0, &error);
    return NULL;
}

static void get_ready(struct engine *engine, struct generation *g)
{
    double seconds = clock_seconds() - g->started;
    if (seconds > engine->longest_launch) engine->longest_launch = seconds;
    engine->in_vain = 0;
    for (size_t i = 0; i < g->n_members; i++) engine_member(engine, g, i)->proven = true;
    engine_tell(engine, "ready", NULL, "generation %u after %.2f seconds", g->number, seconds);
}

static double launch_patience(const struct engine *engine, const struct generation *g)
{
    double learned = LAUNCH_PATIENCE_TIMES * engine->longest_launch;
    bool proven = true;
    for (size_t i = 0; i < g->n_members; i++) proven &= engine_member(engine, g, i)->proven;
    if (!proven) return LAUNCH_PATIENCE;
    return learned > LAUNCH_PATIENCE_LEAST ? learned : LAUNCH_PATIENCE_LEAST;
}

/* --- ends --- */

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

/* Ends it at once here. The other nodes notice, but one that hangs keeps its processes: they are swept. */
static void end_abruptly(struct engine *engine, struct generation *g)
{
    generation_kill(g);
    for (size_t i = 0; i < g->n_members; i++) {
        struct roster_entry *entry = engine_member(engine, g, i);
        if (!entry->node.local && entry->leftover < g->number) entry->leftover = g->number;
    }
}

/* What it did stays counted when the next one counts from nothing. */
static void keep_counts(struct engine *engine, const struct generation *g)
{
    for (size_t i = 0; g->given_job && i < g->n_members; i++) {
        struct roster_entry *entry = engine_member(engine, g, i);
        entry->tasks_before += entry->tasks_now;
        entry->tasks_now = 0;
    }
}

/* In g, and not in the one at work beside it. */
static bool newcomer(const struct engine *engine, const struct generation *g, size_t i)
{
    return !g->is_second || !generation_has(engine->now, g->members[i]);
}

/* Whose fault it may be that g did not get ready: the one's mpiexec names; else, when some said hello, those
 * that did not; else that of the only newcomer. False: anybody's. */
static bool find_suspects(const struct engine *engine, const struct generation *g, uint32_t named,
                          bool suspects[GENERATION_MEMBERS])
{
    size_t n_new = 0;
    bool any = false, greeted = false;
    for (size_t i = 0; i < g->n_members; i++) greeted |= g->greeted[i], n_new += newcomer(engine, g, i);
    for (size_t i = 0; i < g->n_members; i++) {
        suspects[i] = named     ? named == i + 1
                      : greeted ? !g->greeted[i]
                                : n_new == 1 && newcomer(engine, g, i);
        any |= suspects[i];
    }
    return any;
}

/* A generation that never got ready. When nobody in particular is to blame, all newcomers are looked at
 * again, and then brought in one by one, which shows who it is. */
static void mourn_stillborn(struct engine *engine, const struct generation *g)
{
    char line[200];
    uint32_t rank;
    bramble_error error;
    bool suspects[GENERATION_MEMBERS];
    double now = clock_seconds();
    launch_diagnose(g->log_path, line, sizeof line, &rank);
    bool found = find_suspects(engine, g, rank, suspects);
    const char *why = *line   ? line
                      : found ? "MPI does not start there; bramble doctor finds out why"
                              : "MPI did not start";
    for (size_t i = 0; i < g->n_members; i++) {
        if (found && suspects[i]) {
            engine_tell(engine, "lost", engine_member(engine, g, i)->node.name, "%s", why);
            roster_lose(&engine->roster, g->members[i], now, why);
        } else if (!found && newcomer(engine, g, i))
            roster_doubt(&engine->roster, g->members[i], now, why);
    }
    engine->one_by_one |= !found;
    error_set(&error, BRAMBLE_ERR_IO, "MPI does not start on these nodes: %s; bramble doctor finds out why",
              *line ? line : "mpiexec gave no reason");
    engine_tell(engine, "launch_failed", NULL, "%s", error.message);
    if (!g->is_second && ++engine->in_vain >= LAUNCHES_IN_VAIN) engine_end_job(engine, 0, &error);
}

/* Processes that are killed again and again, whoever they belong to, with nothing done in between. */
static void count_break(struct engine *engine)
{
    bramble_error error;
    uint32_t done = engine_tasks_done(engine);
    engine->breaks = done == engine->broke_done ? engine->breaks + 1 : 1;
    engine->broke_done = done;
    if (engine->breaks < BREAKS_ALLOWED) return;
    engine->breaks = 0;
    error_set(&error, BRAMBLE_ERR_IO,
              "the nodes' processes end %d times in a row before anything is done: %s", BREAKS_ALLOWED,
              *engine->last_words ? engine->last_words : "mpiexec gave no reason");
    engine_end_job(engine, 0, &error);
}

/* Is it too early to say why a generation that is not ready is over? mpiexec may be about to. */
static bool wait_for_words(struct generation *g)
{
    int exit_code;
    if (g->ready || g->killed || launch_ended(g->launch, &exit_code)) return false;
    if (!g->leave_by) g->leave_by = clock_seconds() + INQUEST_SECONDS;
    return clock_seconds() < g->leave_by;
}

/* Rank 0 is gone although nobody asked it to go. The next generation starts at once: most often the node of
 * the rank that was killed is well. */
static void mourn(struct engine *engine, struct generation **generation)
{
    struct generation *g = *generation;
    if (wait_for_words(g)) return;
    bool lost_one = false; /* noticed by its silence: then there is nobody else to blame */
    for (size_t i = 0; i < g->n_members; i++) lost_one |= !engine_member(engine, g, i)->present;
    if (!g->ready && (g->hung || !g->killed)) mourn_stillborn(engine, g);
    keep_counts(engine, g);
    generation_end_coordinator(g);
    let_go(engine, generation);
    if (!g->ready || lost_one || g->hung) {
        end_abruptly(engine, g);
        return;
    }
    g->inquest = true;
    g->leave_by = clock_seconds() + INQUEST_SECONDS;
    engine_tell(engine, "broke", NULL, "generation %u", g->number);
    count_break(engine);
}

/* mpiexec has said what it knows about the end of a generation that was at work. One crash of a node may be
 * an accident; after another the run goes on without it for a while. */
static void hold_inquest(struct engine *engine, const struct generation *g)
{
    uint32_t rank;
    launch_diagnose(g->log_path, engine->last_words, sizeof engine->last_words, &rank);
    if (rank < 1 || rank > g->n_members) return;
    struct roster_entry *entry = engine_member(engine, g, rank - 1);
    engine_tell(engine, "crashed", entry->node.name, "%s", engine->last_words);
    if (++entry->crashes < CRASHES_ALLOWED || !entry->present) return;
    roster_lose(&engine->roster, g->members[rank - 1], clock_seconds(),
                "its process was killed again and again");
    if (generation_has(engine->now, g->members[rank - 1])) end_abruptly(engine, engine->now);
}

/* Reads its reports; lets it go when it is over before its time. */
static void tend(struct engine *engine, struct generation **generation)
{
    struct generation *g = *generation;
    struct reporter from = {engine, g};
    if (!g) return;
    bool was_ready = g->ready;
    generation_poll(g, engine_take_report, &from);
    double now = clock_seconds();
    if (g->ready && !was_ready) get_ready(engine, g);
    bool late = g->ready ? heartbeat_missed(&g->beat, now) : now - g->started > launch_patience(engine, g);
    if (late && !g->hung) {
        g->hung = true;
        engine_tell(engine, "hung", NULL, "generation %u", g->number);
        end_abruptly(engine, g);
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
        if (!g->reports.ended) generation_poll(g, engine_take_report, &from);
        if (!launch_ended(g->launch, &exit_code)) {
            if (now > g->leave_by) end_abruptly(engine, g);
            continue;
        }
        if (g->inquest) hold_inquest(engine, g);
        generation_free(g);
        engine->leaving[i] = NULL;
    }
}

/* --- which there shall be --- */

/* The next generation was started with somebody who is lost since. */
static bool next_is_stale(const struct engine *engine)
{
    for (size_t i = 0; engine->next && i < engine->next->n_members; i++)
        if (!engine_member(engine, engine->next, i)->present) return true;
    return false;
}

static void succeed(struct engine *engine)
{
    engine->now = engine->next;
    engine->now->is_second = false;
    engine->next = NULL;
}

/* Those at work can go over to the next generation without a pause; who is new in it may take longer. */
static bool next_is_prepared(struct engine *engine)
{
    const struct generation *next = engine->next;
    pthread_mutex_lock(&engine->lock);
    bool prepared = !engine->job || engine->job_over || next->prepared == engine->job_number;
    bool open = engine->job && !engine->job_over;
    pthread_mutex_unlock(&engine->lock);
    for (size_t i = 0; open && i < next->n_members; i++)
        prepared &= next->opened[i] || !generation_has(engine->now, next->members[i]);
    return prepared;
}

/* This machine begins by itself, and the others come in when all have answered that soon will. */
static void decide(struct engine *engine, double now)
{
    bool gathered = roster_gathered(&engine->roster, now);
    if (next_is_stale(engine)) {
        end_abruptly(engine, engine->next);
        let_go(engine, &engine->next);
    }
    if (!engine->now && engine->next) succeed(engine);
    if (!engine->now) {
        bool alone = !engine->n_generations && !gathered;
        if (alone ? roster_local_present(&engine->roster) : gathered && roster_present(&engine->roster))
            engine->now = launch(engine, alone);
    } else if (!engine->next && engine->now->ready && gathered) {
        engine->one_by_one &= engine_wants_somebody(engine);
        engine->next = engine_wants_somebody(engine) ? launch(engine, false) : NULL;
        if (engine->next) engine->next->is_second = true;
    } else if (engine->next && engine->next->ready && next_is_prepared(engine)) {
        keep_counts(engine, engine->now);
        generation_order(engine->now, "stop", "");
        let_go(engine, &engine->now);
        succeed(engine);
    }
}

/* Whoever was just lost is still a member, and what speaks against it counts. */
static void settle(struct engine *engine, double now)
{
    if (!engine->now || !engine->now->ready || now - engine->now->started < SETTLED_SECONDS) return;
    for (size_t i = 0; i < engine->now->n_members; i++) {
        struct roster_entry *entry = engine_member(engine, engine->now, i);
        if (entry->present) entry->failures = entry->crashes = 0;
    }
}

void engine_tend_generations(struct engine *engine, double now)
{
    tend(engine, &engine->now);
    tend(engine, &engine->next);
    tend_leaving(engine);
    decide(engine, now);
    settle(engine, now);
}

void engine_send_home(struct engine *engine)
{
    double end = clock_seconds() + LEAVE_SECONDS;
    struct generation **both[] = {&engine->next, &engine->now};
    for (unsigned i = 0; i < 2; i++) {
        if (!*both[i]) continue;
        if ((*both[i])->ready)
            generation_order(*both[i], "stop", "");
        else
            end_abruptly(engine, *both[i]);
        let_go(engine, both[i]);
    }
    for (bool any = true; any && clock_seconds() < end;) {
        tend_leaving(engine);
        any = false;
        for (size_t i = 0; i < LEAVING_MOST; i++) any |= engine->leaving[i] != NULL;
        if (any) nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
    }
    for (size_t i = 0; i < LEAVING_MOST; i++) {
        if (engine->leaving[i]) end_abruptly(engine, engine->leaving[i]);
        generation_free(engine->leaving[i]);
        engine->leaving[i] = NULL;
    }
    roster_sweep(&engine->roster, SWEEP_SECONDS);
}
