/* Runs that are kept where the run store can be written. Where not, a line on stderr says so, and the work
 * goes on without. */
#ifndef CLI_KEPT_RUN_H
#define CLI_KEPT_RUN_H

#include <bramble/run.h>

/* NULL when it is not kept. */
bramble_run *kept_run_begin(const char *kind, char *const *words);

/* Enters how it ended, as `status` and `error` say, and releases it; run may be NULL. */
void kept_run_end(bramble_run *run, bramble_status status, const bramble_error *error, const char *summary);

#endif
