#include "kept_run.h"

#include <stdio.h>

static void warn(const bramble_error *why)
{
    fprintf(stderr, "bramble: warning: this run is not kept: %s\n", why->message);
}

bramble_run *kept_run_begin(const char *kind, char *const *words)
{
    bramble_run *run;
    bramble_error error = {0};
    if (!bramble_run_begin(&run, kind, (const char *const *)words, &error)) return run;
    warn(&error);
    return NULL;
}

void kept_run_end(bramble_run *run, bramble_status status, const bramble_error *error, const char *summary)
{
    if (!run) return;
    bramble_run_state state = BRAMBLE_RUN_FAILED;
    if (!status) state = BRAMBLE_RUN_FINISHED;
    if (status == BRAMBLE_ERR_CANCELLED) state = BRAMBLE_RUN_INTERRUPTED;
    bramble_error failure = {0};
    if (bramble_run_finish(run, state, summary, status && error ? error->message : NULL, &failure))
        warn(&failure);
    bramble_run_free(run);
}
