/* What bramble/run.h offers. */
#include <bramble/run.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "report/event_log.h"
#include "report/run_list.h"
#include "report/run_store.h"

struct bramble_run {
    struct run_place place;
    struct event_log *events;
    double since; /* of clock_seconds */
};

static bramble_status events_path(char **out, const char *folder, bramble_error *error)
{
    struct str path = {0};
    str_printf(&path, "%s/events.jsonl", folder);
    char *text = str_take(&path);
    if (!text) return error_memory(error, "the log of events");
    *out = text;
    return BRAMBLE_OK;
}

/* Opens the log of a run that is in the store already, and says so there. */
static bramble_status open_events(struct bramble_run *run, const char *event, bramble_error *error)
{
    char *path = NULL;
    bramble_status status = events_path(&path, run->place.folder, error);
    if (status) return status;
    status = event_log_open(&run->events, path, run->place.started, error);
    if (!status) status = event_log_add(run->events, event, NULL, error);
    mem_free(path);
    return status;
}

/* Wraps a place that is entered; when that fails, so did the run. Takes the place over. */
static bramble_status attach(bramble_run **out, struct run_place *place, const char *event,
                             bramble_error *error)
{
    struct bramble_run *run = mem_zalloc(1, sizeof *run);
    if (!run) {
        run_store_finish(place, BRAMBLE_RUN_FAILED, 0, NULL, NULL, NULL);
        run_place_fini(place);
        return error_memory(error, "the run");
    }
    *run = (struct bramble_run){.place = *place, .since = clock_seconds()};
    bramble_status status = open_events(run, event, error);
    if (status) {
        run_store_finish(&run->place, BRAMBLE_RUN_FAILED, 0, NULL, error ? error->message : NULL, NULL);
        bramble_run_free(run);
        return status;
    }
    *out = run;
    return BRAMBLE_OK;
}

const char *bramble_run_state_name(bramble_run_state state)
{
    return run_state_name(state);
}

bramble_status bramble_run_begin(bramble_run **out, const char *kind, const char *const *words,
                                 bramble_error *error)
{
    struct run_place place;
    bramble_status status = run_store_begin(&place, kind, words, error);
    return status ? status : attach(out, &place, "began", error);
}

bramble_status bramble_run_resume(bramble_run **out, const char *id, bramble_error *error)
{
    struct run_place place;
    bramble_status status = run_store_resume(&place, id, error);
    return status ? status : attach(out, &place, "resumed", error);
}

const char *bramble_run_id(const bramble_run *run)
{
    return run->place.id;
}

const char *bramble_run_folder(const bramble_run *run)
{
    return run->place.folder;
}

bramble_status bramble_run_event(bramble_run *run, const char *event, const char *fields,
                                 bramble_error *error)
{
    return event_log_add(run->events, event, fields, error);
}

bramble_status bramble_run_finish(bramble_run *run, bramble_run_state state, const char *summary,
                                  const char *message, bramble_error *error)
{
    if (state == BRAMBLE_RUN_RUNNING || (unsigned)state > BRAMBLE_RUN_INTERRUPTED)
        return error_set(error, BRAMBLE_ERR_USAGE, "a run ends finished, failed or interrupted");
    double seconds = clock_seconds() - run->since;
    bramble_status status = run_store_finish(&run->place, state, seconds, summary, message, error);
    if (status) return status;
    run->since += seconds; /* counted */
    return event_log_add(run->events, bramble_run_state_name(state), NULL, error);
}

void bramble_run_free(bramble_run *run)
{
    if (!run) return;
    event_log_close(run->events);
    run_place_fini(&run->place);
    mem_free(run);
}

bramble_status bramble_run_list_all(bramble_run_list **out, size_t limit, bramble_error *error)
{
    struct run_database database;
    bramble_status status = run_database_open(&database, NULL, false, error);
    if (status) return status;
    status = run_list_read(out, &database, limit, error);
    run_database_close(&database);
    return status;
}

bramble_status bramble_run_list_one(bramble_run_list **out, const char *id, bramble_error *error)
{
    struct run_database database;
    bramble_status status = run_database_open(&database, NULL, false, error);
    if (status) return status;
    status = run_list_find(out, &database, id, error);
    run_database_close(&database);
    return status;
}

size_t bramble_run_list_length(const bramble_run_list *list)
{
    return list->n;
}

const bramble_run_info *bramble_run_list_at(const bramble_run_list *list, size_t i)
{
    return i < list->n ? &list->runs[i] : NULL;
}

void bramble_run_list_free(bramble_run_list *list)
{
    run_list_free(list);
}

bramble_status bramble_run_events(const char *folder,
                                  bramble_status (*visit)(void *context, const char *event,
                                                          bramble_error *error),
                                  void *context, bramble_error *error)
{
    char *path = NULL;
    bramble_status status = events_path(&path, folder, error);
    if (status) return status;
    status = event_log_read(path, visit, context, error);
    mem_free(path);
    return status;
}

bramble_status bramble_run_remove(const char *id, bramble_error *error)
{
    return run_store_remove(id, error);
}
