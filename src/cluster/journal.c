#include "cluster/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "cluster/journal_format.h"

#define LOCK_SECONDS 1.0

struct journal {
    char *path;
    int fd;
    uint64_t end;       /* behind the last whole record */
    uint64_t first_end; /* behind the first one; 0: there is none */
    bool unsettled; /* there may be more in the file than `end` says: a failed write could not be undone */
};

static bramble_status cannot(const char *verb, const char *path, int reason, bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_IO, "%s: cannot %s: %s; see to the disk, then resume the run", path,
                     verb, strerror(reason));
}

/* Makes a new file's name durable; some file systems cannot, which is no reason to fail. */
static bramble_status sync_folder(const char *path, bramble_error *error)
{
    char *copy = mem_strdup(path);
    if (!copy) return error_memory(error, "the journal");
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    mem_free(copy);
    if (fd < 0) return BRAMBLE_OK;
    int reason = fsync(fd) != 0 ? errno : 0;
    close(fd);
    return reason && reason != EINVAL ? cannot("write", path, reason, error) : BRAMBLE_OK;
}

static bool write_all(int fd, const void *bytes, size_t length, uint64_t offset)
{
    for (const char *at = bytes; length;) {
        ssize_t n = pwrite(fd, at, length, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        at += n;
        length -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

/* Cuts off what stands behind the last whole record. */
static bool settle(struct journal *journal)
{
    journal->unsettled = ftruncate(journal->fd, (off_t)journal->end) != 0;
    return !journal->unsettled;
}

/* Whether the file that is open is still the one of this name: another writer may have replaced it before it
 * let go of the lock. */
static bool is_current(const struct journal *journal)
{
    struct stat open_one, named;
    return fstat(journal->fd, &open_one) == 0 && stat(journal->path, &named) == 0 &&
           open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

/* A writer that was just killed may hold it for a moment longer than one can see that it is gone; `end` is
 * when there is no more waiting for it. */
static bramble_status lock(struct journal *journal, double end, bramble_error *error)
{
    while (flock(journal->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) return cannot("lock", journal->path, errno, error);
        if (clock_seconds() < end) {
            nanosleep(&(struct timespec){0, 10000000}, NULL);
            continue;
        }
        return error_set(error, BRAMBLE_ERR_IO,
                         "%s: another bramble is at work on this run; wait for its end, or stop it first",
                         journal->path);
    }
    return BRAMBLE_OK;
}

static bramble_status begin_file(struct journal *journal, const struct journal_head *head,
                                 bramble_error *error)
{
    journal->end = 0;
    if (!settle(journal) || !write_all(journal->fd, head->bytes, head->length, 0)) {
        int reason = errno;
        settle(journal);
        return cannot("write", journal->path, reason, error);
    }
    journal->end = head->length;
    bramble_status status = journal_sync(journal, error);
    return status ? status : sync_folder(journal->path, error);
}

/* Finds the end of the last whole record; what is behind it goes. */
static bramble_status continue_file(struct journal *journal, const struct journal_head *head,
                                    bramble_error *error)
{
    struct journal_walk walk;
    bramble_status status = journal_walk_begin(&walk, journal->fd, journal->path, head->length, error);
    journal->end = head->length;
    while (!status && journal_walk_next(&walk, &status, error)) {
        if (!walk.whole) continue;
        journal->end = walk.offset;
        if (!journal->first_end) journal->first_end = walk.offset;
    }
    uint64_t size = walk.size;
    journal_walk_end(&walk);
    if (!status && size > journal->end && !settle(journal))
        status = cannot("write", journal->path, errno, error);
    return status;
}

static bramble_status open_file(struct journal *journal, const struct journal_head *head,
                                bramble_error *error)
{
    bramble_status status;
    double end =
        clock_seconds() + LOCK_SECONDS; /* of all its files: a writer may replace it again and again */
    do {
        if (journal->fd >= 0) close(journal->fd);
        journal->fd = open(journal->path, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
        if (journal->fd < 0) return cannot("write", journal->path, errno, error);
        status = lock(journal, end, error);
    } while (!status && !is_current(journal));
    enum journal_head_state state;
    if (!status) status = journal_head_check(head, journal->fd, journal->path, &state, error);
    if (status) return status;
    return state == JOURNAL_HEAD_TORN ? begin_file(journal, head, error)
                                      : continue_file(journal, head, error);
}

static void discard(struct journal *journal)
{
    if (journal->fd >= 0) close(journal->fd);
    mem_free(journal->path);
    mem_free(journal);
}

bramble_status journal_append_open(struct journal **out, const char *path, const char *key,
                                   bramble_error *error)
{
    struct journal_head head;
    bramble_status status = journal_head_make(&head, key, error);
    if (status) return status;
    struct journal *journal = mem_alloc(1, sizeof *journal);
    if (!journal) return error_memory(error, "the journal");
    *journal = (struct journal){.path = mem_strdup(path), .fd = -1};
    status = journal->path ? open_file(journal, &head, error) : error_memory(error, "the journal");
    if (status)
        discard(journal);
    else
        *out = journal;
    return status;
}

bramble_status journal_append(struct journal *journal, uint32_t task, const void *bytes, uint32_t length,
                              bramble_error *error)
{
    unsigned char head[JOURNAL_RECORD_HEAD];
    journal_record_head(head, task, bytes, length);
    if (journal->unsettled && !settle(journal)) return cannot("write", journal->path, errno, error);
    if (!write_all(journal->fd, head, sizeof head, journal->end) ||
        !write_all(journal->fd, bytes, length, journal->end + sizeof head)) {
        int reason = errno;
        settle(journal);
        return cannot("write", journal->path, reason, error);
    }
    journal->end += sizeof head + (uint64_t)length;
    if (!journal->first_end) journal->first_end = journal->end;
    return BRAMBLE_OK;
}

bramble_status journal_sync(struct journal *journal, bramble_error *error)
{
    int failed;
    while ((failed = fdatasync(journal->fd)) != 0 && errno == EINTR) continue;
    return failed ? cannot("write", journal->path, errno, error) : BRAMBLE_OK;
}

/* The first `length` bytes of the journal into another file. */
static bool copy_begin(const struct journal *journal, int to, uint64_t length)
{
    char buffer[65536];
    for (uint64_t at = 0; at < length;) {
        size_t most = length - at < sizeof buffer ? (size_t)(length - at) : sizeof buffer;
        ssize_t n = pread(journal->fd, buffer, most, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = EIO;
        if (n <= 0 || !write_all(to, buffer, (size_t)n, at)) return false;
        at += (uint64_t)n;
    }
    return true;
}

static uint64_t place_of_last(const struct journal *journal)
{
    return journal->first_end ? journal->first_end : journal->end;
}

/* Nobody who opens it once it has its name finds it without the lock. */
static bool write_new(const struct journal *journal, int fd, uint32_t task, const void *bytes,
                      uint32_t length)
{
    unsigned char head[JOURNAL_RECORD_HEAD];
    uint64_t end = place_of_last(journal);
    journal_record_head(head, task, bytes, length);
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && copy_begin(journal, fd, end) &&
           write_all(fd, head, sizeof head, end) && write_all(fd, bytes, length, end + sizeof head) &&
           fdatasync(fd) == 0;
}

bramble_status journal_replace(struct journal *journal, uint32_t task, const void *bytes, uint32_t length,
                               bramble_error *error)
{
    struct str path = {0};
    str_printf(&path, "%s.new", journal->path);
    if (path.failed) return error_memory(error, "the journal");
    unlink(path.data);
    int fd = open(path.data, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), reason = 0;
    if (fd < 0 || !write_new(journal, fd, task, bytes, length) || rename(path.data, journal->path) != 0)
        reason = errno;
    if (reason) {
        if (fd >= 0) close(fd);
        unlink(path.data);
    } else {
        close(journal->fd);
        journal->fd = fd;
        journal->end = place_of_last(journal) + JOURNAL_RECORD_HEAD + (uint64_t)length;
        if (!journal->first_end) journal->first_end = journal->end;
    }
    str_fini(&path);
    return reason ? cannot("write", journal->path, reason, error) : sync_folder(journal->path, error);
}

void journal_close(struct journal *journal)
{
    if (!journal) return;
    journal_sync(journal, NULL);
    discard(journal);
}
