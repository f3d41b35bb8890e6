/* Curves of runs, drawn. */
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/mem.h"
#include "report/plot_file.h"
#include "report/readable.h"
#include "report/text_chart.h"
#include "run_curve.h"

enum { CHART_ROWS = 10, CHART_MARGIN = 12, CHART_COLUMNS_MAX = 100, NAME = 240 };

static bool has(const struct run_curve *curve, enum run_figure figure)
{
    return !isnan(run_curve_last(curve, figure));
}

/* What shows best how good a run is: validation rows where there are. */
static enum run_figure telling(const struct run_curve *curve, enum run_figure trained,
                               enum run_figure validated)
{
    return has(curve, validated) ? validated : trained;
}

static void chart_figure(struct str *out, const char *title, const struct named_curve *runs, size_t n,
                         enum run_figure trained, enum run_figure validated, unsigned columns)
{
    struct chart_line *lines = mem_zalloc(n, sizeof *lines);
    bool any = false;
    if (!lines) out->failed = true;
    for (size_t i = 0; lines && i < n; i++) {
        enum run_figure figure = telling(runs[i].curve, trained, validated);
        lines[i] = (struct chart_line){.mark = (char)('a' + i % 26),
                                       .x = runs[i].curve->epochs,
                                       .y = runs[i].curve->figures[figure],
                                       .n = runs[i].curve->n};
        if (!has(runs[i].curve, figure)) continue;
        if (!any) str_printf(out, "%s over epochs", title);
        str_printf(out, "%s %c: %s%s", any ? "," : ":", lines[i].mark, readable_name(runs[i].name, 40).text,
                   figure == validated ? " (validation)" : "");
        any = true;
    }
    if (any) str_puts(out, "\n");
    if (any) text_chart_write(out, lines, n, columns, CHART_ROWS);
    mem_free(lines);
}

void run_curves_chart(struct str *out, const struct named_curve *runs, size_t n, unsigned columns)
{
    columns = columns > 2 * CHART_MARGIN ? columns - CHART_MARGIN : CHART_MARGIN;
    if (columns > CHART_COLUMNS_MAX) columns = CHART_COLUMNS_MAX;
    chart_figure(out, "loss", runs, n, RUN_LOSS, RUN_VALIDATION_LOSS, columns);
    chart_figure(out, "accuracy", runs, n, RUN_ACCURACY, RUN_VALIDATION_ACCURACY, columns);
}

/* A panel's lines: two a run at most. */
struct panel {
    struct plot_series *series;
    char (*names)[NAME];
    size_t n;
};

static void add_line(struct panel *panel, const struct named_curve *run, enum run_figure figure,
                     const char *what)
{
    if (!has(run->curve, figure)) return;
    char *name = panel->names[panel->n];
    snprintf(name, NAME, "%s%s", readable_name(run->name, 40).text, what);
    panel->series[panel->n++] = (struct plot_series){
        .name = name, .x = run->curve->epochs, .y = run->curve->figures[figure], .n = run->curve->n};
}

static bool fill_panel(struct panel *panel, const struct named_curve *runs, size_t n, enum run_figure trained,
                       enum run_figure validated)
{
    *panel = (struct panel){.series = mem_zalloc(2 * n, sizeof *panel->series),
                            .names = mem_zalloc(2 * n, sizeof *panel->names)};
    for (size_t i = 0; panel->series && panel->names && i < n; i++) {
        add_line(panel, &runs[i], trained, ", training");
        add_line(panel, &runs[i], validated, ", validation");
    }
    return panel->series && panel->names;
}

static bramble_status save(const char *path, const struct panel panels[2], bramble_error *error)
{
    struct plot plots[2];
    size_t n = 0;
    if (panels[0].n)
        plots[n++] = (struct plot){.title = "Loss",
                                   .x_label = "epoch",
                                   .y_label = "loss",
                                   .legend_right = true,
                                   .series = panels[0].series,
                                   .n_series = panels[0].n};
    if (panels[1].n)
        plots[n++] = (struct plot){.title = "Accuracy",
                                   .x_label = "epoch",
                                   .y_label = "share predicted right",
                                   .series = panels[1].series,
                                   .n_series = panels[1].n};
    if (n) return plot_save(path, plots, n, error);
    return error_set(error, BRAMBLE_ERR_USAGE,
                     "%s: there is no curve to draw: only networks are trained in epochs, and none has ended",
                     path);
}

bramble_status run_curves_plot(const char *path, const struct named_curve *runs, size_t n,
                               bramble_error *error)
{
    struct panel panels[2];
    bool loss = fill_panel(&panels[0], runs, n, RUN_LOSS, RUN_VALIDATION_LOSS);
    bool accuracy = fill_panel(&panels[1], runs, n, RUN_ACCURACY, RUN_VALIDATION_ACCURACY);
    bramble_status status = loss && accuracy ? save(path, panels, error) : error_memory(error, "a plot");
    for (unsigned p = 0; p < 2; p++) {
        mem_free(panels[p].series);
        mem_free(panels[p].names);
    }
    return status;
}
