/*
 * Lines in a plane, as SVG that any browser shows: curves of training, tables as figures. plot_save
 * (report/plot_file.h) makes files of them.
 *
 *     struct plot_series series[] = {{.name = "measured", .x = x, .y = y, .n = n}};
 *     struct plot plot = {.title = "Speed-up", .x_label = "cores", .y_label = "times", .series = series,
 *                         .n_series = 1};
 *     plot_save("speedup.svg", &plot, 1, &error);
 *
 * Axes get round numbers; points that are not finite are left out and break their line. The same plot always
 * gives the same bytes.
 */
#ifndef REPORT_PLOT_SVG_H
#define REPORT_PLOT_SVG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct plot_series {
    const char *name;    /* for the legend */
    const double *x, *y; /* n each, in the order they are connected */
    size_t n;
    bool dashed; /* a computed line; others get a dot at each point while there are few */
};

struct plot {
    const char *title, *note;      /* note: a line below the title, or NULL */
    const char *x_label, *y_label; /* with their units */
    bool x_from_zero, y_from_zero; /* the axis begins at 0 whatever the points */
    bool legend_right;             /* for lines that fall */
    const struct plot_series *series;
    size_t n_series;
};

/* Appends the file's text: the plots one below the other. Any UTF-8 is fine in texts. O(points). */
void plot_svg_write(struct str *out, const struct plot *panels, size_t n);

/* Distance of an axis' marks: 1, 2 or 5 times a power of ten, so that about `wanted` fit in `span` > 0. */
double plot_step(double span, unsigned wanted);

#endif
