/*
 * How far long work is: a bar that redraws itself on a terminal; elsewhere a plain line after one second,
 * two, four and so on, and at least every minute.
 *
 *     struct progress progress;
 *     progress_init(&progress, stderr, "trees");
 *     progress_step(&progress, done, total, seconds);   as often as you like
 *     progress_clear(&progress);                        leaves the terminal as it was
 */
#ifndef REPORT_PROGRESS_H
#define REPORT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *out;           /* NULL: say nothing */
    bool terminal;       /* draw a bar; else lines */
    const char *unit;    /* what is counted: "trees" */
    double next;         /* nothing is shown before this second */
    uint64_t before;     /* what was done before the clock began: no part of the rate */
    const char *figures; /* how it goes, said with how far it is: "loss 0.412"; the caller's, or NULL */
    bool drawn;          /* a bar stands on the terminal now */
};

/* One of several that work on it, shown below the bar on a terminal. */
struct progress_part {
    const char *name, *state;
    uint64_t done;
    double rate; /* of what is counted, a second; 0: not known */
};

/* `out` may be NULL. It is a terminal when isatty says so and TERM is not "dumb". */
void progress_init(struct progress *progress, FILE *out, const char *unit);

/* A passing remark on a terminal ("reading FILE"), gone with the next step; elsewhere nothing. */
void progress_note(struct progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `done` of `total` after `seconds`. Cheap when called too often: it draws ten times a second at most. */
void progress_step(struct progress *progress, uint64_t done, uint64_t total, double seconds);

/* The parts, below the bar that progress_step drew just now; on a terminal only. */
void progress_parts(struct progress *progress, const struct progress_part *parts, size_t n);

/* A line that stays, above the bar where there is one. */
void progress_say(struct progress *progress, const char *line);

void progress_clear(struct progress *progress);

/* Columns of the terminal behind `out`; else of the variable COLUMNS, else 80. */
unsigned progress_columns(FILE *out);

#endif
