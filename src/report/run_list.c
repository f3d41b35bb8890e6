#include "report/run_list.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "report/process_mark.h"
#include "report/run_folder.h"

#define COLUMNS                                                                                              \
    "SELECT id, kind, words, directory, state, started, ended, seconds, summary, message, model_hash, "      \
    "pid, process_start, boot FROM runs "

enum column {
    ID,
    KIND,
    WORDS,
    DIRECTORY,
    STATE,
    STARTED,
    ENDED,
    SECONDS,
    SUMMARY,
    MESSAGE,
    MODEL_HASH,
    PID,
    PROCESS_START,
    BOOT,
};

static const char *const state_names[] = {"running", "finished", "failed", "interrupted"};

const char *run_state_name(bramble_run_state state)
{
    return (unsigned)state < sizeof state_names / sizeof *state_names ? state_names[state] : "unknown";
}

static void info_fini(bramble_run_info *info)
{
    mem_free((char *)info->id);
    mem_free((char *)info->kind);
    mem_free((char **)info->words);
    mem_free((char *)info->directory);
    mem_free((char *)info->summary);
    mem_free((char *)info->message);
    mem_free((char *)info->model_hash);
    mem_free((char *)info->folder);
}

void run_list_free(struct bramble_run_list *list)
{
    if (!list) return;
    for (size_t i = 0; i < list->n; i++) info_fini(&list->runs[i]);
    mem_free(list->runs);
    mem_free(list);
}

/* A copy, terminated; with `optional` a NULL stays one. False: out of memory. */
static bool copy_text(const char **out, sqlite3_stmt *row, enum column column, bool optional)
{
    const void *bytes = sqlite3_column_blob(row, column);
    int length = sqlite3_column_bytes(row, column);
    if (optional && sqlite3_column_type(row, column) == SQLITE_NULL) return true;
    *out = mem_strndup(bytes ? bytes : "", length > 0 ? (size_t)length : 0);
    return *out != NULL;
}

/* Words that each end with a zero byte become a list, in one block with its text. */
static bool copy_words(bramble_run_info *info, sqlite3_stmt *row)
{
    const char *bytes = sqlite3_column_blob(row, WORDS);
    size_t length = (size_t)sqlite3_column_bytes(row, WORDS), n = 0;
    for (size_t i = 0; i < length; i++) n += !bytes[i];
    if (length && bytes[length - 1]) length = 0, n = 0; /* not what we write */
    const char **words = mem_alloc(1, (n + 1) * sizeof *words + length);
    if (!words) return false;
    char *text = (char *)(words + n + 1);
    if (length) memcpy(text, bytes, length);
    for (size_t i = 0; i < n; i++) {
        words[i] = text;
        text += strlen(text) + 1;
    }
    words[n] = NULL;
    info->words = words;
    info->n_words = n;
    return true;
}

static double number_of(sqlite3_stmt *row, enum column column)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL ? NAN : sqlite3_column_double(row, column);
}

static bool is_alive(sqlite3_stmt *row)
{
    struct process_mark mark = {.pid = sqlite3_column_int64(row, PID),
                                .start = sqlite3_column_int64(row, PROCESS_START)};
    const unsigned char *boot = sqlite3_column_text(row, BOOT);
    snprintf(mark.boot, sizeof mark.boot, "%s", boot ? (const char *)boot : "");
    return process_mark_alive(&mark);
}

/* False when the word is none of ours. */
static bool state_of(bramble_run_state *out, sqlite3_stmt *row)
{
    const unsigned char *word = sqlite3_column_text(row, STATE);
    for (unsigned i = 0; word && i < sizeof state_names / sizeof *state_names; i++) {
        if (strcmp(state_names[i], (const char *)word) != 0) continue;
        *out = (bramble_run_state)i;
        if (i == BRAMBLE_RUN_RUNNING && !is_alive(row)) *out = BRAMBLE_RUN_INTERRUPTED;
        return true;
    }
    return false;
}

