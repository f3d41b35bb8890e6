/*
 * What happens in a run, as it happens: a file of JSON objects, one a line, that only ever grows
 * (docs/formats.md lists the events). Each line begins with "time"     when, RFC 3339 in UTC with
 * milliseconds "seconds"  since the run began "event"    what, a word and goes on with whatever the event has
 * to tell. Several threads may add events at once.
 */
#ifndef REPORT_EVENT_LOG_H
#define REPORT_EVENT_LOG_H

#include <bramble/error.h>

struct event_log;

/* Opens or makes the file, private to its user. `began` is the Unix time seconds count from. */
bramble_status event_log_open(struct event_log **out, const char *path, double began, bramble_error *error);

/* `fields` is a JSON object's text, or NULL. Written when this returns; not synced. */
bramble_status event_log_add(struct event_log *log, const char *event, const char *fields,
                             bramble_error *error);
void event_log_close(struct event_log *log); /* NULL is fine */

/* Calls `visit` with every line that is an event, in order; stops early when it returns an error. A file that
 * is not there has none. The text is borrowed for the call. */
bramble_status event_log_read(const char *path,
                              bramble_status (*visit)(void *context, const char *event, bramble_error *error),
                              void *context, bramble_error *error);

#endif
