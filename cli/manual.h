/* Manual pages in roff (man macros), section 1, from the same tables as the help. */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include <stdio.h>

#include "command.h"

/* The page of `command` (bramble-train-forest.1), or of the program (bramble.1) when it is NULL. */
bramble_status manual_print(FILE *out, const struct command *command, bramble_error *error);

#endif
