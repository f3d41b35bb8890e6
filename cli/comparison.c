#include "comparison.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

enum { VALUE = 256 };

bramble_status compared_run_read(struct compared_run *out, const char *id, bramble_error *error)
{
    struct compared_run run = {0};
    bramble_status status = bramble_run_list_one(&run.list, id, error);
    if (status) return status;
    run.info = bramble_run_list_at(run.list, 0);
    run.summary = run.info->summary ? json_loads(run.info->summary, 0, NULL) : NULL;
    if (!run.summary) run.summary = json_object();
    if (!run.summary) status = error_memory(error, "a comparison");
    if (!status) status = run_settings_read(&run.settings, run.info, error);
    if (!status) status = run_curve_read(&run.curve, run.info, error);
    if (status)
        compared_run_fini(&run);
    else
        *out = run;
    return status;
}

void compared_run_fini(struct compared_run *run)
{
    json_decref(run->summary);
    run_curve_fini(&run->curve);
    run_settings_fini(&run->settings);
    bramble_run_list_free(run->list);
    *run = (struct compared_run){0};
}

void comparison_settings(const struct compared_run runs[2],
                         void (*visit)(void *context, const char *name, const char *const values[2]),
                         void *context)
{
    const struct command *command = runs[0].settings.command;
    char text[2][VALUE];
    if (!command || command != runs[1].settings.command) return;
    const char *const values[2] = {text[0], text[1]};
    for (const struct argument *a = command->arguments; a && a->name; a++) {
        for (unsigned r = 0; r < 2; r++) run_settings_argument(&runs[r].settings, a, text[r], VALUE);
        if (strcmp(text[0], text[1]) != 0) visit(context, a->name, values);
    }
    for (const struct option *o = command->options; o && o->name; o++) {
        for (unsigned r = 0; r < 2; r++) run_settings_option(&runs[r].settings, o, text[r], VALUE);
        if (strcmp(text[0], text[1]) != 0) visit(context, o->name, values);
    }
}

static double figure(const struct compared_run *run, const char *key)
{
    const json_t *value = json_object_get(run->summary, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

void comparison_figures(const struct compared_run runs[2],
                        void (*visit)(void *context, const char *name, const double values[2]), void *context)
{
    for (unsigned r = 0; r < 2; r++) {
        const char *key;
        json_t *value;
        json_object_foreach(runs[r].summary, key, value)
        {
            bool told = r == 1 && json_is_number(json_object_get(runs[0].summary, key));
            if (!json_is_number(value) || told) continue;
            visit(context, key, (const double[]){figure(&runs[0], key), figure(&runs[1], key)});
        }
    }
}
