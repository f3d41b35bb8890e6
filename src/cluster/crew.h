/*
 * A node's threads at work on a job's tasks: tasks go in, results come out, and nobody waits for the network.
 */
#ifndef CLUSTER_CREW_H
#define CLUSTER_CREW_H

#include "cluster/program.h"
#include "cluster/swap.h"

struct crew;

/* Opens the program on a thread of its own (which may take long) and then starts `threads` threads. Texts are
 * copied. `swap` is for a program that is run together, else NULL; it becomes the crew's, whatever happens.
 */
bramble_status crew_new(struct crew **out, const struct program *program, const char *job,
                        const char *data_path, uint32_t threads, struct swap *swap, bramble_error *error);
/* Tells all to stop, waits until they have (and the opening is over), closes the program. NULL is fine. */
void crew_free(struct crew *crew);

/* What a program that is run together begins with. */
struct crew_beginning {
    const uint32_t *tasks;
    uint32_t n_tasks;
    struct exchanged first, last; /* program.h */
};

/* Begins the tasks of a program that is run together, on a READY crew, once; results come as those of other
 * tasks. What `beginning` points to stays until the crew is freed; `owned` (mem_alloc, or NULL), which it may
 * lie in, becomes the crew's, whatever happens. */
bramble_status crew_together(struct crew *crew, const struct crew_beginning *beginning, void *owned,
                             bramble_error *error);

/* What this node has done of work that is done together, in the program's units; false: nothing new. */
struct crew_credit {
    uint32_t done;
    double rate; /* a second */
};
bool crew_credit(struct crew *crew, struct crew_credit *credit);

enum crew_state { CREW_OPENING, CREW_READY, CREW_FAILED };
enum crew_state crew_state(struct crew *crew, bramble_error *error); /* *error is filled in when FAILED */

bool crew_add(struct crew *crew, uint32_t task);    /* false: out of memory */
void crew_cancel(struct crew *crew, uint32_t task); /* no effect when it is done already */

struct crew_result {
    uint32_t task;
    double seconds;
    void *bytes; /* the caller's to mem_free */
    size_t length;
};

/* The next finished task; false: none yet. */
bool crew_take(struct crew *crew, struct crew_result *result);

#endif
