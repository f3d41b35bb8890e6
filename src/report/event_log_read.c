#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"
#include "report/event_log.h"

enum { LINE_MAX_BYTES = 1 << 20 };

/* The next line without its end, in memory no longer than a line may be: a longer one is cut, and so no
 * event. False at the end of the file. */
static bool read_line(FILE *file, struct str *line)
{
    int c;
    line->length = 0;
    while ((c = getc_unlocked(file)) != EOF && c != '\n') {
        char byte = (char)c;
        if (line->length <= LINE_MAX_BYTES) str_append(line, &byte, 1);
    }
    return c == '\n' || line->length > 0;
}

static bool is_event(const char *text)
{
    json_t *object = json_loads(text, 0, NULL);
    bool right = json_is_string(json_object_get(object, "event")) &&
                 json_is_string(json_object_get(object, "time")) &&
                 json_is_number(json_object_get(object, "seconds"));
    json_decref(object);
    return right;
}

bramble_status event_log_read(const char *path,
                              bramble_status (*visit)(void *context, const char *event, bramble_error *error),
                              void *context, bramble_error *error)
{
    FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT) return BRAMBLE_OK;
    if (!file) return error_set(error, BRAMBLE_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    bramble_status status = BRAMBLE_OK;
    struct str line = {0};
    while (!status && read_line(file, &line)) {
        if (line.failed)
            status = error_memory(error, "an event");
        else if (line.length && is_event(line.data))
            status = visit(context, line.data, error);
    }
    if (!status && ferror(file))
        status = error_set(error, BRAMBLE_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    str_fini(&line);
    fclose(file);
    return status;
}
