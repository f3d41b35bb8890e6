/*
 * A session on a cluster: the supervisor above mpiexec. It keeps one MPI job running on the members that
 * answer (a generation), and when one of them is lost or comes back, starts the next from what the journal
 * holds. Jobs are given to it one after the other.
 *
 * A node counts as lost when it is silent for longer than it has taught us to wait (heartbeat.h), or when MPI
 * ends. Lost nodes are tried again, ever more rarely; the next generation with them is started beside the
 * running one, which goes home only when its nodes have the job open in the other. The first generation is
 * this machine's alone, so that a job begins before anybody else has answered.
 *
 * One thread of its own does all this; the functions here may be called from one other thread.
 */
#ifndef CLUSTER_ENGINE_H
#define CLUSTER_ENGINE_H

#include "cluster/cluster.h"
#include "cluster/job.h"

struct engine;

enum member_state {
    MEMBER_AWAY,
    MEMBER_STARTING,
    MEMBER_LOADING,
    MEMBER_RECEIVING,
    MEMBER_WORKING,
    MEMBER_OUT
};
const char *member_state_name(enum member_state state);

struct member_status {
    char name[64];
    enum member_state state;
    uint32_t tasks; /* of this job that it did first */
    double rate;    /* tasks a second; 0: not known yet */
    uint32_t threads;
    char arch[16];     /* "x86_64", once it has answered */
    char problem[256]; /* why it is away or out; else empty */
};

struct engine_status {
    uint32_t tasks_done, n_tasks;
    uint32_t generation;
    size_t n_members;
    const struct member_status *members; /* all nodes of the cluster, then those that joined */
};

/* What happens, as it happens: `event` is a word (docs/formats.md lists them), `node` a name or NULL, `text`
 * more about it or "". Called from the engine's thread. */
typedef void engine_event(void *context, const char *event, const char *node, const char *text);

struct engine_options {
    const char *program; /* absolute path of bramble on this machine */
    const char
        *joins; /* a file to which hosts that shall join are added, one a line, while we run; or NULL */
    engine_event *event; /* or NULL */
    void *event_context;
};

/* Starts to gather the nodes and returns at once. The cluster is borrowed. */
bramble_status engine_start(struct engine **out, const struct cluster *cluster,
                            const struct engine_options *options, bramble_error *error);

/* A line for people, as an event. */
void engine_note(struct engine *engine, const char *text);

/* Threads of all nodes that have done tasks of the last job. */
uint32_t engine_threads(struct engine *engine);

/*
 * Does a job (whose number is set here): returns when the journal has every result. `status` (may be NULL) is
 * called about four times a second from the caller's thread; false stops the job with BRAMBLE_ERR_CANCELLED.
 * Fails when no node can do it.
 */
bramble_status engine_run(struct engine *engine, const struct job *job,
                          bool (*status)(void *context, const struct engine_status *status), void *context,
                          bramble_error *error);

/* Sends everybody home and waits until no process of ours is left on any node that answers (three seconds at
 * most). NULL is fine. */
void engine_stop(struct engine *engine);

#endif
