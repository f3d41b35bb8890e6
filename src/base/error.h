/* Filling error values. The function that first understands a failure describes it; callers pass it up. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <bramble/error.h>

/* Writes one line into *error (which may be NULL) and returns `status`, so that it reads
 * `return error_set(error, BRAMBLE_ERR_DATA, "%s: row %zu ...", ...)`. Control characters and what is
 * not UTF-8 become '?'. */
bramble_status error_set(bramble_error *error, bramble_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The message every failed allocation gets; `what` names what did not fit. */
bramble_status error_memory(bramble_error *error, const char *what);

#endif
