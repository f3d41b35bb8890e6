/* Options in words, for the help and the manual alike. */
#ifndef CLI_DESCRIBE_H
#define CLI_DESCRIBE_H

#include "base/str.h"
#include "command.h"

/* "--trees N, --n-estimators N", "--bootstrap, --no-bootstrap" */
void describe_names(const struct option *option, struct str *out);

/* What it does, its choices and what happens without it. */
void describe_option(const struct option *option, struct str *out);

/* Calls visit for every option of the command and then the common ones. */
void describe_each(const struct command *command, void (*visit)(const struct option *option, void *context),
                   void *context);

#endif
