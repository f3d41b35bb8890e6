/* bramble runs: what was trained, and how it went. */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "common.h"
#include "report/readable.h"
#include "run_text.h"

enum { ID_COLUMNS = 12 };

struct runs_values {
    uint32_t limit;
    const char *remove;
    bool json;
};

static bramble_status print_run(const bramble_run_info *run, bramble_error *error)
{
    struct str line = {0};
    char when[32];
    run_command_line(run, &line);
    if (line.failed) {
        str_fini(&line);
        return error_memory(error, "the list of runs");
    }
    run_time(run->started, when, sizeof when);
    printf("%-*s  %-11s  %-19s  %12s  ", ID_COLUMNS, run->id, bramble_run_state_name(run->state), when,
           run->seconds >= 0 ? readable_seconds(run->seconds).text : "-");
    readable_write(stdout, line.data + sizeof "bramble", false);
    printf("\n");
    str_fini(&line);
    return BRAMBLE_OK;
}

static bramble_status print_text(const bramble_run_list *list, bramble_error *error)
{
    size_t n = bramble_run_list_length(list);
    if (n == 0) printf("no runs yet; 'bramble train' makes some\n");
    if (n) printf("%-*s  %-11s  %-19s  %12s  %s\n", ID_COLUMNS, "run", "state", "began", "took", "command");
    bramble_status status = BRAMBLE_OK;
    for (size_t i = 0; !status && i < n; i++) status = print_run(bramble_run_list_at(list, i), error);
    return status;
}

static bramble_status print_json(const bramble_run_list *list, bramble_error *error)
{
    json_t *runs = json_array();
    struct json_out out;
    json_out_init(&out);
    for (size_t i = 0; i < bramble_run_list_length(list); i++) {
        struct json_out run;
        json_out_init(&run);
        run_put(&run, bramble_run_list_at(list, i));
        if (run.failed || json_array_append(runs, run.root) != 0) out.failed = true;
        json_decref(run.root);
    }
    json_out_put(&out, "runs", runs);
    return json_out_end(&out, error);
}

static bramble_status remove_run(const struct runs_values *v, bramble_error *error)
{
    bramble_run_list *list;
    bramble_status status = bramble_run_list_one(&list, v->remove, error);
    if (status) return status;
    const char *id = bramble_run_list_at(list, 0)->id;
    status = bramble_run_remove(id, error);
    if (!status && v->json) {
        struct json_out out;
        json_out_init(&out);
        json_out_text(&out, "removed", id);
        status = json_out_end(&out, error);
    } else if (!status) {
        printf("removed %s\n", id);
    }
    bramble_run_list_free(list);
    return status;
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct runs_values *v = values;
    if (v->remove) return remove_run(v, error);
    bramble_run_list *list;
    bramble_status status = bramble_run_list_all(&list, v->limit, error);
    if (status) return status;
    status = v->json ? print_json(list, error) : print_text(list, error);
    bramble_run_list_free(list);
    return status;
}

static const char *const paragraphs[] = {
    "Lists the trainings that were run, the newest first: their names, how they ended, and their command "
    "lines. 'bramble show RUN' tells more of one.",
    "Runs are kept in the folder that the variable BRAMBLE_HOME names, else in $XDG_DATA_HOME/bramble, else "
    "in "
    "~/.local/share/bramble, where nobody else can read them.",
    NULL,
};

static const struct option options[] = {
    {.name = "limit",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = FIELD(runs_values, limit),
     .fallback = "20",
     .help = "list this many at most; 0 lists all"},
    {.name = "remove",
     .value = "RUN",
     .kind = OPTION_TEXT,
     .offset = FIELD(runs_values, remove),
     .help = "forget this run (or the last) and delete its folder, instead of listing; models stay"},
    OPTION_JSON_OF(runs_values),
    {.name = NULL},
};

static const struct json_field fields[] = {
    {"runs", "a list, each with what bramble show --json prints"},
    {"removed", "with --remove: name of the run that was removed"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble runs --limit 5", "the last five"},
    {"bramble runs --remove forest-3", "forgets that run"},
    {NULL, NULL},
};

const struct command command_runs = {
    .name = "runs",
    .summary = "list what was trained, and how it went",
    .paragraphs = paragraphs,
    .options = options,
    .fields = fields,
    .examples = examples,
    .defaults = &(const struct runs_values){.limit = 20},
    .values_size = sizeof(struct runs_values),
    .run = run,
};
