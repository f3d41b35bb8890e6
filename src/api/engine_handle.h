/* What bramble_engine is, for the files that implement it. */
#ifndef API_ENGINE_HANDLE_H
#define API_ENGINE_HANDLE_H

#include <bramble/engine.h>
#include <bramble/forest.h>

#include "cluster/engine.h"

struct bramble_engine {
    struct engine *engine;
    char *folder, *joins, *program;
    bool own_folder; /* made here, to be removed here */
    bramble_engine_options options;
};

/* A training on an engine, for who is asked how far it is. */
struct engine_watch {
    const bramble_forest_options *options;
    double start;
};

/* The nodes of a status; mem_free it. NULL: out of memory, or there are none. */
bramble_member *engine_members(const struct engine_status *status);

/* Turns an engine's status into a bramble_progress; `context` is a struct engine_watch. */
bool engine_watch_status(void *context, const struct engine_status *status);

#endif
