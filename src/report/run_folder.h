/* Where runs are kept: the store's folder, and in it one folder a run. All are private to their user. */
#ifndef REPORT_RUN_FOLDER_H
#define REPORT_RUN_FOLDER_H

#include <stdbool.h>

#include <bramble/error.h>

/* The store's folder, absolute: $BRAMBLE_HOME, else $XDG_DATA_HOME/bramble, else ~/.local/share/bramble. With
 * `create` it is made where it is missing. *out is yours to mem_free. */
bramble_status run_home(char **out, bool create, bramble_error *error);

/* home/runs/id; NULL: out of memory. */
char *run_folder_path(const char *home, const char *id);

/* Makes that folder; *made is false when there is one already. */
bramble_status run_folder_make(const char *home, const char *id, bool *made, bramble_error *error);

/* Removes it with all that is in it; one that is not there is fine. Links are removed, not followed. */
bramble_status run_folder_remove(const char *home, const char *id, bramble_error *error);

/* Whether a text can be a run's id: small letters, digits and hyphens. */
bool run_id_valid(const char *id);

#endif
