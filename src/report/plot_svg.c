#include "report/plot_svg.h"

#include <math.h>
#include <stdio.h>

enum {
    WIDTH = 720,
    HEIGHT = 440,
    LEFT = 72,
    RIGHT = 24,
    TOP = 64,
    BOTTOM = 56,
    MARKS = 6,
    LEGEND_LINE = 18,
    LEGEND_WIDTH = 200,
    DOTS_MOST = 40, /* more points than that are a curve */
    COLOURS = 8
};

/* Okabe and Ito's colours, which people with any colour vision can tell apart. */
static const char *const colours[COLOURS] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                             "#e69f00", "#56b4e9", "#000000", "#8c8c00"};

struct axis {
    double low, high, step;
    int from, to; /* pixels */
};

double plot_step(double span, unsigned wanted)
{
    double rough = span / wanted, power = pow(10, floor(log10(rough)));
    if (rough <= power) return power;
    if (rough <= 2 * power) return 2 * power;
    return rough <= 5 * power ? 5 * power : 10 * power;
}

static double place(const struct axis *axis, double value)
{
    return axis->from + (value - axis->low) / (axis->high - axis->low) * (axis->to - axis->from);
}

static void put_text(struct str *out, const char *text)
{
    for (const char *c = text ? text : ""; *c; c++) {
        switch (*c) {
        case '&': str_puts(out, "&amp;"); break;
        case '<': str_puts(out, "&lt;"); break;
        case '>': str_puts(out, "&gt;"); break;
        default: str_append(out, (unsigned char)*c < ' ' ? " " : c, 1);
        }
    }
}

static void put_label(struct str *out, double x, double y, const char *anchor, int size, const char *text)
{
    str_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\">", x, y, anchor, size);
    put_text(out, text);
    str_puts(out, "</text>\n");
}

static bool is_point(const struct plot_series *series, size_t i)
{
    return isfinite(series->x[i]) && isfinite(series->y[i]);
}

/* Round numbers at both ends. */
static void span_axis(struct axis *axis, double low, double high, bool from_zero)
{
    if (!(low <= high)) low = 0, high = 1;
    if (from_zero && low > 0) low = 0;
    if (from_zero && high < 0) high = 0;
    if (low == high) {
        double room = low != 0 ? fabs(low) / 2 : 0.5;
        low -= from_zero && low == 0 ? 0 : room;
        high += room;
    }
    axis->step = plot_step(high - low, MARKS);
    axis->low = floor(low / axis->step) * axis->step;
    axis->high = ceil(high / axis->step) * axis->step;
}

static void find_axes(const struct plot *plot, struct axis *x, struct axis *y)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t s = 0; s < plot->n_series; s++) {
        for (size_t i = 0; i < plot->series[s].n; i++) {
            if (!is_point(&plot->series[s], i)) continue;
            low[0] = fmin(low[0], plot->series[s].x[i]);
            high[0] = fmax(high[0], plot->series[s].x[i]);
            low[1] = fmin(low[1], plot->series[s].y[i]);
            high[1] = fmax(high[1], plot->series[s].y[i]);
        }
    }
    *x = (struct axis){.from = LEFT, .to = WIDTH - RIGHT};
    *y = (struct axis){.from = HEIGHT - BOTTOM, .to = TOP};
    span_axis(x, low[0], high[0], plot->x_from_zero);
    span_axis(y, low[1], high[1], plot->y_from_zero);
}

/* Marks are counted, so that no rounding adds up or leaves one out. */
static void put_grid(struct str *out, const struct axis *x, const struct axis *y)
{
    char mark[32];
    for (int i = 0; i <= lround((x->high - x->low) / x->step); i++) {
        double value = x->low + i * x->step, at = place(x, value);
        str_printf(out, "<path d=\"M%.1f %d V%d\" stroke=\"#ddd\"/>\n", at, TOP, HEIGHT - BOTTOM);
        snprintf(mark, sizeof mark, "%.10g", fabs(value) < x->step / 1e6 ? 0 : value);
        put_label(out, at, HEIGHT - BOTTOM + 18, "middle", 12, mark);
    }
    for (int i = 0; i <= lround((y->high - y->low) / y->step); i++) {
        double value = y->low + i * y->step, at = place(y, value);
        str_printf(out, "<path d=\"M%d %.1f H%d\" stroke=\"#ddd\"/>\n", LEFT, at, WIDTH - RIGHT);
        snprintf(mark, sizeof mark, "%.10g", fabs(value) < y->step / 1e6 ? 0 : value);
        put_label(out, LEFT - 8, at + 4, "end", 12, mark);
    }
}

static void put_line(struct str *out, const struct plot_series *series, const char *colour,
                     const struct axis *x, const struct axis *y)
{
    bool down = false, any = false; /* the pen */
    for (size_t i = 0; i < series->n; i++) {
        bool point = is_point(series, i);
        if (point) {
            str_printf(out, "%s%c%.1f %.1f", any ? " " : "<path fill=\"none\" d=\"", down ? 'L' : 'M',
                       place(x, series->x[i]), place(y, series->y[i]));
            any = true;
        }
        down = point;
    }
    if (any)
        str_printf(out, "\" stroke=\"%s\" stroke-width=\"2\"%s/>\n", colour,
                   series->dashed ? " stroke-dasharray=\"6 4\"" : "");
    for (size_t i = 0; i < series->n && !series->dashed && series->n <= DOTS_MOST; i++)
        if (is_point(series, i))
            str_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n",
                       place(x, series->x[i]), place(y, series->y[i]), colour);
}

static void put_legend(struct str *out, const struct plot *plot)
{
    int x = plot->legend_right ? WIDTH - RIGHT - LEGEND_WIDTH : LEFT + 12;
    for (size_t s = 0; s < plot->n_series; s++) {
        int y = TOP + 14 + LEGEND_LINE * (int)s;
        str_printf(out, "<path d=\"M%d %d h24\" stroke=\"%s\" stroke-width=\"2\"%s/>\n", x, y - 4,
                   colours[s % COLOURS], plot->series[s].dashed ? " stroke-dasharray=\"6 4\"" : "");
        put_label(out, x + 30, y, "start", 12, plot->series[s].name);
    }
}

static void put_panel(struct str *out, const struct plot *plot)
{
    struct axis x, y;
    find_axes(plot, &x, &y);
    put_label(out, LEFT, 26, "start", 18, plot->title);
    if (plot->note) put_label(out, LEFT, 46, "start", 12, plot->note);
    put_grid(out, &x, &y);
    put_label(out, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 14, "middle", 13, plot->x_label);
    str_printf(out, "<g transform=\"translate(18 %d) rotate(-90)\">", (TOP + HEIGHT - BOTTOM) / 2);
    put_label(out, 0, 0, "middle", 13, plot->y_label);
    str_puts(out, "</g>\n");
    for (size_t s = 0; s < plot->n_series; s++) put_line(out, &plot->series[s], colours[s % COLOURS], &x, &y);
    put_legend(out, plot);
}

void plot_svg_write(struct str *out, const struct plot *panels, size_t n)
{
    int height = HEIGHT * (int)n;
    str_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
               "font-family=\"sans-serif\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
               WIDTH, height, WIDTH, height);
    for (size_t i = 0; i < n; i++) {
        str_printf(out, "<g transform=\"translate(0 %d)\">\n", HEIGHT * (int)i);
        put_panel(out, &panels[i]);
        str_puts(out, "</g>\n");
    }
    str_puts(out, "</svg>\n");
}
