#include "data/byte_source.h"

#include <inttypes.h>

#include "base/error.h"

enum {
    DEFLATE_RATIO_MAX = 1032, /* no deflated byte gives more */
    LIKELY_RATIO = 8,
    LIKELY_BYTES = 1 << 20, /* of a stream whose size is not known */
};

static ptrdiff_t read_infile(void *stream, void *buffer, size_t n, bramble_error *error)
{
    return infile_read(stream, buffer, n, error);
}

struct byte_source byte_source_infile(struct infile *file)
{
    return (struct byte_source){.path = infile_path(file),
                                .stream = file,
                                .read = read_infile,
                                .length = infile_is_gzip(file) ? 0 : infile_size(file),
                                .disk_bytes = infile_size(file)};
}

ptrdiff_t byte_source_read(struct byte_source *source, void *buffer, size_t n, bramble_error *error)
{
    size_t got = 0;
    while (got < n) {
        ptrdiff_t some = source->read(source->stream, (uint8_t *)buffer + got, n - got, error);
        if (some < 0) return -1;
        if (some == 0) break;
        got += (size_t)some;
    }
    source->done += got;
    return (ptrdiff_t)got;
}

bramble_status byte_source_header(struct byte_source *source, void *buffer, size_t n, bramble_error *error)
{
    bramble_error local = {0};
    ptrdiff_t got = byte_source_read(source, buffer, n, &local);
    if (got < 0) return error_set(error, local.status, "%s", local.message);
    if ((size_t)got == n) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_DATA,
                     "%s: the file ends within its header (%" PRIu64 " bytes); copy or download it again",
                     source->path, source->done);
}

bramble_status byte_source_expect(const struct byte_source *source, uint64_t bytes, bramble_error *error)
{
    uint64_t left = source->length - source->done;
    bool known = source->length != 0;
    if (known && bytes != left)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: the header promises %" PRIu64 " bytes of values, but %" PRIu64
                         " follow it; copy or download it again",
                         source->path, bytes, left);
    if (source->disk_bytes && bytes / DEFLATE_RATIO_MAX > source->disk_bytes)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: the header promises %" PRIu64 " bytes of values, more than %" PRIu64
                         " compressed bytes can hold; copy or download it again",
                         source->path, bytes, source->disk_bytes);
    return BRAMBLE_OK;
}

uint64_t byte_source_likely(const struct byte_source *source, uint64_t bytes)
{
    uint64_t total = source->disk_bytes, likely = LIKELY_BYTES;
    if (total) likely = total > UINT64_MAX / LIKELY_RATIO ? total : total * LIKELY_RATIO;
    return bytes < likely ? bytes : likely;
}
