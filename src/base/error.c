#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Control characters, and bytes that are no UTF-8, become '?'. */
static void make_readable(char *text)
{
    for (size_t n; *text; text += n) {
        uint32_t code;
        n = utf8_decode(text, strnlen(text, 4), &code);
        bool control = code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
        if (control || (code == UTF8_REPLACEMENT && n == 1)) memset(text, '?', n);
    }
}

bramble_status error_set(bramble_error *error, bramble_status status, const char *format, ...)
{
    if (!error) return status;
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    make_readable(error->message);
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
