/* bramble show: one run, from the command line to what came of it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "common.h"
#include "report/progress.h"
#include "report/readable.h"
#include "run_curve.h"
#include "run_text.h"

struct show_values {
    const char *run, *plot;
    bool events, json;
};

static void print_line(const char *name, const char *text)
{
    printf("%-12s", name);
    readable_write(stdout, text, false);
    printf("\n");
}

/* A value on one line; lists and objects as JSON. */
static void print_value(const json_t *value)
{
    if (json_is_string(value)) {
        readable_write(stdout, json_string_value(value), false);
    } else if (json_is_real(value)) {
        printf("%s", readable_number(json_real_value(value)).text);
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
        readable_write(stdout, text ? text : "?", false);
        void (*release)(void *);
        json_get_alloc_funcs(NULL, &release);
        release(text);
    }
}

static void print_summary(const bramble_run_info *run)
{
    json_t *summary = run->summary ? json_loads(run->summary, 0, NULL) : NULL, *value;
    const char *key;
    if (summary) printf("results\n");
    json_object_foreach(summary, key, value)
    {
        printf("  %-20s ", readable_name(key, 40).text);
        print_value(value);
        printf("\n");
    }
    json_decref(summary);
}

/* "    12.3 s  joined        node pi4, rate 2.5" */
static bramble_status print_event(void *context, const char *text, bramble_error *error)
{
    (void)context;
    json_t *event = json_loads(text, 0, NULL), *value;
    if (!event) return error_memory(error, "an event");
    const char *key, *between = "  ";
    printf("%10.1f s  %-12s", json_number_value(json_object_get(event, "seconds")),
           readable_name(json_string_value(json_object_get(event, "event")), 24).text);
    json_object_foreach(event, key, value)
    {
        if (strcmp(key, "time") == 0 || strcmp(key, "seconds") == 0 || strcmp(key, "event") == 0) continue;
        printf("%s%s ", between, readable_name(key, 40).text);
        print_value(value);
        between = ", ";
    }
    printf("\n");
    json_decref(event);
    return BRAMBLE_OK;
}

static void print_run(const bramble_run_info *run)
{
    struct str line = {0};
    char when[32];
    run_command_line(run, &line);
    printf("%-12s%s: ", "run", run->id);
    readable_write(stdout, run->kind, false);
    printf(", %s\n", bramble_run_state_name(run->state));
    print_line("command", line.failed ? "?" : line.data);
    print_line("in", run->directory);
    run_time(run->started, when, sizeof when);
    print_line("began", when);
    if (run->seconds >= 0) print_line("took", readable_seconds(run->seconds).text);
    if (run->message) print_line("because", run->message);
    print_line("folder", run->folder);
    print_summary(run);
    str_fini(&line);
}

static bramble_status collect_event(void *context, const char *text, bramble_error *error)
{
    if (json_array_append_new(context, json_loads(text, 0, NULL)) == 0) return BRAMBLE_OK;
    return error_memory(error, "the events");
}

static bramble_status print_json(const bramble_run_info *run, bool events, bramble_error *error)
{
    struct json_out out;
    json_out_init(&out);
    run_put(&out, run);
    bramble_status status = BRAMBLE_OK;
    if (events) {
        json_t *list = json_array();
        if (list) status = bramble_run_events(run->folder, collect_event, list, error);
        json_out_put(&out, "events", list);
    }
    if (!status) return json_out_end(&out, error);
    json_decref(out.root);
    return status;
}

static bramble_status print_curve(const bramble_run_info *run, bramble_error *error)
{
    struct run_curve curve;
    struct str chart = {0};
    bramble_status status = run_curve_read(&curve, run, error);
    if (status) return status;
    run_curves_chart(&chart, &(const struct named_curve){run->id, &curve}, 1, progress_columns(stdout));
    if (chart.failed) status = error_memory(error, "the curves");
    if (!status && chart.length) fwrite(chart.data, 1, chart.length, stdout);
    str_fini(&chart);
    run_curve_fini(&curve);
    return status;
}

static bramble_status print_text(const bramble_run_info *run, bool events, bramble_error *error)
{
    print_run(run);
    bramble_status status = print_curve(run, error);
    if (status) return status;
    if (!events) return BRAMBLE_OK;
    printf("events\n");
    return bramble_run_events(run->folder, print_event, NULL, error);
}

static bramble_status draw(const bramble_run_info *run, const char *path, bramble_error *error)
{
    struct run_curve curve;
    bramble_status status = run_curve_read(&curve, run, error);
    if (status) return status;
    status = run_curves_plot(path, &(const struct named_curve){run->id, &curve}, 1, error);
    run_curve_fini(&curve);
    return status;
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct show_values *v = values;
    bramble_run_list *list;
    bramble_status status = v->plot ? check_plot(v->plot, error) : BRAMBLE_OK;
    if (!status) status = bramble_run_list_one(&list, v->run, error);
    if (status) return status;
    const bramble_run_info *info = bramble_run_list_at(list, 0);
    if (v->plot) status = draw(info, v->plot, error);
    if (!status) status = v->json ? print_json(info, v->events, error) : print_text(info, v->events, error);
    bramble_run_list_free(list);
    return status;
}

static const char *const paragraphs[] = {
    "Tells what is kept of a run: its command line, when it began and how long it worked, how it ended, what "
    "came of it, and with --events what happened on the way. Of a network's training also loss and accuracy "
    "over epochs.",
    NULL,
};

static const struct argument arguments[] = {
    {.name = "RUN",
     .help = "a run's name (bramble runs lists them), or last",
     .offset = FIELD(show_values, run)},
    {.name = NULL},
};

static const struct option options[] = {
    {.name = "events",
     .kind = OPTION_FLAG,
     .offset = FIELD(show_values, events),
     .help = "also what happened, in order, with the seconds since the run began"},
    OPTION_PLOT_OF(show_values),
    OPTION_JSON_OF(show_values),
    {.name = NULL},
};

static const struct json_field fields[] = {
    RUN_FIELDS,
    {"events", "with --events: a list of what happened (docs/formats.md)"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble show last", "the run that began last"},
    {"bramble show forest-3 --events", "with its log of events"},
    {"bramble show net-2 --plot net-2.svg", "with a picture of how the training went"},
    {NULL, NULL},
};

const struct command command_show = {
    .name = "show",
    .summary = "tell what is kept of a run",
    .paragraphs = paragraphs,
    .arguments = arguments,
    .options = options,
    .fields = fields,
    .examples = examples,
    .defaults = &(const struct show_values){0},
    .values_size = sizeof(struct show_values),
    .run = run,
};