static bramble_status fill(bramble_run_info *info, sqlite3_stmt *row, const struct run_database *database,
                           bramble_error *error)
{
    *info = (bramble_run_info){.started = number_of(row, STARTED),
                               .ended = number_of(row, ENDED),
                               .seconds = number_of(row, SECONDS)};
    bool copied = copy_text(&info->id, row, ID, false) && copy_text(&info->kind, row, KIND, false) &&
                  copy_words(info, row) && copy_text(&info->directory, row, DIRECTORY, false) &&
                  copy_text(&info->summary, row, SUMMARY, true) &&
                  copy_text(&info->message, row, MESSAGE, true) &&
                  copy_text(&info->model_hash, row, MODEL_HASH, true);
    info->folder = copied ? run_folder_path(database->home, info->id) : NULL;
    if (!info->folder) return error_memory(error, "the list of runs");
    if (run_id_valid(info->id) && state_of(&info->state, row)) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_DATA,
                     "%s: the run store is damaged (run \"%.40s\"); move this file away to begin a new one",
                     database->path, info->id);
}

static bramble_status add(struct bramble_run_list *list, sqlite3_stmt *row,
                          const struct run_database *database, bramble_error *error)
{
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        bramble_run_info *runs = mem_resize(list->runs, capacity, sizeof *runs);
        if (!runs) return error_memory(error, "the list of runs");
        list->runs = runs;
        list->capacity = capacity;
    }
    return fill(&list->runs[list->n++], row, database, error);
}

/* Runs `statement` to its end and finalizes it. */
static bramble_status read_rows(struct bramble_run_list **out, const struct run_database *database,
                                sqlite3_stmt *statement, bramble_error *error)
{
    struct bramble_run_list *list = mem_zalloc(1, sizeof *list);
    bramble_status status = list ? BRAMBLE_OK : error_memory(error, "the list of runs");
    int result = SQLITE_DONE;
    while (!status && (result = sqlite3_step(statement)) == SQLITE_ROW)
        status = add(list, statement, database, error);
    if (!status && result != SQLITE_DONE) status = run_database_failure(database, error);
    sqlite3_finalize(statement);
    if (status)
        run_list_free(list);
    else
        *out = list;
    return status;
}

static bramble_status empty_list(struct bramble_run_list **out, bramble_error *error)
{
    struct bramble_run_list *list = mem_zalloc(1, sizeof *list);
    if (!list) return error_memory(error, "the list of runs");
    *out = list;
    return BRAMBLE_OK;
}

bramble_status run_list_read(struct bramble_run_list **out, const struct run_database *database, size_t limit,
                             bramble_error *error)
{
    if (!database->db) return empty_list(out, error);
    sqlite3_stmt *statement;
    bramble_status status =
        run_database_prepare(database, &statement, COLUMNS "ORDER BY number DESC LIMIT ?1", error);
    if (status) return status;
    sqlite3_bind_int64(statement, 1, limit && limit <= INT64_MAX ? (sqlite3_int64)limit : -1);
    return read_rows(out, database, statement, error);
}

bramble_status run_list_find(struct bramble_run_list **out, const struct run_database *database,
                             const char *id, bramble_error *error)
{
    bool last = strcmp(id, "last") == 0;
    struct bramble_run_list *list = NULL;
    sqlite3_stmt *statement;
    bramble_status status = BRAMBLE_OK;
    if (database->db) {
        status = run_database_prepare(database, &statement,
                                      last ? COLUMNS "ORDER BY number DESC LIMIT 1" : COLUMNS "WHERE id = ?1",
                                      error);
        if (status) return status;
        if (!last) sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
        status = read_rows(&list, database, statement, error);
    }
    if (!status && (!list || !list->n))
        status = last ? error_set(error, BRAMBLE_ERR_USAGE, "there is no run yet")
                      : error_set(error, BRAMBLE_ERR_USAGE,
                                  "there is no run \"%.60s\"; 'bramble runs' lists them", id);
    if (status)
        run_list_free(list);
    else
        *out = list;
    return status;
}
