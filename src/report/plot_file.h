/* Plots as files. */
#ifndef REPORT_PLOT_FILE_H
#define REPORT_PLOT_FILE_H

#include <bramble/error.h>

#include "report/plot_svg.h"

/* BRAMBLE_ERR_USAGE unless PATH ends with .svg or .png; for the latter BRAMBLE_ERR_UNSUPPORTED where the
 * library that draws them is missing. */
bramble_status plot_path_check(const char *path, bramble_error *error);

/* The plots one below the other, as SVG or PNG by PATH's ending (plot_path_check), or always as SVG. The file
 * appears whole or not at all. */
bramble_status plot_save(const char *path, const struct plot *panels, size_t n, bramble_error *error);
bramble_status plot_svg_save(const char *path, const struct plot *panels, size_t n, bramble_error *error);

#endif
