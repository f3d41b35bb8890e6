/* bramble resume: goes on with a run that did not come to its end. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bramble/run.h>

#include "base/error.h"
#include "common.h"

struct resume_values {
    const char *run;
};

static bramble_status check_state(const bramble_run_info *run, bramble_error *error)
{
    if (run->state == BRAMBLE_RUN_RUNNING)
        return error_set(error, BRAMBLE_ERR_USAGE, "%s still runs; stop it before you resume it", run->id);
    if (run->state == BRAMBLE_RUN_FINISHED)
        return error_set(error, BRAMBLE_ERR_USAGE, "%s is finished; there is nothing to resume", run->id);
    return BRAMBLE_OK;
}

static bramble_status resume(const bramble_run_info *run, bramble_error *error)
{
    bramble_status status = check_state(run, error);
    if (status) return status;
    if (chdir(run->directory) != 0)
        return error_set(error, BRAMBLE_ERR_IO,
                         "%s: %s was begun in this folder, and it cannot be entered: %s", run->directory,
                         run->id, strerror(errno));
    return command_line_resume((char *const *)run->words, run->id, error);
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct resume_values *v = values;
    bramble_run_list *list;
    bramble_status status = bramble_run_list_one(&list, v->run, error);
    if (status) return status;
    status = resume(bramble_run_list_at(list, 0), error);
    bramble_run_list_free(list);
    return status;
}

static const char *const paragraphs[] = {
    "Goes on with a run that was interrupted, or failed, from what its journal or checkpoint holds: with the "
    "options it was begun with, in the folder it was begun in. The model will be the one an undisturbed run "
    "would have made.",
    "A forest that is trained on this machine alone has no journal: begin it again.",
    NULL,
};

static const struct argument arguments[] = {
    {.name = "RUN",
     .help = "a run's name (bramble runs lists them), or last",
     .offset = FIELD(resume_values, run)},
    {.name = NULL},
};

static const struct example examples[] = {
    {"bramble resume last", "goes on with the run that began last"},
    {NULL, NULL},
};

static const struct option options[] = {{.name = NULL}};

const struct command command_resume = {
    .name = "resume",
    .summary = "go on with a run that was interrupted",
    .paragraphs = paragraphs,
    .arguments = arguments,
    .options = options,
    .examples = examples,
    .defaults = &(const struct resume_values){0},
    .values_size = sizeof(struct resume_values),
    .run = run,
};
