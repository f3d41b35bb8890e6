#include "report/run_database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "report/run_folder.h"

enum { BUSY_TIMEOUT_MS = 10000 };

/* What brings the file from each version to the next; an empty file is of version 0. Never change an entry
 * that was released: add one. */
static const char *const migrations[] = {
    "CREATE TABLE counters (name TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT;"
    "CREATE TABLE runs ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL UNIQUE,"
    " kind TEXT NOT NULL,"
    " words BLOB NOT NULL," /* each ends with a zero byte: file names need not be UTF-8 */
    " directory BLOB NOT NULL,"
    " state TEXT NOT NULL,"
    " pid INTEGER NOT NULL,"
    " process_start INTEGER NOT NULL,"
    " boot TEXT NOT NULL,"
    " started REAL NOT NULL,"
    " ended REAL,"
    " seconds REAL,"
    " summary TEXT,"
    " message TEXT,"
    " model_hash TEXT) STRICT;",
};

enum { VERSION = sizeof migrations / sizeof *migrations };

bramble_status run_database_failure(const struct run_database *database, bramble_error *error)
{
    const char *path = database->path;
    switch (sqlite3_errcode(database->db)) {
    case SQLITE_NOMEM: return error_memory(error, "the run store");
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_ERROR:
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: the run store is damaged (%s); move this file away to begin a new one", path,
                         sqlite3_errmsg(database->db));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(error, BRAMBLE_ERR_IO, "%s: another program keeps the run store locked; try again",
                         path);
    case SQLITE_FULL:
        return error_set(error, BRAMBLE_ERR_IO, "%s: cannot write: the disk is full; make room", path);
    default:
        return error_set(error, BRAMBLE_ERR_IO,
                         "%s: cannot use the run store: %s; set BRAMBLE_HOME to a folder that is yours", path,
                         sqlite3_errmsg(database->db));
    }
}

bramble_status run_database_prepare(const struct run_database *database, sqlite3_stmt **out, const char *sql,
                                    bramble_error *error)
{
    *out = NULL;
    if (sqlite3_prepare_v2(database->db, sql, -1, out, NULL) == SQLITE_OK) return BRAMBLE_OK;
    return run_database_failure(database, error);
}

bramble_status run_database_execute(const struct run_database *database, const char *sql,
                                    bramble_error *error)
{
    if (sqlite3_exec(database->db, sql, NULL, NULL, NULL) == SQLITE_OK) return BRAMBLE_OK;
    return run_database_failure(database, error);
}

bramble_status run_database_finish(const struct run_database *database, sqlite3_stmt *statement,
                                   bramble_error *error)
{
    int result = sqlite3_step(statement);
    bramble_status status = result == SQLITE_DONE ? BRAMBLE_OK : run_database_failure(database, error);
    sqlite3_finalize(statement);
    return status;
}

bramble_status run_database_begin(const struct run_database *database, bramble_error *error)
{
    return run_database_execute(database, "BEGIN IMMEDIATE", error);
}

bramble_status run_database_end(const struct run_database *database, bramble_status status,
                                bramble_error *error)
{
    if (!status) status = run_database_execute(database, "COMMIT", error);
    if (status) run_database_execute(database, "ROLLBACK", NULL);
    return status;
}

static bramble_status read_version(const struct run_database *database, int *version, bramble_error *error)
{
    sqlite3_stmt *statement;
    bramble_status status = run_database_prepare(database, &statement, "PRAGMA user_version", error);
    if (status) return status;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *version = sqlite3_column_int(statement, 0);
    else
        status = run_database_failure(database, error);
    sqlite3_finalize(statement);
    return status;
}

/* In a transaction: the version is looked at again, as another program may have been first. */
static bramble_status migrate(const struct run_database *database, bramble_error *error)
{
    int version;
    bramble_status status = read_version(database, &version, error);
    for (; !status && version < VERSION; version++)
        status = run_database_execute(database, migrations[version], error);
    char pragma[64];
    snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", VERSION);
    return status ? status : run_database_execute(database, pragma, error);
}

static bramble_status bring_up_to_date(const struct run_database *database, bramble_error *error)
{
    int version;
    bramble_status status = read_version(database, &version, error);
    if (status || version == VERSION) return status;
    if (version < 0 || version > VERSION)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                         "%s: a newer bramble wrote this run store (version %d, this one knows %d); use that "
                         "one, or set BRAMBLE_HOME to another folder",
                         database->path, version, VERSION);
    status = run_database_begin(database, error);
    return status ? status : run_database_end(database, migrate(database, error), error);
}

/* Makes an empty file that nobody else may read; SQLite keeps its mode, for its journal too. */
static bramble_status make_private(const char *path, bramble_error *error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set(error, BRAMBLE_ERR_IO,
                         "%s: cannot write: %s; set BRAMBLE_HOME to a folder that is yours", path,
                         strerror(errno));
    close(fd);
    return BRAMBLE_OK;
}

static bramble_status open_file(struct run_database *database, bool create, bramble_error *error)
{
    if (create) {
        bramble_status status = make_private(database->path, error);
        if (status) return status;
    } else if (access(database->path, F_OK) != 0 && errno == ENOENT) {
        return BRAMBLE_OK;
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_PRIVATECACHE;
    if (sqlite3_open_v2(database->path, &database->db, flags, NULL) != SQLITE_OK)
        return database->db ? run_database_failure(database, error) : error_memory(error, "the run store");
    sqlite3_busy_timeout(database->db, BUSY_TIMEOUT_MS);
    sqlite3_db_config(database->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(database->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(database->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    return bring_up_to_date(database, error);
}

bramble_status run_database_open(struct run_database *out, const char *home, bool create,
                                 bramble_error *error)
{
    struct run_database database = {.home = home ? mem_strdup(home) : NULL};
    bramble_status status = BRAMBLE_OK;
    if (home && !database.home) status = error_memory(error, "the run store");
    if (!home) status = run_home(&database.home, create, error);
    if (status) return status;
    struct str path = {0};
    str_printf(&path, "%s/runs.db", database.home);
    database.path = str_take(&path);
    status = database.path ? open_file(&database, create, error) : error_memory(error, "the run store");
    if (status)
        run_database_close(&database);
    else
        *out = database;
    return status;
}

void run_database_close(struct run_database *database)
{
    sqlite3_close(database->db);
    mem_free(database->home);
    mem_free(database->path);
    *database = (struct run_database){0};
}
