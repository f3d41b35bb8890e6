/* Images changed a little each time they are seen, so that a network sees more than there are. */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

#include "data/encoder.h"

struct augment_options {
    uint32_t crop_padding; /* pixels of 0 put around an image, of which a part of its old size is cut */
    bool flip;             /* left and right change places in half the cases */
    uint32_t cutout;       /* a square of so many pixels' side becomes 0; may hang over */
};

/* Whether there is anything to do. */
static inline bool augment_any(const struct augment_options *options)
{
    return options->crop_padding || options->flip || options->cutout;
}

/* An encoded image into out[height][width][channels]; which change it gets depends on nothing but the seed,
 * the epoch and the sample. O(D). */
void augment_image(const struct augment_options *options, const uint32_t shape[3], uint64_t seed,
                   uint32_t epoch, uint64_t sample, const float *image, float *out);

#endif
