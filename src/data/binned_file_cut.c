#include "data/binned_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "data/binned_layout.h"

enum { PIECE = 1 << 20 };

/* A file that holds all features. */
struct whole {
    const char *path;
    int fd;
    struct binned_head head;
    struct binned_layout layout;
    bramble_error *error;
};

static bramble_status damaged(const struct whole *whole)
{
    return error_set(whole->error, BRAMBLE_ERR_DATA,
                     "%s: no binned data with all features; remove the file and it will be made again",
                     whole->path);
}

static bramble_status read_at(const struct whole *whole, size_t offset, void *to, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = pread(whole->fd, (uint8_t *)to + done, length - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) return damaged(whole);
        if (n < 0)
            return error_set(whole->error, BRAMBLE_ERR_IO, "%s: cannot read: %s; check the disk", whole->path,
                             strerror(errno));
        done += (size_t)n;
    }
    return BRAMBLE_OK;
}

static bramble_status read_head(struct whole *whole)
{
    struct stat stat;
    const struct binned_head *head = &whole->head;
    bramble_status status = read_at(whole, 0, &whole->head, sizeof whole->head);
    if (status) return status;
    if (memcmp(head->magic, BINNED_MAGIC, sizeof head->magic) != 0 || !head->n_rows || !head->n_features ||
        head->held_begin != 0 || head->held_end != head->n_features ||
        !binned_layout_init(&whole->layout, head) || fstat(whole->fd, &stat) ||
        (uint64_t)stat.st_size != whole->layout.bytes)
        return damaged(whole);
    return BRAMBLE_OK;
}

static bramble_status open_whole(struct whole *whole, const char *path, bramble_error *error)
{
    *whole = (struct whole){.path = path, .error = error};
    whole->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (whole->fd < 0)
        return error_set(error, BRAMBLE_ERR_IO, "%s: cannot open: %s; check the path", path, strerror(errno));
    bramble_status status = read_head(whole);
    if (status) close(whole->fd);
    return status;
}

bramble_status binned_file_measure(const char *path, struct binned_extent *extent, bramble_error *error)
{
    struct whole whole;
    bramble_status status = open_whole(&whole, path, error);
    if (status) return status;
    close(whole.fd);
    *extent = (struct binned_extent){whole.head.n_rows, whole.head.n_features, whole.layout.codes};
    return BRAMBLE_OK;
}

/* Everything between the head and the codes lies in the same places. */
static bramble_status copy_shared(const struct whole *whole, struct outfile *file, uint8_t *piece)
{
    bramble_status status = BRAMBLE_OK;
    for (size_t at = sizeof whole->head; !status && at < whole->layout.codes;) {
        size_t left = whole->layout.codes - at, n = left < PIECE ? left : PIECE;
        status = read_at(whole, at, piece, n);
        if (!status) outfile_write(file, piece, n);
        at += n;
    }
    return status;
}

static bramble_status copy_codes(const struct whole *whole, struct outfile *file, uint8_t *piece,
                                 uint32_t begin, uint32_t end)
{
    const size_t all = whole->head.n_features, width = end - begin, most = all < PIECE ? PIECE / all : 1;
    bramble_status status = BRAMBLE_OK;
    for (uint64_t row = 0; !status && row < whole->head.n_rows;) {
        uint64_t left = whole->head.n_rows - row;
        size_t n = left < most ? (size_t)left : most;
        status = read_at(whole, whole->layout.codes + row * all, piece, n * all);
        for (size_t r = 0; !status && r < n; r++) memmove(piece + r * width, piece + r * all + begin, width);
        if (!status) outfile_write(file, piece, n * width);
        row += n;
    }
    return status;
}

static bramble_status write_part(const struct whole *whole, uint32_t begin, uint32_t end,
                                 const char *out_path, uint8_t *piece)
{
    struct outfile *file;
    struct binned_head head = whole->head;
    bramble_status status = outfile_open(&file, out_path, whole->error);
    if (status) return status;
    head.held_begin = begin;
    head.held_end = end;
    outfile_write(file, &head, sizeof head);
    status = copy_shared(whole, file, piece);
    if (!status) status = copy_codes(whole, file, piece, begin, end);
    if (!status) return outfile_commit(file, whole->error);
    outfile_abandon(file);
    return status;
}

bramble_status binned_file_cut(const char *path, uint32_t begin, uint32_t end, const char *out_path,
                               bramble_error *error)
{
    struct whole whole;
    bramble_status status = open_whole(&whole, path, error);
    if (status) return status;
    const size_t all = whole.head.n_features;
    uint8_t *piece = mem_alloc(all < PIECE ? PIECE : all, 1);
    if (!piece)
        status = error_memory(error, "dividing the data");
    else if (begin >= end || end > all)
        status = error_set(error, BRAMBLE_ERR_USAGE, "%s: holds no features %u to %u", path, begin, end);
    else
        status = write_part(&whole, begin, end, out_path, piece);
    mem_free(piece);
    close(whole.fd);
    return status;
}
