/* What the images' fuzz targets share: bytes become an image or an error, never half of each. */
#ifndef FUZZ_IMAGE_H
#define FUZZ_IMAGE_H

#include <stdlib.h>
#include <string.h>

#include "data/image.h"

enum { FUZZ_PIXELS = 1 << 18 }; /* larger images would only take longer */

typedef bramble_status image_decoder(struct image *, const char *, const void *, size_t, bool,
                                     bramble_error *);

static inline bramble_status fuzz_decode(image_decoder *decoder, struct image *image, const uint8_t *bytes,
                                         size_t n, bool head_only)
{
    bramble_error error = {0};
    bramble_status status = decoder(image, "fuzz", bytes, n, head_only, &error);
    if (status != error.status || !status != !error.message[0] || strchr(error.message, '\n')) abort();
    if ((status || head_only) && image->pixels) abort();
    return status;
}

static inline void fuzz_image(image_decoder *decoder, const uint8_t *bytes, size_t n)
{
    struct image head = {0}, image = {0};
    uint8_t fitted[5 * 7 * 3];
    if (fuzz_decode(decoder, &head, bytes, n, true)) return;
    if ((uint64_t)head.height * head.width > FUZZ_PIXELS) return;
    if (fuzz_decode(decoder, &image, bytes, n, false)) return;
    if (image.height != head.height || image.width != head.width || image.channels != head.channels) abort();
    if (image_fit(&image, 5, 7, 3, fitted, NULL)) abort();
    image_fini(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#endif
