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
};

#endif
