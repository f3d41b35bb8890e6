/*
 * Curves in letters, for a terminal:
 *
 *     0.81 |a
 *          | ab
 *          |   abb
 *     0.23 |      aaaaaa
 *           1          10
 */
#ifndef REPORT_TEXT_CHART_H
#define REPORT_TEXT_CHART_H

#include <stddef.h>

#include "base/str.h"

struct chart_line {
    char mark;           /* what stands for its points; '*' where two lines meet */
    const double *x, *y; /* n each; what is not finite is left out */
    size_t n;
};

/* Appends a chart of `columns` x `rows` letters and its axes; nothing when no line has a point. O(points +
 * columns * rows). */
void text_chart_write(struct str *out, const struct chart_line *lines, size_t n_lines, unsigned columns,
                      unsigned rows);

#endif
