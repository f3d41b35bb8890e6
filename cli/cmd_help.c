/* bramble help: explains a command, on the terminal or as a manual page. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command.h"
#include "common.h"
#include "help.h"
#include "manual.h"
#include "report/progress.h"

struct help_values {
    const char *first, *second; /* "train", "forest" */
    bool man;
};

static bramble_status run(const void *values, bramble_error *error)
{
    const struct help_values *v = values;
    char first[64], second[64];
    snprintf(first, sizeof first, "%s", v->first ? v->first : "");
    snprintf(second, sizeof second, "%s", v->second ? v->second : "");
    char *const words[] = {first, v->second ? second : NULL, NULL};
    int n_words = 0;
    const struct command *command = v->first ? command_find(words, &n_words) : NULL;
    if (n_words != (v->first != NULL) + (v->second != NULL))
        return error_set(error, BRAMBLE_ERR_USAGE, "no command \"%.60s%s%.60s\"; 'bramble --help' lists them",
                         first, v->second ? " " : "", second);
    if (v->man) return manual_print(stdout, command, error);
    return help_print(stdout, command, progress_columns(stdout), error);
}

static const struct argument arguments[] = {
    {.name = "COMMAND",
     .help = "a command; without one, all are listed",
     .optional = true,
     .offset = FIELD(help_values, first)},
    {.name = "KIND",
     .help = "its second word (train forest)",
     .optional = true,
     .offset = FIELD(help_values, second)},
    {.name = NULL},
};

static const struct option options[] = {
    {.name = "man",
     .kind = OPTION_FLAG,
     .offset = FIELD(help_values, man),
     .help = "print the manual page's source (roff), as the build does to make the pages"},
    {.name = NULL},
};

static const struct example examples[] = {
    {"bramble help train forest", "the same as bramble train forest --help"},
    {"bramble help --man data | man -l -", "reads the manual page without installing it"},
    {NULL, NULL},
};

const struct command command_help = {
    .name = "help",
    .summary = "explain a command",
    .arguments = arguments,
    .options = options,
    .examples = examples,
    .defaults = &(const struct help_values){0},
    .values_size = sizeof(struct help_values),
    .run = run,
};
