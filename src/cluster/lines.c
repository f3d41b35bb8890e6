#include "cluster/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 14, PIECES_MOST = 64, LONGEST = 1 << 24 };

/* Keeps the buffer's text from `from` on. */
static void keep(struct str *buffer, size_t from)
{
    if (!from) return;
    memmove(buffer->data, buffer->data + from, buffer->length - from + 1);
    buffer->length -= from;
}

/* Whole lines of the buffer to `take`; what is begun stays. */
static void hand_over(struct str *buffer, void (*take)(void *context, char *line), void *context)
{
    size_t start = 0;
    while (!buffer->failed && start < buffer->length) {
        char *line = buffer->data + start;
        char *end = memchr(line, '\n', buffer->length - start);
        if (!end) break;
        *end = 0;
        start = (size_t)(end + 1 - buffer->data);
        take(context, line);
    }
    keep(buffer, start);
}

bool lines_read(struct lines *lines, void (*take)(void *context, char *line), void *context)
{
    char piece[PIECE];
    bool any = false;
    for (unsigned i = 0; i < PIECES_MOST && !lines->ended; i++) {
        ssize_t n = read(lines->fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n > 0) str_append(&lines->buffer, piece, (size_t)n);
        any |= n > 0;
        hand_over(&lines->buffer, take, context);
        lines->ended = n <= 0 || lines->buffer.failed || lines->buffer.length > LONGEST;
    }
    return any;
}

void lines_write(struct lines *lines)
{
    size_t sent = 0;
    while (!lines->ended && !lines->buffer.failed && sent < lines->buffer.length) {
        ssize_t n = write(lines->fd, lines->buffer.data + sent, lines->buffer.length - sent);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) lines->ended = true;
        if (n > 0) sent += (size_t)n;
    }
    keep(&lines->buffer, sent);
}
