/* What --help prints. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "command.h"

/* Help for `command`, or for the whole program when it is NULL, at most `columns` wide. */
bramble_status help_print(FILE *out, const struct command *command, unsigned columns, bramble_error *error);

#endif
