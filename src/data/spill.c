#include "data/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "base/error.h"
#include "base/machine_memory.h"
#include "base/mem.h"
#include "base/str.h"

enum {
    FREE_OF_CARE = 32 << 20,  /* bytes that no machine is asked about */
    SEGMENT_BYTES = 64 << 20, /* mapped at a time; more for a larger array */
    RESERVE_BYTES = 16 << 20, /* taken from the disk at a time */
    HUGE_BYTES = 16 << 20,    /* on the heap: worth huge pages */
    HEAD_BYTES = 64,
};
#define MEGABYTE 1e6

/* Stands right before each array. */
struct head {
    struct spill *spill;
    size_t bytes; /* of the array */
    bool in_file;
};
_Static_assert(sizeof(struct head) <= HEAD_BYTES, "the head must fit before the array");

/* A part of the file that is mapped. */
struct segment {
    uint8_t *at;
    size_t size, used, reserved; /* mapped; given to arrays; taken from the disk */
    uint64_t offset;             /* of the file */
};

struct spill {
    uint64_t expected, heap_bytes, file_bytes;
    uint64_t allowed; /* bytes on the heap; 0: memory was not looked at yet */
    bool forced, no_file;
    int fd; /* -1: no file yet */
    char *folder;
    size_t n_segments;
    struct segment *segments; /* the last is the one that arrays are put into */
    int reason;               /* errno of the last failure; 0: out of memory */
    uint64_t missing;         /* bytes of the disk it was about */
};

bramble_status spill_new(struct spill **out, bramble_error *error)
{
    struct spill *spill = mem_zalloc(1, sizeof *spill);
    if (!spill) return error_memory(error, "a table");
    spill->fd = -1;
    *out = spill;
    return BRAMBLE_OK;
}

void spill_free(struct spill *spill)
{
    if (!spill) return;
    for (size_t i = 0; i < spill->n_segments; i++) munmap(spill->segments[i].at, spill->segments[i].size);
    if (spill->fd >= 0) close(spill->fd);
    mem_free(spill->segments);
    mem_free(spill->folder);
    mem_free(spill);
}

void spill_expect(struct spill *spill, uint64_t bytes)
{
    spill->expected = bytes;
}

void spill_force(struct spill *spill)
{
    spill->forced = true;
}

static size_t page_up(size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (n + page - 1) / page * page;
}

static size_t page_down(size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return n / page * page;
}

static struct head *head_of(const void *array)
{
    return (struct head *)((uintptr_t)array - HEAD_BYTES);
}

/* Whether `bytes` more (with their head) belong into the file. */
static bool wants_file(struct spill *spill, size_t bytes)
{
    uint64_t all = spill->heap_bytes + spill->file_bytes + bytes;
    if (all < spill->expected) all = spill->expected;
    if (spill->no_file || spill->forced) return !spill->no_file;
    if (all <= FREE_OF_CARE) return false;
    if (!spill->allowed) spill->allowed = process_memory_left() / 2 + 1;
    return all > spill->allowed;
}

bool spill_is_large(struct spill *spill)
{
    return wants_file(spill, 0);
}

/* A file without a name; one with a name, that loses it at once, where the file system has no such files. */
static int open_nameless(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) return fd;
    struct str path = {0};
    str_printf(&path, "%s/spill.XXXXXX", folder);
    char *name = str_take(&path);
    if (!name) return -1;
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0) unlink(name);
    mem_free(name);
    return fd;
}

/* Without a file everything stays on the heap. */
static bool file_ready(struct spill *spill)
{
    if (spill->fd >= 0) return true;
    if (!spill->folder && cache_folder_make(&spill->folder, NULL)) spill->folder = NULL;
    if (spill->folder) spill->fd = open_nameless(spill->folder);
    spill->no_file = spill->fd < 0;
    return !spill->no_file;
}

