#include "report/run_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "report/process_mark.h"
#include "report/run_folder.h"
#include "report/run_list.h"

enum { ID_BYTES = 64, NAME_MAX_LENGTH = 32 };

void run_place_fini(struct run_place *place)
{
    mem_free(place->home);
    mem_free(place->id);
    mem_free(place->folder);
    *place = (struct run_place){0};
}

static bramble_status place_fill(struct run_place *out, const char *home, const char *id, double started,
                                 bramble_error *error)
{
    struct run_place place = {.home = mem_strdup(home),
                              .id = mem_strdup(id),
                              .folder = run_folder_path(home, id),
                              .started = started};
    if (place.home && place.id && place.folder) {
        *out = place;
        return BRAMBLE_OK;
    }
    run_place_fini(&place);
    return error_memory(error, "the run");
}

/* The next number of runs of this name. */
static bramble_status count_up(const struct run_database *database, const char *name, long long *number,
                               bramble_error *error)
{
    sqlite3_stmt *statement;
    bramble_status status = run_database_prepare(database, &statement,
                                                 "INSERT INTO counters VALUES (?1, 1) ON CONFLICT (name) DO "
                                                 "UPDATE SET last = last + 1 RETURNING last",
                                                 error);
    if (status) return status;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW)
        *number = sqlite3_column_int64(statement, 0);
    else
        status = run_database_failure(database, error);
    sqlite3_finalize(statement);
    return status;
}

/* An id nobody has, and its folder; after a failure id is empty. A folder of that name may be left from a
 * store that was moved away. */
static bramble_status take_id(const struct run_database *database, const char *kind, char id[ID_BYTES],
                              bramble_error *error)
{
    const char *space = strrchr(kind, ' '), *name = space ? space + 1 : kind;
    if (!run_id_valid(name) || strlen(name) > NAME_MAX_LENGTH)
        return error_set(error, BRAMBLE_ERR_USAGE, "\"%.60s\" is no kind of run", kind);
    bool made = false;
    bramble_status status = BRAMBLE_OK;
    while (!status && !made) {
        long long number = 0;
        status = count_up(database, name, &number, error);
        snprintf(id, ID_BYTES, "%s-%lld", name, number);
        if (!status) status = run_folder_make(database->home, id, &made, error);
    }
    if (status) id[0] = 0;
    return status;
}

/* Who works on the run, from parameter `first` on: pid, process_start, boot. */
static void bind_process(sqlite3_stmt *statement, int first)
{
    struct process_mark mark;
    process_mark_self(&mark);
    sqlite3_bind_int64(statement, first, mark.pid);
    sqlite3_bind_int64(statement, first + 1, mark.start);
    sqlite3_bind_text(statement, first + 2, mark.boot, -1, SQLITE_TRANSIENT);
}

static bramble_status insert(const struct run_database *database, const char *id, const char *kind,
                             const char *const *words, double started, bramble_error *error)
{
    struct str text = {0};
    for (; *words; words++) str_append(&text, *words, strlen(*words) + 1);
    char *here = getcwd(NULL, 0);
    sqlite3_stmt *statement = NULL;
    bramble_status status = text.failed ? error_memory(error, "the command line") : BRAMBLE_OK;
    if (!status)
        status = run_database_prepare(database, &statement,
                                      "INSERT INTO runs (id, kind, words, directory, started, pid, "
                                      "process_start, boot, state) "
                                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'running')",
                                      error);
    if (!status) {
        sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, kind, -1, SQLITE_STATIC);
        sqlite3_bind_blob64(statement, 3, text.data ? text.data : "", text.length, SQLITE_STATIC);
        sqlite3_bind_blob64(statement, 4, here ? here : "", here ? strlen(here) : 0, SQLITE_STATIC);
        sqlite3_bind_double(statement, 5, started);
        bind_process(statement, 6);
        status = run_database_finish(database, statement, error);
    }
    free(here);
    str_fini(&text);
    return status;
}

bramble_status run_store_begin(struct run_place *out, const char *kind, const char *const *words,
                               bramble_error *error)
{
    struct run_database database;
    bramble_status status = run_database_open(&database, NULL, true, error);
    if (status) return status;
    char id[ID_BYTES] = "";
    double started = clock_unix_seconds();
    struct run_place place = {0};
    status = run_database_begin(&database, error);
    if (!status) {
        status = take_id(&database, kind, id, error);
        if (!status) status = insert(&database, id, kind, words, started, error);
        if (!status) status = place_fill(&place, database.home, id, started, error);
        status = run_database_end(&database, status, error);
        if (status && id[0]) run_folder_remove(database.home, id, NULL);
    }
    run_database_close(&database);
    if (status)
        run_place_fini(&place);
    else
        *out = place;
    return status;
}

static bramble_status check_stopped(const bramble_run_info *run, const char *what, bramble_error *error)
{
    if (run->state != BRAMBLE_RUN_RUNNING) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_USAGE, "%s still runs; stop it before you %s it", run->id, what);
}

