#include "cluster/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 16, LONGEST = 1 << 24 };

/* Keeps the buffer's text from `from` on. */
static void keep(struct str *buffer, size_t from)
{
    if (!from) return;
    memmove(buffer->data, buffer->data + from, buffer->length - from + 1);
    buffer->length -= from;
}

static bool fill(struct lines *lines)
{
    char piece[PIECE];
    bool any = false;
    for (;;) {
        ssize_t n = read(lines->fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return any;
        if (n <= 0) {
            lines->ended = true;
            return any;
        }
        str_append(&lines->buffer, piece, (size_t)n);
        if (lines->buffer.failed || lines->buffer.length > LONGEST) {
            lines->ended = true;
            return any;
        }
        any = true;
    }
}

bool lines_read(struct lines *lines, void (*take)(void *context, char *line), void *context)
{
    if (lines->ended || !fill(lines)) return false;
    size_t start = 0;
    while (!lines->buffer.failed && start < lines->buffer.length) {
        char *line = lines->buffer.data + start;
        char *end = memchr(line, '\n', lines->buffer.length - start);
        if (!end) break;
        *end = 0;
        start = (size_t)(end + 1 - lines->buffer.data);
        take(context, line);
    }
    keep(&lines->buffer, start);
    return true;
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