static bool failed(struct spill *spill, int reason, uint64_t missing)
{
    spill->reason = reason;
    spill->missing = missing;
    return false;
}

static struct segment *last_segment(const struct spill *spill)
{
    return spill->n_segments ? &spill->segments[spill->n_segments - 1] : NULL;
}

/* Maps a new segment with room for `bytes` behind what the last one has used. */
static bool segment_add(struct spill *spill, size_t bytes)
{
    const struct segment *last = last_segment(spill);
    struct segment segment = {.size = page_up(bytes < SEGMENT_BYTES ? SEGMENT_BYTES : bytes)};
    if (last) segment.offset = last->offset + page_up(last->used);
    struct segment *more = mem_resize(spill->segments, spill->n_segments + 1, sizeof *more);
    if (!more) return failed(spill, 0, 0);
    spill->segments = more;
    void *at = mmap(NULL, segment.size, PROT_READ | PROT_WRITE, MAP_SHARED, spill->fd, (off_t)segment.offset);
    if (at == MAP_FAILED) return failed(spill, 0, 0);
    segment.at = at;
    madvise(at, segment.size, MADV_RANDOM);
    more[spill->n_segments++] = segment;
    return true;
}

static int disk_take(const struct spill *spill, uint64_t from, size_t bytes)
{
    int reason;
    do reason = posix_fallocate(spill->fd, (off_t)from, (off_t)bytes);
    while (reason == EINTR);
    return reason;
}

/* Takes room on the disk for `bytes` more of the segment, and at best for some that will come. */
static bool segment_reserve(struct spill *spill, struct segment *segment, size_t bytes)
{
    size_t need = page_up(segment->used + bytes), ahead = segment->reserved + RESERVE_BYTES;
    if (need <= segment->reserved) return true;
    if (ahead > segment->size) ahead = segment->size;
    size_t wanted = need > ahead ? need : ahead;
    uint64_t from = segment->offset + segment->reserved;
    int reason = disk_take(spill, from, wanted - segment->reserved);
    if (reason && wanted > need) {
        wanted = need;
        reason = disk_take(spill, from, wanted - segment->reserved);
    }
    if (reason) return failed(spill, reason, wanted - segment->reserved);
    segment->reserved = wanted;
    return true;
}

static void *file_alloc(struct spill *spill, size_t bytes)
{
    struct segment *segment = last_segment(spill);
    if (!segment || bytes > segment->size - segment->used) {
        if (!segment_add(spill, bytes)) return NULL;
        segment = last_segment(spill);
    }
    if (!segment_reserve(spill, segment, bytes)) return NULL;
    void *at = segment->at + segment->used;
    segment->used += bytes;
    spill->file_bytes += bytes;
    return at;
}

static void *heap_alloc(struct spill *spill, size_t bytes)
{
    void *at = bytes < HUGE_BYTES ? mem_alloc(bytes, 1) : mem_alloc_large(bytes, 1);
    if (at)
        spill->heap_bytes += bytes;
    else
        failed(spill, 0, 0);
    return at;
}

/* A full disk is no reason to stop while memory, though more of it than is good, can do. */
static bool heap_can_do(const struct spill *spill, size_t bytes)
{
    uint64_t all = spill->heap_bytes + bytes;
    if (all < spill->expected) all = spill->expected;
    return !spill->forced && all <= spill->allowed / 2 * 3;
}

/* Sizes with their head, so that heads and arrays stay on their boundaries; 0: too many. */
static size_t whole_bytes(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX / 2) return 0;
    return (bytes + 2 * HEAD_BYTES - 1) / HEAD_BYTES * HEAD_BYTES;
}

static void *array_new(struct spill *spill, size_t bytes, size_t whole)
{
    bool in_file = wants_file(spill, whole) && file_ready(spill);
    void *at = in_file ? file_alloc(spill, whole) : NULL;
    if (!at && in_file && !heap_can_do(spill, whole)) return NULL;
    in_file = at != NULL;
    if (!at) at = heap_alloc(spill, whole);
    if (!at) return NULL;
    *(struct head *)at = (struct head){spill, bytes, in_file};
    return (uint8_t *)at + HEAD_BYTES;
}

