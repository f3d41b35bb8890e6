/* A string that grows. Failures stick: check `failed` once at the end. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct str {
    char *data; /* terminated; NULL while empty */
    size_t length, capacity;
    bool failed; /* an allocation failed; what came after it is lost */
};

void str_append(struct str *s, const char *bytes, size_t length);
void str_puts(struct str *s, const char *text);
void str_printf(struct str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void str_vprintf(struct str *s, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
char *str_take(struct str *s); /* hands the buffer over (mem_free it) and empties s; NULL if it failed */
void str_fini(struct str *s);

#endif
