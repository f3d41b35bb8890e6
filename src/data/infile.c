#include "data/infile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/error.h"
#include "base/mem.h"

enum { BUFFER_BYTES = 1 << 16, GZIP_WINDOW = 16 + MAX_WBITS };

/* Where the stream is: inside a gzip member, between two, or past the last byte. */
enum member { MEMBER_INSIDE, MEMBER_DONE, MEMBER_PADDING };

struct infile {
    char *path;
    int fd;                /* -1: bytes come from memory */
    const uint8_t *memory; /* the caller's */
    size_t memory_size, memory_at;
    uint64_t size;
    bool gzip;
    enum member member;
    z_stream z;         /* live when `gzip` */
    size_t first, last; /* bytes of `buffer` read from the file and not yet handed on */
    uint8_t buffer[BUFFER_BYTES];
};

static bramble_status open_failure(const char *path, int reason, bramble_error *error)
{
    const char *advice = "check the path";
    if (reason == EACCES || reason == EPERM) advice = "make the file and its folder readable for this user";
    if (reason == EMFILE || reason == ENFILE) advice = "close other programs";
    return error_set(error, BRAMBLE_ERR_IO, "%s: cannot open: %s; %s", path, strerror(reason), advice);
}

/* Bytes as they are on disk; 0 at the end, -1 on failure. */
static ptrdiff_t raw_read(struct infile *file, void *buffer, size_t n, bramble_error *error)
{
    if (file->fd < 0) {
        size_t left = file->memory_size - file->memory_at;
        if (n > left) n = left;
        if (n) memcpy(buffer, file->memory + file->memory_at, n);
        file->memory_at += n;
        return (ptrdiff_t)n;
    }
    if (n > SSIZE_MAX / 2) n = SSIZE_MAX / 2;
    ssize_t got;
    do got = read(file->fd, buffer, n);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        error_set(error, BRAMBLE_ERR_IO, "%s: cannot read: %s; check the disk or copy the file again",
                  file->path, strerror(errno));
    return got;
}

static ptrdiff_t buffer_fill(struct infile *file, bramble_error *error)
{
    ptrdiff_t got = raw_read(file, file->buffer, BUFFER_BYTES, error);
    file->first = 0;
    file->last = got > 0 ? (size_t)got : 0;
    return got;
}

static void *zlib_alloc(void *context, unsigned count, unsigned size)
{
    (void)context;
    return mem_alloc(count, size);
}

static void zlib_free(void *context, void *p)
{
    (void)context;
    mem_free(p);
}

/* Reads the first bytes and sees from them what the file is. */
static bramble_status recognise(struct infile *file, bramble_error *error)
{
    if (buffer_fill(file, error) < 0) return BRAMBLE_ERR_IO;
    while (file->last == 1) { /* a pipe may hand out one byte */
        ptrdiff_t got = raw_read(file, file->buffer + 1, BUFFER_BYTES - 1, error);
        if (got < 0) return BRAMBLE_ERR_IO;
        if (got == 0) break;
        file->last += (size_t)got;
    }
    if (file->last < 2 || file->buffer[0] != 0x1f || file->buffer[1] != 0x8b) return BRAMBLE_OK;
    file->z = (z_stream){.zalloc = zlib_alloc, .zfree = zlib_free};
    if (inflateInit2(&file->z, GZIP_WINDOW) != Z_OK) return error_memory(error, "reading a gzip file");
    file->gzip = true;
    return BRAMBLE_OK;
}

static bramble_status file_new(struct infile **out, const char *path, int fd, bramble_error *error)
{
    struct infile *file = mem_zalloc(1, sizeof *file);
    if (!file) return error_memory(error, "an input file");
    file->fd = fd;
    file->path = mem_strdup(path);
    if (!file->path) {
        mem_free(file);
        return error_memory(error, "an input file");
    }
    *out = file;
    return BRAMBLE_OK;
}

