/* One option's value: from text into its field. */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include "command.h"

/* Stores `text` (NULL for options without a value) where `values` keeps this option; `on` is false for the
 * --no- form of a toggle. Numbers are strict: nothing before, nothing after, in range. */
bramble_status value_set(const struct option *option, const char *text, bool on, void *values,
                         bramble_error *error);

#endif
