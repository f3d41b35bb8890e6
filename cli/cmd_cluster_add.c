/* bramble cluster add: one more machine for a training that runs. */
#include <stdio.h>

#include "base/error.h"
#include "common.h"

struct cluster_add_values {
    const char *host, *run;
};

static bramble_status join(const struct cluster_add_values *v, const bramble_run_info *run,
                           bramble_error *error)
{
    if (run->state != BRAMBLE_RUN_RUNNING)
        return error_set(error, BRAMBLE_ERR_USAGE, "run %s is %s; machines can join only while it runs",
                         run->id, bramble_run_state_name(run->state));
    bramble_status status = bramble_engine_join(run->folder, v->host, error);
    if (!status) printf("%s is asked to join %s\n", v->host, run->id);
    return status;
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct cluster_add_values *v = values;
    bramble_run_list *list;
    bramble_status status = bramble_run_list_one(&list, v->run, error);
    if (status) return status;
    status = join(v, bramble_run_list_at(list, 0), error);
    bramble_run_list_free(list);
    return status;
}

static const char *const paragraphs[] = {
    "Adds a machine to a training that runs on a cluster. It is used as soon as it answers and has the data, "
    "within seconds; should it not answer, the training's own output says why. The cluster's file stays as "
    "it is.",
    NULL,
};

static const struct argument arguments[] = {
    {.name = "HOST", .help = "the machine, as ssh is given it", .offset = FIELD(cluster_add_values, host)},
    {.name = NULL},
};

static const struct option options[] = {
    {.name = "run",
     .value = "RUN",
     .kind = OPTION_TEXT,
     .offset = FIELD(cluster_add_values, run),
     .fallback = "last",
     .help = "the run it shall join (see bramble runs)"},
    {.name = NULL},
};

static const struct example examples[] = {
    {"bramble cluster add pi4-5 --run forest-3", "one more Pi"},
    {NULL, NULL},
};

const struct command command_cluster_add = {
    .name = "cluster add",
    .summary = "let one more machine take part in a training",
    .paragraphs = paragraphs,
    .arguments = arguments,
    .options = options,
    .examples = examples,
    .defaults = &(const struct cluster_add_values){.run = "last"},
    .values_size = sizeof(struct cluster_add_values),
    .run = run,
};
