/* A kept run for people and programs: shared by bramble runs and bramble show. */
#ifndef CLI_RUN_TEXT_H
#define CLI_RUN_TEXT_H

#include <bramble/run.h>
#include <stddef.h>

#include "base/str.h"
#include "json_out.h"

/* What --json tells of a run; the keys' table for a command that prints them at the top. */
void run_put(struct json_out *out, const bramble_run_info *run);
#define RUN_FIELDS                                                                                           \
    {"run", "its name"}, {"kind", "the command it was"},                                                     \
        {"state", "running, finished, failed, or interrupted: stopped, or its program is gone"},             \
        {"command", "words of the command line"}, {"directory", "the folder it was given in"},               \
        {"started", "when it began (RFC 3339, UTC)"},                                                        \
        {"ended", "when it ended; null as long as it has not"},                                              \
        {"seconds", "time it worked, all its parts together; null as long as it has not ended"},             \
        {"message", "why it failed, or null"}, {"model_hash", "hash of the model it made, or null"},         \
        {"summary", "what its command printed with --json, or null"},                                        \
    {                                                                                                        \
        "folder", "its own folder"                                                                           \
    }

/* The command line as a shell takes it. */
void run_command_line(const bramble_run_info *run, struct str *line);

/* "2024-05-01 12:00:00", by the clock on the wall; "-" when there is none. */
void run_time(double unix_seconds, char *buffer, size_t size);

#endif
