/*
 * Who could take part, and how each is doing: the cluster's nodes and those that joined. Nodes that are away
 * are looked for in the background, ever more rarely while they stay away.
 */
#ifndef CLUSTER_ROSTER_H
#define CLUSTER_ROSTER_H

#include <pthread.h>
#include <stdatomic.h>

#include "cluster/engine.h"
#include "cluster/probe.h"

/* A node, and what is known of it. */
struct roster_entry {
    struct node node; /* texts are the entry's own */
    struct member_status status;
    uint32_t tasks_before, tasks_now; /* of this job: in earlier generations, in this one */
    bool present;                     /* answered, and has not been lost since */
    char *program;                    /* bramble's path there, when present */
    double speed;                     /* of all its threads together, roughly; 0: unknown */
    bool left_out;                    /* for being slow */
    bool gone;                        /* it will not come back */
    uint32_t failures;                /* in a row */
    uint32_t crashes;                 /* of its ranks, lately */
    bool proven;                      /* was in a generation that got ready */
    double retry_at;                  /* when it is looked for next */
    uint32_t leftover;                /* processes of generations up to this one may be there; 0: none */

    double asked; /* when it was looked for last */
    bool looking; /* a thread is; from here on its own until it has answered */
    pthread_t thread;
    atomic_bool answered;
    bool forget;       /* its connection is not to be trusted */
    uint32_t to_sweep; /* leftover, as it was; 0 afterwards: done */
    struct node_state found;
    struct roster *roster;
};

struct roster {
    struct remote *remote;
    const char
        *token; /* of this session; its generations' processes have TOKEN.NUMBER on their command lines */
    struct roster_entry **entries;
    size_t n;
    atomic_bool stop;
    double slowest; /* answer so far, in seconds from its question */
};

bramble_status roster_init(struct roster *roster, const struct cluster *cluster, const char *token,
                           bramble_error *error);
void roster_fini(struct roster *roster);

/* One more node, as "host" or "user@host"; one that is there is looked for now. */
bramble_status roster_add(struct roster *roster, const char *address, bramble_error *error);

/* Starts looking for those that are due and takes in what came of it; tells `event` what changed. */
void roster_poll(struct roster *roster, double now, engine_event *event, void *context);

/* True when there is no use in waiting for more answers before a start. */
bool roster_gathered(const struct roster *roster, double now);

/*
 * What node i, which is present, adds to the speed of all others that are: 0.1 is a tenth. INFINITY when
 * nobody knows, or when it is no slower than most: only a node many times slower than the mean of the others
 * is worth a thought, since this is a rough figure.
 */
double roster_adds(const struct roster *roster, size_t i);

/* It was lost, or failed: away, and looked for again after a while that doubles each time. */
void roster_lose(struct roster *roster, size_t i, double now, const char *why);

/* It may be why MPI did not start: looked at again at once. */
void roster_doubt(struct roster *roster, size_t i, double now, const char *why);

bool roster_present(const struct roster *roster);       /* anybody is */
bool roster_local_present(const struct roster *roster); /* this machine is, and takes part */

/* Ends what may be left of this session's processes, on nodes that can be reached within `seconds`. */
void roster_sweep(struct roster *roster, double seconds);

#endif