static bramble_status take_over(const struct run_database *database, const bramble_run_info *run,
                                bramble_error *error)
{
    bramble_status status = check_stopped(run, "resume", error);
    if (status) return status;
    if (run->state == BRAMBLE_RUN_FINISHED)
        return error_set(error, BRAMBLE_ERR_USAGE, "%s is finished; there is nothing to resume", run->id);
    sqlite3_stmt *statement;
    status =
        run_database_prepare(database, &statement,
                             "UPDATE runs SET state = 'running', ended = NULL, message = NULL, pid = ?2, "
                             "process_start = ?3, boot = ?4 WHERE id = ?1",
                             error);
    if (status) return status;
    sqlite3_bind_text(statement, 1, run->id, -1, SQLITE_STATIC);
    bind_process(statement, 2);
    return run_database_finish(database, statement, error);
}

bramble_status run_store_resume(struct run_place *out, const char *id, bramble_error *error)
{
    struct run_database database;
    struct bramble_run_list *list = NULL;
    struct run_place place = {0};
    bool made;
    bramble_status status = run_database_open(&database, NULL, true, error);
    if (status) return status;
    status = run_database_begin(&database, error);
    if (!status) {
        status = run_list_find(&list, &database, id, error);
        if (!status) status = take_over(&database, list->runs, error);
        if (!status) status = run_folder_make(database.home, list->runs->id, &made, error);
        if (!status) status = place_fill(&place, database.home, list->runs->id, list->runs->started, error);
        status = run_database_end(&database, status, error);
    }
    run_list_free(list);
    run_database_close(&database);
    if (status)
        run_place_fini(&place);
    else
        *out = place;
    return status;
}

static bramble_status gone(const struct run_place *place, bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_IO, "%s: the run store has no %s any more; its end is not kept",
                     place->home, place->id);
}

static void bind_text(sqlite3_stmt *statement, int i, const char *text)
{
    if (text) sqlite3_bind_text(statement, i, text, -1, SQLITE_STATIC);
}

/* SQLite looks at the text, which also survives running out of memory; jansson's reader does not. */
static bramble_status check_summary(const struct run_database *database, const char *summary,
                                    bramble_error *error)
{
    if (!summary) return BRAMBLE_OK;
    sqlite3_stmt *statement;
    bramble_status status = run_database_prepare(
        database, &statement, "SELECT CASE WHEN json_valid(?1) THEN json_type(?1) = 'object' ELSE 0 END",
        error);
    if (status) return status;
    bind_text(statement, 1, summary);
    if (sqlite3_step(statement) != SQLITE_ROW)
        status = run_database_failure(database, error);
    else if (!sqlite3_column_int(statement, 0))
        status = error_set(error, BRAMBLE_ERR_USAGE, "a run's summary must be a JSON object");
    sqlite3_finalize(statement);
    return status;
}

static bramble_status update(const struct run_database *database, const struct run_place *place,
                             bramble_run_state state, double seconds, const char *summary,
                             const char *message, bramble_error *error)
{
    sqlite3_stmt *statement;
    bramble_status status = check_summary(database, summary, error);
    if (status) return status;
    status =
        run_database_prepare(database, &statement,
                             "UPDATE runs SET state = ?2, ended = ?3, seconds = coalesce(seconds, 0) + ?4, "
                             "summary = ?5, message = ?6, model_hash = json_extract(?5, '$.model_hash') "
                             "WHERE id = ?1",
                             error);
    if (status) return status;
    sqlite3_bind_text(statement, 1, place->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, run_state_name(state), -1, SQLITE_STATIC);
    sqlite3_bind_double(statement, 3, clock_unix_seconds());
    sqlite3_bind_double(statement, 4, seconds);
    bind_text(statement, 5, summary);
    bind_text(statement, 6, message);
    status = run_database_finish(database, statement, error);
    if (!status && sqlite3_changes(database->db) != 1) status = gone(place, error);
    return status;
}

bramble_status run_store_finish(const struct run_place *place, bramble_run_state state, double seconds,
                                const char *summary, const char *message, bramble_error *error)
{
    struct run_database database;
    bramble_status status = run_database_open(&database, place->home, false, error);
    if (status) return status;
    status =
        database.db ? update(&database, place, state, seconds, summary, message, error) : gone(place, error);
    run_database_close(&database);
    return status;
}

bramble_status run_store_remove(const char *id, bramble_error *error)
{
    struct run_database database;
    struct bramble_run_list *list = NULL;
    bramble_status status = run_database_open(&database, NULL, false, error);
    if (status) return status;
    status = run_list_find(&list, &database, id, error);
    if (!status) status = check_stopped(list->runs, "remove", error);
    if (!status) status = run_folder_remove(database.home, list->runs->id, error);
    sqlite3_stmt *statement;
    if (!status)
        status = run_database_prepare(&database, &statement, "DELETE FROM runs WHERE id = ?1", error);
    if (!status) {
        sqlite3_bind_text(statement, 1, list->runs->id, -1, SQLITE_STATIC);
        status = run_database_finish(&database, statement, error);
    }
    run_list_free(list);
    run_database_close(&database);
    return status;
}
