#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/csv.h"

enum { BUFFER_BYTES = 256 << 10 };

static bramble_status resize(struct csv_buffer *buffer, size_t capacity, bramble_error *error)
{
    char *data = mem_resize(buffer->data, capacity + CSV_PADDING, 1);
    if (!data) return error_memory(error, "a row of the file");
    buffer->data = data;
    buffer->capacity = capacity;
    return BRAMBLE_OK;
}

static void terminate(struct csv_buffer *buffer)
{
    memset(buffer->data + buffer->end, 0, CSV_PADDING);
}

static bramble_status skip_byte_order_mark(struct csv_buffer *buffer, bramble_error *error)
{
    bramble_status status = csv_buffer_fill(buffer, error);
    if (status != BRAMBLE_OK) return status;
    if (buffer->end >= 3 && memcmp(buffer->data, "\xef\xbb\xbf", 3) == 0) buffer->begin = 3;
    return BRAMBLE_OK;
}

bramble_status csv_buffer_init(struct csv_buffer *buffer, struct infile *file, bramble_error *error)
{
    *buffer = (struct csv_buffer){.file = file};
    bramble_status status = resize(buffer, BUFFER_BYTES, error);
    return status == BRAMBLE_OK ? skip_byte_order_mark(buffer, error) : status;
}

bramble_status csv_buffer_rewind(struct csv_buffer *buffer, bramble_error *error)
{
    bramble_status status = infile_rewind(buffer->file, error);
    if (status != BRAMBLE_OK) return status;
    buffer->begin = buffer->end = 0;
    buffer->at_end = false;
    return skip_byte_order_mark(buffer, error);
}

bool csv_buffer_full(const struct csv_buffer *buffer)
{
    return buffer->end - buffer->begin >= CSV_RECORD_MAX;
}

/* Reads until `room` bytes are there or the file ends. */
static bramble_status read_on(struct csv_buffer *buffer, size_t room, bramble_error *error)
{
    size_t got = 0;
    if (buffer->at_end) return BRAMBLE_OK;
    bramble_status status = infile_read_full(buffer->file, buffer->data + buffer->end, room, &got, error);
    if (status != BRAMBLE_OK) return status;
    buffer->at_end = got < room;
    buffer->end += got;
    if (buffer->at_end && buffer->end && !csv_is_newline(buffer->data[buffer->end - 1]))
        buffer->data[buffer->end++] = '\n';
    return BRAMBLE_OK;
}

bramble_status csv_buffer_fill(struct csv_buffer *buffer, bramble_error *error)
{
    size_t unread = buffer->end - buffer->begin;
    memmove(buffer->data, buffer->data + buffer->begin, unread);
    buffer->begin = 0;
    buffer->end = unread;
    bramble_status status = BRAMBLE_OK;
    if (unread > buffer->capacity / 2) status = resize(buffer, buffer->capacity * 2, error);
    /* One byte stays free for a last newline. */
    if (status == BRAMBLE_OK) status = read_on(buffer, buffer->capacity - buffer->end - 1, error);
    terminate(buffer);
    return status;
}

void csv_buffer_fini(struct csv_buffer *buffer)
{
    mem_free(buffer->data);
    *buffer = (struct csv_buffer){0};
}
