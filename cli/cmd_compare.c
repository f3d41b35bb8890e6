/* bramble compare: two runs side by side. */
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "common.h"
#include "comparison.h"
#include "json_out.h"
#include "report/progress.h"
#include "report/readable.h"

enum { NAME_COLUMNS = 22, VALUE_COLUMNS = 24 };

struct compare_values {
    const char *runs[2], *plot;
    bool json;
};

static void print_row(const char *name, const char *a, const char *b)
{
    printf("%-*s", NAME_COLUMNS, readable_name(name, NAME_COLUMNS - 1).text);
    struct readable left = readable_name(a, VALUE_COLUMNS);
    printf("%s%*s  %s\n", left.text, (int)(VALUE_COLUMNS - readable_columns(left.text)), "",
           readable_name(b, VALUE_COLUMNS).text);
}

static void print_setting(void *context, const char *name, const char *const values[2])
{
    char label[64];
    bool *any = context;
    if (!*any) printf("settings that differ\n");
    *any = true;
    snprintf(label, sizeof label, "  %.60s", name);
    print_row(label, values[0], values[1]);
}

/* "0.9012  0.8840  -1.91 %" */
static void print_figure(void *context, const char *name, const double values[2])
{
    char label[64], second[96];
    bool *any = context;
    if (!*any) printf("figures\n");
    *any = true;
    double change = values[1] / values[0] - 1;
    snprintf(label, sizeof label, "  %.60s", name);
    if (values[0] != values[1] && isfinite(change))
        snprintf(second, sizeof second, "%.40s  (%+.2f %%)", readable_number(values[1]).text, 100 * change);
    else
        snprintf(second, sizeof second, "%.40s", readable_number(values[1]).text);
    print_row(label, readable_number(values[0]).text, second);
}

static void print_head(const struct compared_run runs[2])
{
    const bramble_run_info *a = runs[0].info, *b = runs[1].info;
    print_row("", a->id, b->id);
    print_row("kind", a->kind, b->kind);
    print_row("state", bramble_run_state_name(a->state), bramble_run_state_name(b->state));
    print_row("took", a->seconds >= 0 ? readable_seconds(a->seconds).text : "-",
              b->seconds >= 0 ? readable_seconds(b->seconds).text : "-");
}

static bramble_status print_text(const struct compared_run runs[2], bramble_error *error)
{
    bool settings = false, figures = false;
    print_head(runs);
    comparison_settings(runs, print_setting, &settings);
    if (!settings && runs[0].settings.command == runs[1].settings.command)
        printf("all settings are the same\n");
    comparison_figures(runs, print_figure, &figures);
    const struct named_curve curves[2] = {{runs[0].info->id, &runs[0].curve},
                                          {runs[1].info->id, &runs[1].curve}};
    struct str chart = {0};
    run_curves_chart(&chart, curves, 2, progress_columns(stdout));
    bramble_status status = chart.failed ? error_memory(error, "the curves") : BRAMBLE_OK;
    if (!status && chart.length) fwrite(chart.data, 1, chart.length, stdout);
    str_fini(&chart);
    return status;
}

static void put_setting(void *context, const char *name, const char *const values[2])
{
    struct json_out *out = context;
    json_t *pair = json_array();
    for (unsigned r = 0; r < 2; r++)
        if (json_array_append_new(pair, json_from_text(values[r])) != 0) out->failed = true;
    json_out_put(out, name, pair);
}

static void put_figure(void *context, const char *name, const double values[2])
{
    struct json_out *out = context;
    json_t *pair = json_array();
    for (unsigned r = 0; r < 2; r++)
        if (json_array_append_new(pair, json_from_number(values[r])) != 0) out->failed = true;
    json_out_put(out, name, pair);
}

static json_t *numbers_to_json(const double *numbers, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        if (json_array_append_new(list, json_from_number(numbers[i])) == 0) continue;
        json_decref(list);
        return NULL;
    }
    return list;
}

