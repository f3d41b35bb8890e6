#include "cluster/journal_format.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL /* the state lives on the stack */
#include <xxhash.h>

#include "base/error.h"
#include "base/mem.h"

static const char magic[8] = {'B', 'R', 'J', 'R', 'N', 'L', '0', '1'};

enum { MARK = 8 }; /* task and length: what a record's checksum covers before the bytes */

static void put_u32(unsigned char *to, uint32_t n)
{
    for (unsigned i = 0; i < 4; i++) to[i] = (unsigned char)(n >> 8 * i);
}

static void put_u64(unsigned char *to, uint64_t n)
{
    for (unsigned i = 0; i < 8; i++) to[i] = (unsigned char)(n >> 8 * i);
}

static uint32_t get_u32(const unsigned char *from)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < 4; i++) n |= (uint32_t)from[i] << 8 * i;
    return n;
}

static uint64_t get_u64(const unsigned char *from)
{
    return get_u32(from) | (uint64_t)get_u32(from + 4) << 32;
}

bramble_status journal_head_make(struct journal_head *head, const char *key, bramble_error *error)
{
    size_t length = strlen(key);
    if (length > JOURNAL_KEY_MAX)
        return error_set(error, BRAMBLE_ERR_USAGE, "the journal's key has %zu bytes, more than %d", length,
                         JOURNAL_KEY_MAX);
    memcpy(head->bytes, magic, sizeof magic);
    put_u32(head->bytes + sizeof magic, (uint32_t)length);
    memcpy(head->bytes + JOURNAL_HEAD_FIXED, key, length);
    length += JOURNAL_HEAD_FIXED;
    put_u64(head->bytes + length, XXH3_64bits(head->bytes, length));
    head->length = length + 8;
    return BRAMBLE_OK;
}

/* Fills n bytes from `offset`; *got says how many there were. */
static bramble_status read_at(int fd, const char *path, uint64_t offset, unsigned char *to, size_t n,
                              size_t *got, bramble_error *error)
{
    *got = 0;
    while (*got < n) {
        ssize_t r = pread(fd, to + *got, n - *got, (off_t)(offset + *got));
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) return error_set(error, BRAMBLE_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
        if (r == 0) break;
        *got += (size_t)r;
    }
    return BRAMBLE_OK;
}

/* What is at the file's beginning, which is not the head it should have. */
static bramble_status refuse(const unsigned char *found, size_t n, const char *path, bramble_error *error)
{
    if (n < sizeof magic || memcmp(found, magic, sizeof magic) != 0)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: not a run's journal; move it away, then start the run again", path);
    uint32_t length = n < JOURNAL_HEAD_FIXED ? UINT32_MAX : get_u32(found + sizeof magic);
    size_t head = JOURNAL_HEAD_FIXED + (size_t)length;
    if (n < 8 || head > n - 8 || get_u64(found + head) != XXH3_64bits(found, head))
        return error_set(
            error, BRAMBLE_ERR_DATA,
            "%s: the journal is damaged at its beginning; move it away, then start the run again", path);
    return error_set(error, BRAMBLE_ERR_DATA,
                     "%s: the journal belongs to another run, of other data or options; name a new run",
                     path);
}

bramble_status journal_head_check(const struct journal_head *head, int fd, const char *path,
                                  enum journal_head_state *state, bramble_error *error)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return error_set(error, BRAMBLE_ERR_DATA, "%s: not a run's journal, nor any regular file", path);
    unsigned char found[JOURNAL_HEAD_MAX];
    size_t n;
    bramble_status status = read_at(fd, path, 0, found, sizeof found, &n, error);
    if (status) return status;
    size_t common = n < head->length ? n : head->length;
    if (memcmp(found, head->bytes, common) != 0) return refuse(found, n, path, error);
    *state = n < head->length ? JOURNAL_HEAD_TORN : JOURNAL_HEAD_WHOLE;
    return BRAMBLE_OK;
}

void journal_record_head(unsigned char head[JOURNAL_RECORD_HEAD], uint32_t task, const void *bytes,
                         uint32_t length)
{
    put_u32(head, task);
    put_u32(head + 4, length);
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, head, MARK);
    if (length) XXH3_64bits_update(&state, bytes, length);
    put_u64(head + MARK, XXH3_64bits_digest(&state));
}

bramble_status journal_walk_begin(struct journal_walk *walk, int fd, const char *path, uint64_t offset,
                                  bramble_error *error)
{
    *walk = (struct journal_walk){.fd = fd, .path = path, .offset = offset};
    struct stat info;
    if (fstat(fd, &info) != 0)
        return error_set(error, BRAMBLE_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    walk->size = (uint64_t)info.st_size;
    return BRAMBLE_OK;
}

static bool reserve(struct journal_walk *walk, size_t n)
{
    if (n <= walk->capacity) return true;
    unsigned char *buffer = mem_resize(walk->buffer, n, 1);
    if (!buffer) return false;
    walk->buffer = buffer;
    walk->capacity = n;
    return true;
}

bool journal_walk_next(struct journal_walk *walk, bramble_status *status, bramble_error *error)
{
    unsigned char head[JOURNAL_RECORD_HEAD], expected[JOURNAL_RECORD_HEAD];
    size_t got, left = walk->size > walk->offset ? walk->size - walk->offset : 0;
    *status = BRAMBLE_OK;
    if (left < sizeof head) return false;
    *status = read_at(walk->fd, walk->path, walk->offset, head, sizeof head, &got, error);
    if (*status || got < sizeof head) return false;
    walk->task = get_u32(head);
    walk->length = get_u32(head + 4);
    if (walk->length > left - sizeof head) return false;
    if (!reserve(walk, walk->length)) {
        *status = error_memory(error, "a record of the journal");
        return false;
    }
    *status =
        read_at(walk->fd, walk->path, walk->offset + sizeof head, walk->buffer, walk->length, &got, error);
    if (*status || got < walk->length) return false;
    journal_record_head(expected, walk->task, walk->buffer, walk->length);
    walk->bytes = walk->length ? walk->buffer : (const unsigned char *)"";
    walk->whole = memcmp(head, expected, sizeof head) == 0;
    walk->offset += sizeof head + (uint64_t)walk->length;
    return true;
}

void journal_walk_end(struct journal_walk *walk)
{
    mem_free(walk->buffer);
}
