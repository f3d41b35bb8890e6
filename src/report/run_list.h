/* Rows of the run store, read into memory. */
#ifndef REPORT_RUN_LIST_H
#define REPORT_RUN_LIST_H

#include <bramble/run.h>

#include "report/run_database.h"

struct bramble_run_list {
    size_t n, capacity;
    bramble_run_info *runs; /* texts are the list's */
};

/* The word that stands for a state, in the store and for people. */
const char *run_state_name(bramble_run_state state);

/* The newest first, at most `limit` (0: all). */
bramble_status run_list_read(struct bramble_run_list **out, const struct run_database *database, size_t limit,
                             bramble_error *error);
/* The run of this id, or "last"; BRAMBLE_ERR_USAGE when there is none. */
bramble_status run_list_find(struct bramble_run_list **out, const struct run_database *database,
                             const char *id, bramble_error *error);
void run_list_free(struct bramble_run_list *list); /* NULL is fine */

#endif
