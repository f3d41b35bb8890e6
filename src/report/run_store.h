/*
 * The runs that were made, each with a row in HOME/runs.db and a folder HOME/runs/ID (bramble/run.h says what
 * they are for). Every call opens and closes the database itself: it is never open across a fork, and never
 * locked while a run works.
 */
#ifndef REPORT_RUN_STORE_H
#define REPORT_RUN_STORE_H

#include <bramble/run.h>

/* A row this process has entered or taken over. */
struct run_place {
    char *home, *id, *folder;
    double started; /* Unix time */
};

void run_place_fini(struct run_place *place);

bramble_status run_store_begin(struct run_place *out, const char *kind, const char *const *words,
                               bramble_error *error);
bramble_status run_store_resume(struct run_place *out, const char *id, bramble_error *error);
/* `seconds` of work since it began or was taken over. */
bramble_status run_store_finish(const struct run_place *place, bramble_run_state state, double seconds,
                                const char *summary, const char *message, bramble_error *error);
bramble_status run_store_remove(const char *id, bramble_error *error);

#endif
