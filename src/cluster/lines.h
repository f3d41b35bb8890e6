/* Text in lines over a pipe, without ever waiting. */
#ifndef CLUSTER_LINES_H
#define CLUSTER_LINES_H

#include <stdbool.h>

#include "base/str.h"

struct lines {
    int fd; /* non-blocking */
    struct str buffer;
    bool ended; /* the other side is gone */
};

/* Reads what there is (of a flood a megabyte a call) and calls `take` for each whole line, without its
 * newline; false: nothing came. Lines beyond 16 MB end the conversation. */
bool lines_read(struct lines *lines, void (*take)(void *context, char *line), void *context);

/* Sends buffer's text as far as the pipe takes it; the rest stays for the next call. */
void lines_write(struct lines *lines);

#endif
