#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static bool reserve(struct str *s, size_t extra)
{
    if (s->failed) return false;
    if (s->capacity - s->length > extra) return true;
    size_t capacity = s->capacity ? s->capacity * 2 : 64;
    while (capacity - s->length <= extra) capacity *= 2;
    char *data = mem_resize(s->data, capacity, 1);
    if (!data) {
        s->failed = true;
        return false;
    }
    s->data = data;
    s->capacity = capacity;
    return true;
}

void str_append(struct str *s, const char *bytes, size_t length)
{
    if (!reserve(s, length)) return;
    memcpy(s->data + s->length, bytes, length);
    s->length += length;
    s->data[s->length] = 0;
}

void str_puts(struct str *s, const char *text)
{
    str_append(s, text, strlen(text));
}

void str_vprintf(struct str *s, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (length < 0) s->failed = true;
    if (length >= 0 && reserve(s, (size_t)length)) {
        vsnprintf(s->data + s->length, (size_t)length + 1, format, again);
        s->length += (size_t)length;
    }
    va_end(again);
}

void str_printf(struct str *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    str_vprintf(s, format, args);
    va_end(args);
}

char *str_take(struct str *s)
{
    if (!s->data) str_append(s, "", 0);
    char *data = s->failed ? NULL : s->data;
    if (!data) mem_free(s->data);
    *s = (struct str){0};
    return data;
}

void str_fini(struct str *s)
{
    mem_free(s->data);
    *s = (struct str){0};
}
