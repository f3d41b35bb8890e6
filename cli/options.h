/* Reading a command's words into its values, as its table says. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "command.h"

/*
 * `words` (NULL at the end) are those after the command's name; `values` begins as a copy of the command's
 * defaults and borrows text from the words. `--name value` and `--name=value` are the same, the last of
 * several wins, and `--` ends the options. BRAMBLE_ERR_USAGE with one line that names the option otherwise.
 * With --help or -h parsing ends at once and *help is true.
 */
bramble_status options_parse(const struct command *command, char *const *words, void *values, bool *help,
                             bramble_error *error);

/* "bramble data PATH [options]" */
void options_usage(const struct command *command, char *buffer, size_t size);

#endif
