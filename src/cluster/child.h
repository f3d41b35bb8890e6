/* A child process with pipes, alone in its process group. */
#ifndef CLUSTER_CHILD_H
#define CLUSTER_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include <bramble/error.h>

struct child {
    pid_t pid;          /* 0: none, or it has been waited for */
    int output, errors; /* read ends, not blocking; -1 when closed */
};

/* Starts words[0] (looked for on PATH). `input` becomes its standard input, -1: /dev/null. */
bramble_status child_start(struct child *child, char *const *words, int input, bramble_error *error);

/* True when it has ended: then *exit_code is its exit status, or 128 + signal. Does not wait. */
bool child_ended(struct child *child, int *exit_code);

/* Ends its whole process group at once, waits for it and closes the pipes. Fine for one that has ended. */
void child_stop(struct child *child);

#endif
