/* The options a run was given, those it left out included: what two runs are compared by. */
#ifndef CLI_RUN_SETTINGS_H
#define CLI_RUN_SETTINGS_H

#include <bramble/run.h>
#include <stdbool.h>

#include "command.h"

struct run_settings {
    const struct command *command; /* NULL: its command line is none of this version's */
    void *values;
};

bramble_status run_settings_read(struct run_settings *out, const bramble_run_info *run, bramble_error *error);
void run_settings_fini(struct run_settings *settings);

/* An option's or an argument's value for people, into buffer: "128", "yes", "cosine", "-" for none. */
void run_settings_option(const struct run_settings *settings, const struct option *option, char *buffer,
                         size_t size);
void run_settings_argument(const struct run_settings *settings, const struct argument *argument, char *buffer,
                           size_t size);

#endif
