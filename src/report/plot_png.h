/* PNG from SVG, drawn by librsvg. The library is loaded when the first is made: who wants none pays nothing,
 * and needs it nowhere. */
#ifndef REPORT_PLOT_PNG_H
#define REPORT_PLOT_PNG_H

#include <stddef.h>

#include <bramble/error.h>

/* BRAMBLE_ERR_UNSUPPORTED, saying what to install, where the library is missing. */
bramble_status plot_png_check(bramble_error *error);

/* Draws the SVG's `length` bytes; *png is `size` bytes, the caller's to mem_free. */
bramble_status plot_png_draw(const char *svg, size_t length, char **png, size_t *size, bramble_error *error);

#endif
