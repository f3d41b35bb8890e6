/* How a training went, epoch by epoch, as its run's events tell: for bramble show, compare and --plot. */
#ifndef CLI_RUN_CURVE_H
#define CLI_RUN_CURVE_H

#include <bramble/run.h>
#include <stddef.h>

#include "base/str.h"

enum run_figure {
    RUN_LOSS,
    RUN_VALIDATION_LOSS,
    RUN_ACCURACY,
    RUN_VALIDATION_ACCURACY,
    RUN_LEARNING_RATE,
    RUN_RATE, /* samples a second */
    RUN_FIGURES
};

/* The key a figure has in the event "epoch" (docs/formats.md). */
extern const char *const run_figure_keys[RUN_FIGURES];

/* An epoch that was begun again, after an interruption, is there once. */
struct run_curve {
    size_t n, capacity;
    double *epochs;               /* n, rising */
    double *figures[RUN_FIGURES]; /* n each; NaN where there is none */
};

/* A run without epochs (a forest's) has an empty curve. */
bramble_status run_curve_read(struct run_curve *out, const bramble_run_info *run, bramble_error *error);
void run_curve_fini(struct run_curve *curve);

/* The last finite value; NaN: none. */
double run_curve_last(const struct run_curve *curve, enum run_figure figure);

/* A run's curve and what stands for it. */
struct named_curve {
    const char *name;
    const struct run_curve *curve;
};

/* Loss and accuracy (of validation rows where there are) over epochs, in letters: 'a' the first run's ... */
void run_curves_chart(struct str *out, const struct named_curve *runs, size_t n, unsigned columns);

/* The same as SVG or PNG; BRAMBLE_ERR_USAGE when no run has an epoch. */
bramble_status run_curves_plot(const char *path, const struct named_curve *runs, size_t n,
                               bramble_error *error);

#endif