/* Gives the disk back what whole pages from..to hold; where it cannot be done it is done at the end. */
static void disk_release(const uint8_t *from, const uint8_t *to)
{
    uintptr_t first = page_up((uintptr_t)from), end = page_down((uintptr_t)to);
    if (first < end) madvise((void *)first, end - first, MADV_REMOVE);
}

/* The same place with fewer bytes, or on the heap what realloc finds. NULL: another place is needed. */
static void *resize_in_place(struct spill *spill, void *array, size_t bytes, size_t whole)
{
    struct head *head = head_of(array);
    size_t before = whole_bytes(head->bytes, 1);
    if (head->in_file && whole > before) return NULL;
    if (!head->in_file && whole > before && wants_file(spill, whole - before)) return NULL;
    if (head->in_file) {
        disk_release((uint8_t *)head + whole, (uint8_t *)head + before);
        spill->file_bytes -= before - whole;
    } else {
        struct head *moved = mem_resize(head, whole, 1);
        if (!moved) return NULL;
        head = moved;
        spill->heap_bytes += whole;
        spill->heap_bytes -= before;
    }
    head->bytes = bytes;
    return (uint8_t *)head + HEAD_BYTES;
}

void *spill_resize(struct spill *spill, void *array, size_t count, size_t size)
{
    size_t whole = whole_bytes(count, size), bytes = whole ? count * size : 0;
    spill->reason = 0;
    if (!whole) return NULL;
    void *resized = array ? resize_in_place(spill, array, bytes, whole) : NULL;
    if (resized) return resized;
    resized = array_new(spill, bytes, whole);
    if (!resized || !array) return resized;
    size_t held = head_of(array)->bytes;
    memcpy(resized, array, held < bytes ? held : bytes);
    spill_release(array);
    return resized;
}

void spill_release(void *array)
{
    if (!array) return;
    struct head *head = head_of(array);
    size_t whole = whole_bytes(head->bytes, 1);
    if (head->in_file) {
        head->spill->file_bytes -= whole;
        disk_release((uint8_t *)head, (uint8_t *)head + whole);
    } else {
        head->spill->heap_bytes -= whole;
        mem_free(head);
    }
}

bramble_status spill_error(const struct spill *spill, bramble_error *error, const char *what)
{
    if (!spill->reason) return error_memory(error, what);
    struct statvfs disk;
    double left = 0, missing = (double)spill->missing;
    if (statvfs(spill->folder, &disk) == 0) left = (double)disk.f_bavail * (double)disk.f_frsize;
    if ((double)spill->expected - (double)spill->file_bytes > missing)
        missing = (double)spill->expected - (double)spill->file_bytes;
    return error_set(
        error, BRAMBLE_ERR_IO,
        "%s: %s for %s, which memory cannot hold: %.1f MB are needed and %.1f MB free; make room, or "
        "set BRAMBLE_CACHE to a folder on a larger disk",
        spill->folder, strerror(spill->reason), what, missing / MEGABYTE, left / MEGABYTE);
}

uint64_t spill_file_bytes(const struct spill *spill)
{
    return spill->file_bytes;
}

void spill_scattered(const struct spill *spill, bool scattered)
{
    for (size_t i = 0; spill && i < spill->n_segments; i++)
        madvise(spill->segments[i].at, spill->segments[i].size, scattered ? MADV_RANDOM : MADV_NORMAL);
}

void spill_want(const struct spill *spill, const void *bytes, size_t n)
{
    if (!spill || !spill->n_segments) return;
    uintptr_t from = page_down((uintptr_t)bytes), to = (uintptr_t)bytes + n;
    madvise((void *)from, to - from, MADV_WILLNEED);
}
