#include "report/progress.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "report/readable.h"

enum { BAR_MIN = 10, BAR_MAX = 40, LINE_BYTES = 512 };

static const double redraw_seconds = 0.1, first_line_seconds = 1, line_seconds_max = 60;

static bool is_terminal(FILE *out)
{
    const char *kind = getenv("TERM");
    return isatty(fileno(out)) && kind && strcmp(kind, "dumb") != 0;
}

void progress_init(struct progress *progress, FILE *out, const char *unit)
{
    *progress = (struct progress){.out = out, .unit = unit, .terminal = out && is_terminal(out)};
    progress->next = progress->terminal ? 0 : first_line_seconds;
}

unsigned progress_columns(FILE *out)
{
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col) return size.ws_col;
    const char *columns = getenv("COLUMNS");
    int n = columns ? atoi(columns) : 0;
    return n > 0 && n < 10000 ? (unsigned)n : 80;
}

static void draw(struct progress *progress, const char *line)
{
    fprintf(progress->out, "\r%s\033[K", line);
    fflush(progress->out);
    progress->drawn = true;
}

void progress_note(struct progress *progress, const char *format, ...)
{
    if (!progress->terminal) return;
    char line[LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    unsigned columns = progress_columns(progress->out);
    draw(progress, readable_name(line, columns > 1 ? columns - 1 : 1).text);
}

/* What there is to say of work. */
struct said {
    char count[80]; /* "57 of 100 trees" */
    char pace[192]; /* "loss 0.412, 21.3 trees/s, 2.1 s left" */
};

static void describe(struct said *said, const struct progress *progress, uint64_t done, uint64_t total,
                     double rate, double seconds)
{
    const char *figures = progress->figures ? progress->figures : "", *unit = progress->unit;
    const char *comma = *figures ? ", " : "";
    snprintf(said->count, sizeof said->count, "%.26s of %.26s %.16s", readable_count(done).text,
             readable_count(total).text, unit);
    if (rate <= 0)
        snprintf(said->pace, sizeof said->pace, "%.80s%s%.32s", figures, comma,
                 readable_seconds(seconds).text);
    else
        snprintf(said->pace, sizeof said->pace, "%.80s%s%.26s %.16s/s, %.26s left", figures, comma,
                 readable_rate(rate).text, unit, readable_seconds((double)(total - done) / rate).text);
}

static void format(char *buffer, size_t size, unsigned columns, const struct progress *progress,
                   uint64_t done, uint64_t total, double rate, double seconds)
{
    struct said said;
    char bar[BAR_MAX + 5] = "";
    if (done > total) done = total;
    describe(&said, progress, done, total, rate, seconds);
    unsigned words = (unsigned)(strlen(said.count) + strlen(said.pace)) + 2;
    if (words + BAR_MIN + 4 <= columns && total) {
        unsigned width = columns - words - 4;
        if (width > BAR_MAX) width = BAR_MAX;
        unsigned filled = (unsigned)((double)done / (double)total * width);
        bar[0] = '[';
        memset(bar + 1, '#', filled);
        memset(bar + 1 + filled, '-', width - filled);
        memcpy(bar + 1 + width, "]  ", 4);
    }
    int length = snprintf(buffer, size, "%s  %s%s", said.count, bar, said.pace);
    if ((unsigned)length > columns && columns < size) buffer[columns] = 0;
}

void progress_step(struct progress *progress, uint64_t done, uint64_t total, double seconds)
{
    if (!progress->out || seconds < progress->next) return;
    char line[LINE_BYTES];
    double rate = done > progress->before && seconds > 0 ? (double)(done - progress->before) / seconds : 0;
    unsigned columns = progress->terminal ? progress_columns(progress->out) : 0;
    if (progress->terminal) {
        format(line, sizeof line, columns > 1 ? columns - 1 : 1, progress, done, total, rate, seconds);
        draw(progress, line);
        progress->next = seconds + redraw_seconds;
    } else {
        struct said said;
        describe(&said, progress, done, total, rate, seconds);
        fprintf(progress->out, "%s, %s\n", said.count, said.pace);
        fflush(progress->out);
        progress->next = seconds + (seconds < line_seconds_max ? seconds : line_seconds_max);
    }
}

void progress_parts(struct progress *progress, const struct progress_part *parts, size_t n)
{
    if (!progress->drawn || !n) return;
    uint64_t total = 0;
    unsigned columns = progress_columns(progress->out);
    for (size_t i = 0; i < n; i++) total += parts[i].done;
    for (size_t i = 0; i < n; i++) {
        char line[LINE_BYTES];
        snprintf(line, sizeof line, "  %-14.40s %-10.20s %8s %s  %3.0f %%  %8s/s", parts[i].name,
                 parts[i].state, readable_count(parts[i].done).text, progress->unit,
                 total ? 100.0 * (double)parts[i].done / (double)total : 0.0,
                 readable_rate(parts[i].rate).text);
        fprintf(progress->out, "\n\033[K%s", readable_name(line, columns > 1 ? columns - 1 : 1).text);
    }
    fprintf(progress->out, "\r\033[%zuA", n);
    fflush(progress->out);
}

void progress_say(struct progress *progress, const char *line)
{
    if (!progress->out) return;
    progress_clear(progress);
    fprintf(progress->out, "%s\n", line);
    fflush(progress->out);
}

void progress_clear(struct progress *progress)
{
    if (!progress->drawn) return;
    fputs("\r\033[J", progress->out);
    fflush(progress->out);
    progress->drawn = false;
}
