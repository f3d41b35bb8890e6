/*
 * One MPI job and the set of members it was started with, as the supervisor sees it: pipes to rank 0, what it
 * reports, and whether it still does.
 */
#ifndef CLUSTER_GENERATION_H
#define CLUSTER_GENERATION_H

#include "cluster/coordinator.h"
#include "cluster/heartbeat.h"
#include "cluster/launch.h"
#include "cluster/lines.h"

enum { GENERATION_MEMBERS = 256 };

struct generation {
    uint32_t number;
    size_t n_members;
    size_t members[GENERATION_MEMBERS]; /* the engine's number of the node behind rank 1 + i */
    struct launch *launch;
    struct lines orders, reports;
    char orders_path[128], reports_path[128], log_path[128];
    int coordinator; /* rank 0's process, 0 until it said so */
    struct heartbeat beat;
    double started;
    bool heard, ready;                /* rank 0 spoke; all said hello */
    bool greeted[GENERATION_MEMBERS]; /* who did */
    bool is_second;                   /* another is at work until it is ready */
    bool given_job, leaving;
    uint32_t prepared;               /* the job it got ready for while another was at it; 0: none */
    bool opened[GENERATION_MEMBERS]; /* who is ready for that one, or cannot do it */
    bramble_error refusal;           /* of the job given: its members' memory is too small */
    bool hung;                       /* and was killed for it */
    bool killed;                     /* for whatever reason */
    bool inquest;                    /* leaving, and mpiexec shall say why */
    double leave_by;                 /* when patience ends */
};

/* Is the engine's node of this number a member? A generation that is not (NULL) has none. */
static inline bool generation_has(const struct generation *generation, size_t node)
{
    for (size_t i = 0; generation && i < generation->n_members; i++)
        if (generation->members[i] == node) return true;
    return false;
}

/* Starts one in `folder`; `plan` needs its paths not filled in. */
bramble_status generation_start(struct generation **out, const char *folder, uint32_t number,
                                struct launch_plan *plan, const size_t *members, bramble_error *error);

/* Reads what rank 0 reported; `take` gets each line but "here", "hello" and "ready", which are dealt with
 * here. Sends orders. */
void generation_poll(struct generation *generation, void (*take)(void *context, char *line), void *context);

void generation_order(struct generation *generation, const char *order,
                      const char *text); /* "job", JSON; or "stop", ""; coordinator.h */

/* Rank 0 is no more: it closed its pipe, or mpiexec ended. */
bool generation_over(struct generation *generation);

/* Ends rank 0 alone, if it is still there: then mpiexec says why, and ends. */
void generation_end_coordinator(struct generation *generation);

/* Ends it at once, here; the other nodes notice. */
void generation_kill(struct generation *generation);
void generation_free(struct generation *generation); /* kills; NULL is fine */

#endif
