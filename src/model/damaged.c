#include "model/damaged.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

bramble_status model_damaged(bramble_error *error, const char *name, const char *what, ...)
{
    char line[200];
    va_list args;
    va_start(args, what);
    vsnprintf(line, sizeof line, what, args);
    va_end(args);
    return error_set(error, BRAMBLE_ERR_DATA,
                     "%s: damaged model: %s; take an undamaged copy or train it again", name, line);
}
