/*
 * The supervisor from within: engine.c is what callers see and the thread's round, engine_reports.c what
 * ranks 0 say, engine_generations.c which generations there are and what becomes of them,
 * engine_newcomers.c who comes into the next.
 */
#ifndef CLUSTER_ENGINE_INTERNAL_H
#define CLUSTER_ENGINE_INTERNAL_H

#include <pthread.h>

#include "cluster/engine.h"
#include "cluster/generation.h"
#include "cluster/roster.h"

enum { LEAVING_MOST = 8 };

struct engine {
    struct engine_options options;
    const struct cluster *cluster;
    char folder[64], token[40];
    struct roster roster;
    struct generation *now, *next;            /* at work; to follow it */
    struct generation *leaving[LEAVING_MOST]; /* on their way out */
    double longest_launch;
    uint32_t n_generations;
    uint32_t in_vain;     /* launches since the last that got ready */
    bool one_by_one;      /* a launch was in vain and nobody in particular to blame: one new node at a time */
    uint32_t breaks;      /* generations whose processes were killed, without a result in between */
    uint32_t broke_done;  /* tasks that were done at the last break */
    char last_words[200]; /* of mpiexec about the last break */
    double joins_read_at;
    off_t joins_read;

    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    char *job; /* its JSON; NULL: none */
    bool stop, job_over, job_new;
    uint32_t job_number, tasks_done, n_tasks;
    bool chained;                   /* the job: how fast it goes is seen from */
    double since;                   /* clock, when the newest generation had done */
    uint32_t since_done;            /* so many tasks */
    uint32_t since_number;          /* the generation */
    uint32_t generation;            /* started last */
    bramble_error failure;          /* of the job */
    struct member_status *snapshot; /* n_snapshot */
    size_t n_snapshot;
};

/* The node behind rank 1 + i of g. */
static inline struct roster_entry *engine_member(const struct engine *engine, const struct generation *g,
                                                 size_t i)
{
    return engine->roster.entries[g->members[i]];
}

/* Shall a node that is present, and not at work, come in? A slow one only if it saves more time until the end
 * than its coming in costs, or if the others' memory is too small without it. */
bool engine_wants(struct engine *engine, size_t node);
bool engine_wants_somebody(struct engine *engine); /* while there is a generation at work */

/* Passes an event on to who wants to know. */
void engine_tell(struct engine *engine, const char *event, const char *node, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The nodes' statuses go to where the caller's thread sees them. */
void engine_publish(struct engine *engine);

/* Job `number` (0: whatever there is) is over; error NULL: well. No effect on a later one. */
void engine_end_job(struct engine *engine, uint32_t number, const bramble_error *error);
uint32_t engine_tasks_done(struct engine *engine);

struct reporter {
    struct engine *engine;
    struct generation *generation;
};

/* A line that a generation's rank 0 wrote (coordinator.h); context is a struct reporter. */
void engine_take_report(void *context, char *line);

/* One round: reads what they report, sees who is over, decides what to start and what to send home. */
void engine_tend_generations(struct engine *engine, double now);
void engine_send_home(struct engine *engine); /* all of them; waits a little, then insists */

#endif
