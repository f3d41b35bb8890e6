/* The store's SQLite file, HOME/runs.db: opening, its schema's versions, and SQLite's failures in our words.
 */
#ifndef REPORT_RUN_DATABASE_H
#define REPORT_RUN_DATABASE_H

#include <stdbool.h>

#include <bramble/error.h>
#include <sqlite3.h>

struct run_database {
    sqlite3 *db; /* NULL: there is no store yet */
    char *home, *path;
};

/*
 * home: the store's folder, or NULL for run_home's. With `create` the store is made where there is none. One
 * of an older version is brought up to this one's; a newer one (BRAMBLE_ERR_UNSUPPORTED) and a damaged one
 * (BRAMBLE_ERR_DATA) are refused and stay as they are.
 */
bramble_status run_database_open(struct run_database *out, const char *home, bool create,
                                 bramble_error *error);
void run_database_close(struct run_database *database);

/* What SQLite's last failure means. */
bramble_status run_database_failure(const struct run_database *database, bramble_error *error);

/* sqlite3_finalize it, also after a failure. */
bramble_status run_database_prepare(const struct run_database *database, sqlite3_stmt **out, const char *sql,
                                    bramble_error *error);

/* Runs statements that give no rows. */
bramble_status run_database_execute(const struct run_database *database, const char *sql,
                                    bramble_error *error);

/* Runs a statement that gives no rows, and finalizes it. */
bramble_status run_database_finish(const struct run_database *database, sqlite3_stmt *statement,
                                   bramble_error *error);

/* Between begin and end others wait; a status other than BRAMBLE_OK undoes what was done, and is returned. */
bramble_status run_database_begin(const struct run_database *database, bramble_error *error);
bramble_status run_database_end(const struct run_database *database, bramble_status status,
                                bramble_error *error);

#endif
