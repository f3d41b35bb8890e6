#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

bramble_status error_set(bramble_error *error, bramble_status status, const char *format, ...)
{
    if (!error) return status;
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    for (char *c = error->message; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    error->status = status;
    return status;
}

bramble_status error_memory(bramble_error *error, const char *what)
{
    return error_set(error, BRAMBLE_ERR_MEMORY,
                     "out of memory for %s; close other programs or use a machine with more memory", what);
}

const char *bramble_status_name(bramble_status status)
{
    static const char *const names[] = {"ok", "usage", "memory", "io", "data", "unsupported", "cancelled"};
    if ((unsigned)status >= sizeof names / sizeof *names) return "unknown";
    return names[status];
}
