/* Small text files, as the kernel shows what it knows in them. */
#ifndef BASE_SMALL_FILE_H
#define BASE_SMALL_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* The beginning of the file ROOT/PATH (`root` may be "") as terminated text; false when it is not there or
 * empty. */
bool small_file_read(const char *root, const char *path, char *buffer, size_t size);

/* What follows `key` at the start of a line, up to and with `separator`; NULL when there is no such line. */
const char *small_file_value(const char *text, const char *key, char separator);

#endif
