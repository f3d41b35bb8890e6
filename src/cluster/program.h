/*
 * What the engine runs, as it sees it: numbered tasks with results made of bytes. Trees, layers and the like
 * are the caller's business (src/train).
 */
#ifndef CLUSTER_PROGRAM_H
#define CLUSTER_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

#include "cluster/exchange.h"

struct together_work {
    const uint32_t *tasks;
    uint32_t n_tasks, threads;
    bool (*go_on)(void *context);
    bramble_status (*done)(void *context, uint32_t task, void *bytes, size_t length, bramble_error *error);
    /* Tells what this member did since it began, and how much of it a second, in units of the program's. */
    void (*credit)(void *context, uint32_t done, double rate);
    /* first and last are of no use any more. */
    void (*begun)(void *context);
    void *context; /* of all four */
    /* Of a program whose tasks build on each other: task 0's result, and the last one there is; that is empty
     * when there is no other, and both may be when only the first member is told them. */
    struct exchanged first, last;
};

/* Ways to the same members, each for one thread at a time. */
enum { PROGRAM_EXCHANGES = 2 };

struct program {
    const char *name; /* "tree_farm": what a job asks for */
    /* Prepares this node: `job` is the text every node gets, data_path the job's data file, whole and checked
     * (NULL when the job has none). Called once, on a thread of its own. */
    bramble_status (*open)(void **context, const char *job, const char *data_path, uint32_t threads,
                           bramble_error *error);
    /* Does a task; *result (mem_alloc) becomes the engine's. Called from threads 0..threads-1 at once.
     * `go_on` is to be asked now and then; when it says false, return BRAMBLE_ERR_CANCELLED soon. */
    bramble_status (*run)(void *context, uint32_t thread, uint32_t task, bool (*go_on)(void *),
                          void *go_on_context, void **result, size_t *length, bramble_error *error);
    void (*close)(void *context);

    /* The following are NULL in programs whose nodes do their tasks each on its own; in others `run` is NULL.
     */

    /* On the launching machine: writes the part of the data file that `member` gets instead of it. `memory`
     * has what each member may take at most, in bytes. *n_members can be made smaller (the same for every
     * member asked about): the last ones are then left out. */
    bramble_status (*divide)(const char *job, const char *data_path, const uint64_t *memory,
                             uint32_t *n_members, uint32_t member, const char *out_path,
                             bramble_error *error);
    /* Does these tasks together with the other members, who all call it with the same ones; on `threads`
     * threads at most, over exchanges[PROGRAM_EXCHANGES]. The first member (rank 0 of the exchange) hands
     * each result to `done`, which takes the bytes (mem_alloc). When another member gave up, returns
     * BRAMBLE_ERR_CANCELLED: that one says why. */
    bramble_status (*run_together)(void *context, const struct exchange *exchanges,
                                   const struct together_work *work, bramble_error *error);
    /* Tasks build on each other: a result stands for all tasks before it too, and takes the last one's place
     * in the journal. Task 0's is what the job begins with, and there before it does. Such a program has no
     * `divide`; every member gets all of the data. */
    bool chained;
    /* Of a chained one: only the first member is told first and last, which the others have no room for. */
    bool first_begins;
};

/* The program of this name in a list that ends with NULL; NULL: there is none. */
const struct program *program_find(const struct program *const *programs, const char *name);

#endif