/* Takes over `fd`. */
static bramble_status file_from_fd(struct infile **out, const char *path, int fd, bramble_error *error)
{
    struct stat info;
    int reason = fstat(fd, &info) == 0 ? 0 : errno;
    if (!reason && S_ISDIR(info.st_mode)) {
        close(fd);
        return error_set(error, BRAMBLE_ERR_IO, "%s: this is a folder; name a file in it", path);
    }
    struct infile *file = NULL;
    bramble_status status = reason ? open_failure(path, reason, error) : file_new(&file, path, fd, error);
    if (status) {
        close(fd);
        return status;
    }
    if (S_ISREG(info.st_mode)) {
        file->size = (uint64_t)info.st_size;
        posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    status = recognise(file, error);
    if (status) {
        infile_close(file);
        return status;
    }
    *out = file;
    return BRAMBLE_OK;
}

bramble_status infile_open(struct infile **out, const char *path, bramble_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return open_failure(path, errno, error);
    return file_from_fd(out, path, fd, error);
}

bramble_status infile_open_memory(struct infile **out, const char *path, const void *bytes, size_t size,
                                  bramble_error *error)
{
    struct infile *file = NULL;
    bramble_status status = file_new(&file, path, -1, error);
    if (status) return status;
    file->memory = bytes;
    file->memory_size = size;
    file->size = size;
    status = recognise(file, error);
    if (status) {
        infile_close(file);
        return status;
    }
    *out = file;
    return BRAMBLE_OK;
}

static ptrdiff_t corrupt(const struct infile *file, const char *how, bramble_error *error)
{
    error_set(error, BRAMBLE_ERR_DATA, "%s: %s; copy or download it again", file->path, how);
    return -1;
}

/* Between two members: starts the next one, or skips the zeros behind the last. Input is not empty. */
static ptrdiff_t next_member(struct infile *file, bramble_error *error)
{
    if (file->member == MEMBER_DONE && file->buffer[file->first] == 0x1f) {
        inflateReset(&file->z);
        file->member = MEMBER_INSIDE;
        return 0;
    }
    file->member = MEMBER_PADDING;
    for (; file->first < file->last; file->first++)
        if (file->buffer[file->first])
            return corrupt(file, "bytes that are not gzip follow the compressed data", error);
    return 0;
}

/* Inflates what is buffered into `buffer`; how many bytes came out, maybe 0. */
static ptrdiff_t inflate_some(struct infile *file, void *buffer, size_t n, bramble_error *error)
{
    file->z.next_in = file->buffer + file->first;
    file->z.avail_in = (unsigned)(file->last - file->first);
    file->z.next_out = buffer;
    file->z.avail_out = n < UINT_MAX ? (unsigned)n : UINT_MAX;
    unsigned room = file->z.avail_out;
    int code = inflate(&file->z, Z_NO_FLUSH);
    file->first = file->last - file->z.avail_in;
    if (code == Z_MEM_ERROR) {
        error_memory(error, "reading a gzip file");
        return -1;
    }
    if (code == Z_STREAM_END)
        file->member = MEMBER_DONE;
    else if (code != Z_OK && code != Z_BUF_ERROR)
        return corrupt(file, "corrupt gzip data", error);
    return (ptrdiff_t)(room - file->z.avail_out);
}

static ptrdiff_t gzip_read(struct infile *file, void *buffer, size_t n, bramble_error *error)
{
    for (;;) {
        if (file->member == MEMBER_INSIDE) { /* first what zlib still holds back, even without new input */
            ptrdiff_t got = inflate_some(file, buffer, n, error);
            if (got) return got;
        }
        if (file->first == file->last) {
            ptrdiff_t filled = buffer_fill(file, error);
            if (filled < 0) return -1;
            if (filled == 0 && file->member == MEMBER_INSIDE)
                return corrupt(file, "truncated gzip file", error);
            if (filled == 0) return 0;
        }
        if (file->member != MEMBER_INSIDE && next_member(file, error) < 0) return -1;
    }
}

ptrdiff_t infile_read(struct infile *file, void *buffer, size_t n, bramble_error *error)
{
    if (n == 0) return 0;
    if (file->gzip) return gzip_read(file, buffer, n, error);
    if (file->first == file->last) {
        if (n >= BUFFER_BYTES) return raw_read(file, buffer, n, error);
        ptrdiff_t filled = buffer_fill(file, error);
        if (filled <= 0) return filled;
    }
    size_t left = file->last - file->first;
    if (n > left) n = left;
    memcpy(buffer, file->buffer + file->first, n);
    file->first += n;
    return (ptrdiff_t)n;
}

bramble_status infile_read_full(struct infile *file, void *buffer, size_t n, size_t *got,
                                bramble_error *error)
{
    bramble_error local = {0};
    size_t done = 0;
    while (done < n) {
        ptrdiff_t some = infile_read(file, (uint8_t *)buffer + done, n - done, &local);
        if (some < 0) return error_set(error, local.status, "%s", local.message);
        if (some == 0) break;
        done += (size_t)some;
    }
    *got = done;
    return BRAMBLE_OK;
}

bramble_status infile_rewind(struct infile *file, bramble_error *error)
{
    if (file->fd >= 0 && lseek(file->fd, 0, SEEK_SET) < 0)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                         "%s: cannot be read twice; save it as a file first and name that", file->path);
    file->memory_at = 0;
    file->first = file->last = 0;
    file->member = MEMBER_INSIDE;
    if (file->gzip) inflateReset(&file->z);
    return BRAMBLE_OK;
}

uint64_t infile_size(const struct infile *file)
{
    return file->size;
}

bool infile_is_gzip(const struct infile *file)
{
    return file->gzip;
}

const char *infile_path(const struct infile *file)
{
    return file->path;
}

void infile_close(struct infile *file)
{
    if (!file) return;
    if (file->gzip) inflateEnd(&file->z);
    if (file->fd >= 0) close(file->fd);
    mem_free(file->path);
    mem_free(file);
}
