#include "data/image.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/infile.h"

static const uint8_t png_magic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'},
                     jpeg_magic[] = {0xff, 0xd8, 0xff};

static bool begins_with(const void *bytes, size_t n, const uint8_t *magic, size_t length)
{
    return n >= length && memcmp(bytes, magic, length) == 0;
}

bool image_recognise(const void *bytes, size_t n)
{
    return begins_with(bytes, n, png_magic, sizeof png_magic) ||
           begins_with(bytes, n, jpeg_magic, sizeof jpeg_magic);
}

bramble_status image_check_size(uint32_t height, uint32_t width, const char *path, bramble_error *error)
{
    if (height && width && height <= IMAGE_SIDE_MAX && width <= IMAGE_SIDE_MAX &&
        (uint64_t)height * width <= IMAGE_PIXELS_MAX)
        return BRAMBLE_OK;
    return error_set(
        error, BRAMBLE_ERR_DATA,
        "%s: an image of %u x %u pixels; at most %d a side and %d in all can be: make it smaller", path,
        width, height, IMAGE_SIDE_MAX, IMAGE_PIXELS_MAX);
}

bramble_status image_decode(struct image *out, const char *path, const void *bytes, size_t n, bool head_only,
                            bramble_error *error)
{
    if (begins_with(bytes, n, png_magic, sizeof png_magic))
        return image_decode_png(out, path, bytes, n, head_only, error);
    if (begins_with(bytes, n, jpeg_magic, sizeof jpeg_magic))
        return image_decode_jpeg(out, path, bytes, n, head_only, error);
    return error_set(error, BRAMBLE_ERR_DATA,
                     "%s: neither a PNG nor a JPEG image, whatever its name says; convert or remove it",
                     path);
}

/* All of a file; *bytes is the caller's to free. */
static bramble_status read_all(struct infile *file, uint8_t **bytes, size_t *n, bramble_error *error)
{
    uint64_t size = infile_size(file);
    size_t room = size && !infile_is_gzip(file) && size < IMAGE_FILE_BYTES_MAX ? (size_t)size + 1 : 1 << 16;
    *bytes = NULL;
    *n = 0;
    for (;; room *= 2) {
        uint8_t *more = mem_resize(*bytes, room, 1);
        if (!more) return error_memory(error, "an image file");
        *bytes = more;
        size_t got;
        bramble_status status = infile_read_full(file, more + *n, room - *n, &got, error);
        if (status) return status;
        *n += got;
        if (*n < room) return BRAMBLE_OK;
        if (room > IMAGE_FILE_BYTES_MAX)
            return error_set(error, BRAMBLE_ERR_DATA, "%s: more than %d MB for one image; make it smaller",
                             infile_path(file), IMAGE_FILE_BYTES_MAX >> 20);
    }
}

bramble_status image_read(struct image *out, const char *path, bool head_only, bramble_error *error)
{
    struct infile *file;
    bramble_status status = infile_open(&file, path, error);
    if (status) return status;
    uint8_t *bytes;
    size_t n;
    status = read_all(file, &bytes, &n, error);
    infile_close(file);
    if (!status) status = image_decode(out, path, bytes, n, head_only, error);
    mem_free(bytes);
    return status;
}

void image_fini(struct image *image)
{
    mem_free(image->pixels);
    *image = (struct image){0};
}