static void put_curve(struct json_out *curves, const struct compared_run *run)
{
    struct json_out out;
    json_out_init(&out);
    json_out_put(&out, "epoch", numbers_to_json(run->curve.epochs, run->curve.n));
    for (unsigned f = 0; f < RUN_FIGURES; f++)
        json_out_put(&out, run_figure_keys[f], numbers_to_json(run->curve.figures[f], run->curve.n));
    if (out.failed) curves->failed = true;
    if (json_array_append(curves->root, out.root) != 0) curves->failed = true;
    json_decref(out.root);
}

static bramble_status print_json(const struct compared_run runs[2], bramble_error *error)
{
    struct json_out out, settings, figures, curves = {.root = json_array()};
    json_t *ids = json_array();
    json_out_init(&out);
    json_out_init(&settings);
    json_out_init(&figures);
    for (unsigned r = 0; r < 2; r++) {
        if (json_array_append_new(ids, json_from_text(runs[r].info->id)) != 0) out.failed = true;
        put_curve(&curves, &runs[r]);
    }
    comparison_settings(runs, put_setting, &settings);
    comparison_figures(runs, put_figure, &figures);
    out.failed |= settings.failed || figures.failed || curves.failed;
    json_out_put(&out, "runs", ids);
    json_out_put(&out, "settings", settings.root);
    json_out_put(&out, "figures", figures.root);
    json_out_put(&out, "curves", curves.root);
    return json_out_end(&out, error);
}

static bramble_status tell(const struct compared_run runs[2], const struct compare_values *v,
                           bramble_error *error)
{
    const struct named_curve curves[2] = {{runs[0].info->id, &runs[0].curve},
                                          {runs[1].info->id, &runs[1].curve}};
    bramble_status status = v->plot ? run_curves_plot(v->plot, curves, 2, error) : BRAMBLE_OK;
    if (status) return status;
    return v->json ? print_json(runs, error) : print_text(runs, error);
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct compare_values *v = values;
    struct compared_run runs[2] = {0};
    bramble_status status = v->plot ? check_plot(v->plot, error) : BRAMBLE_OK;
    for (unsigned r = 0; !status && r < 2; r++) status = compared_run_read(&runs[r], v->runs[r], error);
    if (!status) status = tell(runs, v, error);
    for (unsigned r = 0; r < 2; r++) compared_run_fini(&runs[r]);
    return status;
}

static const char *const paragraphs[] = {
    "Puts two runs side by side: the settings in which they differ, the figures that came of them, and, "
    "where they trained in epochs, loss and accuracy over epochs, of the validation rows where there are.",
    NULL,
};

static const struct argument arguments[] = {
    {.name = "A",
     .help = "a run's name (bramble runs lists them), or last",
     .offset = FIELD(compare_values, runs[0])},
    {.name = "B", .help = "another", .offset = FIELD(compare_values, runs[1])},
    {.name = NULL},
};

static const struct option options[] = {
    OPTION_PLOT_OF(compare_values),
    OPTION_JSON_OF(compare_values),
    {.name = NULL},
};

static const struct json_field fields[] = {
    {"runs", "the two names"},
    {"settings", "for each option and argument that differs, a list of both values"},
    {"figures", "for each number that either printed with --json, a list of both; null where there is none"},
    {"curves", "for each run an object of lists, an epoch after the other: epoch, loss, validation_loss, "
               "accuracy, validation_accuracy, learning_rate, samples_per_second"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble compare net-1 net-2", "what another learning rate brought"},
    {"bramble compare net-1 last --plot curves.svg", "both curves in one picture"},
    {NULL, NULL},
};

const struct command command_compare = {
    .name = "compare",
    .summary = "put two runs side by side",
    .paragraphs = paragraphs,
    .arguments = arguments,
    .options = options,
    .fields = fields,
    .examples = examples,
    .defaults = &(const struct compare_values){.json = false},
    .values_size = sizeof(struct compare_values),
    .run = run,
};
