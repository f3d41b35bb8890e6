/*
 * bramble/engine.h: training on the machines of a cluster as if they were one.
 *
 *     bramble_engine *engine;
 *     bramble_engine_start(&engine, cluster, NULL, &error);     begins to gather the nodes, returns at once
 *     options.engine = engine;
 *     bramble_forest_train(&model, table, &options, &stats, &error);     as on one machine; the same model
 *     bramble_engine_stop(engine);
 *
 * The nodes stay gathered from one training to the next. Nodes may be lost, come back and join at any time.
 */
#ifndef BRAMBLE_ENGINE_H
#define BRAMBLE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/cluster.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bramble_engine bramble_engine;

typedef struct bramble_engine_options {
    const char *program; /* this machine's bramble program; NULL: the running one */
    /* A folder of its own for results as they come in, so that bramble_forest_train with the same data and
     * options goes on where another process was stopped: journal, and `joins`, to which hosts that shall join
     * are added, one a line. NULL: results live as long as the engine. */
    const char *folder;
    /* What happens, as it happens: a word ("lost"), a node's name or NULL, and more about it or "". Called
     * from a thread of the engine. NULL: nobody wants to know. */
    void (*event)(void *context, const char *event, const char *node, const char *text);
    void *event_context;
} bramble_engine_options;

/* Borrows the cluster. */
BRAMBLE_API bramble_status bramble_engine_start(bramble_engine **out, const bramble_cluster *cluster,
                                                const bramble_engine_options *options, bramble_error *error);

/* Sends all nodes home: within three seconds no process of ours is left on a node that can be reached. NULL
 * is fine. */
BRAMBLE_API void bramble_engine_stop(bramble_engine *engine);

/* Asks the engine that works in `folder` (bramble_engine_options), in whatever process, to take on one more
 * machine, by ssh's name for it. It is used as soon as it answers. */
BRAMBLE_API bramble_status bramble_engine_join(const char *folder, const char *host, bramble_error *error);

/* A node as a progress callback sees it. */
typedef struct bramble_member {
    const char *name;
    const char *state;            /* "away", "starting", "receiving", "loading", "working", "left out" */
    const char *problem;          /* why it is away or left out; else "" */
    uint32_t threads, tasks_done; /* trees, or samples of a network's training */
    double rate;                  /* of them a second; 0: not known yet */
} bramble_member;

/* What the program itself does when it is a process of a cluster's job; started by the engine, never by hand.
 * Rank 0 gets orders from one pipe and reports to another; the others have `threads` (0: all) and `memory`
 * bytes at most (0: what is free). */
BRAMBLE_API bramble_status bramble_rank_run(uint32_t threads, uint64_t memory, const char *orders,
                                            const char *reports, bramble_error *error);

#ifdef __cplusplus
}
#endif
#endif
