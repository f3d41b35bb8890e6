/*
 * bramble/run.h: runs, and the store that keeps them.
 *
 * A run is one training: what was asked, how it went, what came of it, and a folder for what it needs on the
 * way (a journal, a log of events). The store is a small database and a folder: $BRAMBLE_HOME, else
 * $XDG_DATA_HOME/bramble, else ~/.local/share/bramble. Several programs may use it at once. A run whose
 * program is gone without a word counts as interrupted, and may be gone on with.
 *
 *     bramble_run *run;
 *     bramble_run_begin(&run, "train forest", words, &error);
 *     ... work, keeping what must survive in bramble_run_folder(run) ...
 *     bramble_run_finish(run, BRAMBLE_RUN_FINISHED, "{\"accuracy\": 0.88}", NULL, &error);
 *     bramble_run_free(run);
 */
#ifndef BRAMBLE_RUN_H
#define BRAMBLE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bramble_run_state {
    BRAMBLE_RUN_RUNNING = 0,
    BRAMBLE_RUN_FINISHED,
    BRAMBLE_RUN_FAILED,
    BRAMBLE_RUN_INTERRUPTED, /* stopped by a person, or its program is gone */
} bramble_run_state;

/* "running", "finished", "failed", "interrupted"; static storage. */
BRAMBLE_API const char *bramble_run_state_name(bramble_run_state state);

/* A run of this process. Several threads may log its events at once. */
typedef struct bramble_run bramble_run;

/* Enters a new run, makes its folder and logs the event "began". kind is two words ("train forest"), of which
 * the last names the run ("forest-3"); words (NULL at the end) are the command line's, to be repeated by a
 * resume. */
BRAMBLE_API bramble_status bramble_run_begin(bramble_run **out, const char *kind, const char *const *words,
                                             bramble_error *error);

/* Takes over a run that was interrupted or failed, logging "resumed". `id` is a run's, or "last". One that
 * still runs, or is finished, is refused (BRAMBLE_ERR_USAGE). */
BRAMBLE_API bramble_status bramble_run_resume(bramble_run **out, const char *id, bramble_error *error);

BRAMBLE_API const char *bramble_run_id(const bramble_run *run);     /* borrowed */
BRAMBLE_API const char *bramble_run_folder(const bramble_run *run); /* absolute, private; borrowed */

/* Adds a line to the run's log of events (docs/formats.md). `fields` is a JSON object's text, or NULL. */
BRAMBLE_API bramble_status bramble_run_event(bramble_run *run, const char *event, const char *fields,
                                             bramble_error *error);

/* Enters how it ended, logging the state's name as the event. `summary`, a JSON object's text, is what came
 * of it ("model_hash" in it is the model's); `message` is why it failed. Both may be NULL. */
BRAMBLE_API bramble_status bramble_run_finish(bramble_run *run, bramble_run_state state, const char *summary,
                                              const char *message, bramble_error *error);

/* A run that is not finished then stays as it was: running, and interrupted once this process has ended. NULL
 * is fine. */
BRAMBLE_API void bramble_run_free(bramble_run *run);

/* What the store knows of a run. Texts are NULL, numbers NaN, where there is none. */
typedef struct bramble_run_info {
    const char *id, *kind;
    size_t n_words;
    const char *const *words; /* of the command line, NULL at the end */
    const char *directory;    /* where it was given */
    bramble_run_state state;
    double started, ended;  /* Unix time, in seconds */
    double seconds;         /* spent working, all its parts together */
    const char *summary;    /* JSON */
    const char *message;    /* why it failed */
    const char *model_hash; /* of the model it made */
    const char *folder;     /* absolute */
} bramble_run_info;

typedef struct bramble_run_list bramble_run_list;

/* The runs, the newest first, at most `limit` of them (0: all). No store is an empty list. */
BRAMBLE_API bramble_status bramble_run_list_all(bramble_run_list **out, size_t limit, bramble_error *error);
/* A list of one: the run of this id, or "last". One that is not there: BRAMBLE_ERR_USAGE. */
BRAMBLE_API bramble_status bramble_run_list_one(bramble_run_list **out, const char *id, bramble_error *error);
BRAMBLE_API size_t bramble_run_list_length(const bramble_run_list *list);
BRAMBLE_API const bramble_run_info *bramble_run_list_at(const bramble_run_list *list,
                                                        size_t i); /* borrowed */
BRAMBLE_API void bramble_run_list_free(bramble_run_list *list);    /* NULL is fine */

/* Calls `visit` with every event of the run at `folder`, in order: one JSON object's text. Lines that are
 * none (a crash cut them off) are passed over. Stops early when it returns an error. */
BRAMBLE_API bramble_status bramble_run_events(const char *folder,
                                              bramble_status (*visit)(void *context, const char *event,
                                                                      bramble_error *error),
                                              void *context, bramble_error *error);

/* Removes a run and its folder; one that still runs is refused (BRAMBLE_ERR_USAGE). */
BRAMBLE_API bramble_status bramble_run_remove(const char *id, bramble_error *error);

#ifdef __cplusplus
}
#endif
#endif
