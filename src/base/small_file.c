#include "base/small_file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

bool small_file_read(const char *root, const char *path, char *buffer, size_t size)
{
    char whole[PATH_MAX];
    if (snprintf(whole, sizeof whole, "%s%s", root, path) >= (int)sizeof whole) return false;
    FILE *file = fopen(whole, "re");
    if (!file) return false;
    size_t n = fread(buffer, 1, size - 1, file);
    fclose(file);
    buffer[n] = 0;
    return n > 0;
}

const char *small_file_value(const char *text, const char *key, char separator)
{
    size_t length = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        if (strncmp(line, key, length) != 0) continue;
        const char *end = line + length;
        end += strspn(end, " \t");
        if (*end == separator) return end + 1;
    }
    return NULL;
}
