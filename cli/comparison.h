/* Two runs side by side: what differs in what was asked, and in what came of it. */
#ifndef CLI_COMPARISON_H
#define CLI_COMPARISON_H

#include <bramble/run.h>
#include <jansson.h>

#include "run_curve.h"
#include "run_settings.h"

struct compared_run {
    bramble_run_list *list; /* of it alone */
    const bramble_run_info *info;
    struct run_settings settings;
    struct run_curve curve;
    json_t *summary; /* an object; empty where there is none */
};

bramble_status compared_run_read(struct compared_run *out, const char *id, bramble_error *error);
void compared_run_fini(struct compared_run *run);

/* Calls visit for each option and argument whose value differs, with both values. Nothing when the runs are
 * of different commands. */
void comparison_settings(const struct compared_run runs[2],
                         void (*visit)(void *context, const char *name, const char *const values[2]),
                         void *context);

/* Calls visit for each number that either run's command printed with --json; NaN where one has none. */
void comparison_figures(const struct compared_run runs[2],
                        void (*visit)(void *context, const char *name, const double values[2]),
                        void *context);

#endif
