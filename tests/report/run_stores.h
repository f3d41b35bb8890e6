/* A run store of a test's own: BRAMBLE_HOME is a scratch folder's "home", which is not there yet. */
#ifndef TESTS_RUN_STORES_H
#define TESTS_RUN_STORES_H

#include "scratch.h"

#include "report/run_list.h"
#include "report/run_store.h"

static inline struct scratch store_new(void)
{
    struct scratch s = scratch_new();
    setenv("BRAMBLE_HOME", scratch_path(&s, "home"), 1);
    return s;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline struct run_place run_begun(const char *kind, const char *const *words)
{
    bramble_error error = {0};
    struct run_place place;
    if (run_store_begin(&place, kind, words, &error)) fail_msg("%s", error.message);
    return place;
}

static inline void run_ended(struct run_place *place, bramble_run_state state, const char *summary)
{
    bramble_error error = {0};
    if (run_store_finish(place, state, 1.5, summary, NULL, &error)) fail_msg("%s", error.message);
    run_place_fini(place);
}

/* id NULL: all of them. */
static inline bramble_status runs_try(struct bramble_run_list **out, const char *id, bramble_error *error)
{
    struct run_database database;
    bramble_status status = run_database_open(&database, NULL, false, error);
    if (status) return status;
    status = id ? run_list_find(out, &database, id, error) : run_list_read(out, &database, 0, error);
    run_database_close(&database);
    return status;
}

static inline struct bramble_run_list *runs_read(const char *id)
{
    bramble_error error = {0};
    struct bramble_run_list *list;
    if (runs_try(&list, id, &error)) fail_msg("%s", error.message);
    return list;
}

static inline bramble_run_state state_of_run(const char *id)
{
    struct bramble_run_list *list = runs_read(id);
    bramble_run_state state = list->runs[0].state;
    run_list_free(list);
    return state;
}

#endif
