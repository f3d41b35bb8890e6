#include "report/text_chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { LABEL = 9 };

struct frame {
    double low[2], high[2]; /* of x and y */
    unsigned columns, rows;
    char *cells;
};

static bool is_point(const struct chart_line *line, size_t i)
{
    return isfinite(line->x[i]) && isfinite(line->y[i]);
}

/* False: there is nothing to show. */
static bool find_span(struct frame *frame, const struct chart_line *lines, size_t n)
{
    for (unsigned d = 0; d < 2; d++) frame->low[d] = INFINITY, frame->high[d] = -INFINITY;
    for (size_t l = 0; l < n; l++) {
        for (size_t i = 0; i < lines[l].n; i++) {
            if (!is_point(&lines[l], i)) continue;
            const double at[2] = {lines[l].x[i], lines[l].y[i]};
            for (unsigned d = 0; d < 2; d++) {
                frame->low[d] = fmin(frame->low[d], at[d]);
                frame->high[d] = fmax(frame->high[d], at[d]);
            }
        }
    }
    return frame->low[0] <= frame->high[0];
}

/* Which of n cells a value falls into. */
static unsigned cell_of(double value, double low, double high, unsigned n)
{
    if (!(high > low)) return 0;
    return (unsigned)lround((value - low) / (high - low) * (n - 1));
}

static void put_points(struct frame *frame, const struct chart_line *line)
{
    for (size_t i = 0; i < line->n; i++) {
        if (!is_point(line, i)) continue;
        unsigned column = cell_of(line->x[i], frame->low[0], frame->high[0], frame->columns);
        unsigned row = frame->rows - 1 - cell_of(line->y[i], frame->low[1], frame->high[1], frame->rows);
        char *cell = &frame->cells[row * frame->columns + column];
        *cell = *cell == ' ' || *cell == line->mark ? line->mark : '*';
    }
}

static void put_row(struct str *out, const struct frame *frame, unsigned row)
{
    char label[24] = "";
    const char *cells = frame->cells + row * frame->columns;
    unsigned length = frame->columns;
    bool flat = !(frame->high[1] > frame->low[1]);
    if (row == 0 && !flat) snprintf(label, sizeof label, "%.4g", frame->high[1]);
    if (row == frame->rows - 1) snprintf(label, sizeof label, "%.4g", frame->low[1]);
    while (length && cells[length - 1] == ' ') length--;
    str_printf(out, "%*s |%.*s\n", LABEL, label, (int)length, cells);
}

static void put_x_axis(struct str *out, const struct frame *frame)
{
    char first[24], last[24];
    snprintf(first, sizeof first, "%.6g", frame->low[0]);
    snprintf(last, sizeof last, "%.6g", frame->high[0]);
    int room = (int)frame->columns - (int)strlen(first);
    str_printf(out, "%*s  %s", LABEL, "", first);
    if (frame->high[0] > frame->low[0]) str_printf(out, "%*s", room > 0 ? room : 0, last);
    str_puts(out, "\n");
}

void text_chart_write(struct str *out, const struct chart_line *lines, size_t n_lines, unsigned columns,
                      unsigned rows)
{
    struct frame frame = {.columns = columns, .rows = rows};
    if (!columns || !rows || !find_span(&frame, lines, n_lines)) return;
    frame.cells = mem_alloc(columns, rows);
    if (!frame.cells) {
        out->failed = true;
        return;
    }
    memset(frame.cells, ' ', (size_t)columns * rows);
    for (size_t l = 0; l < n_lines; l++) put_points(&frame, &lines[l]);
    for (unsigned row = 0; row < rows; row++) put_row(out, &frame, row);
    put_x_axis(out, &frame);
    mem_free(frame.cells);
}
