/*
 * One picture in memory, from a PNG or JPEG file: grey or RGB bytes, line by line from the top.
 *
 * Files are hostile: sides and pixels are limited, and one that is cut short or damaged is refused, never
 * half read. What the bytes are is seen from the first of them; a file's name does not matter.
 */
#ifndef DATA_IMAGE_H
#define DATA_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

enum {
    IMAGE_SIDE_MAX = 16384,
    IMAGE_PIXELS_MAX = 1 << 25,    /* 33 million */
    IMAGE_FILE_BYTES_MAX = 1 << 27 /* of a file */
};

struct image {
    uint32_t height, width, channels; /* channels: 1 grey, 3 RGB */
    uint8_t *pixels;                  /* height x width x channels */
};

/*
 * Transparency is dropped, 16 bits become 8, palettes RGB; rotation and colour profiles that a file speaks of
 * are not looked at. `path` is for messages. With head_only the sizes are read and pixels stay NULL.
 */
bramble_status image_decode(struct image *out, const char *path, const void *bytes, size_t n, bool head_only,
                            bramble_error *error);
bramble_status image_read(struct image *out, const char *path, bool head_only, bramble_error *error);
void image_fini(struct image *image); /* zeroed ones too */

/* True for the first bytes of a PNG or JPEG file. */
bool image_recognise(const void *bytes, size_t n);

/* The same for one format each: image_png.c, image_jpeg.c. */
bramble_status image_decode_png(struct image *out, const char *path, const void *bytes, size_t n,
                                bool head_only, bramble_error *error);
bramble_status image_decode_jpeg(struct image *out, const char *path, const void *bytes, size_t n,
                                 bool head_only, bramble_error *error);
/* Checks height and width against the limits, with the message for a person. */
bramble_status image_check_size(uint32_t height, uint32_t width, const char *path, bramble_error *error);

/*
 * The middle of an image, as much of it as has the shape of height x width, scaled to that size (bilinear;
 * when made smaller, over all the pixels that fall into one) and from grey to RGB or back: into
 * out[height][width][channels].
 */
bramble_status image_fit(const struct image *image, uint32_t height, uint32_t width, uint32_t channels,
                         uint8_t *out, bramble_error *error);

#endif
