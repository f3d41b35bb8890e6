#include "data/augment.h"

#include <string.h>

#include "base/rng.h"

/* What one image gets. */
struct change {
    int64_t down, right; /* where in the image the cut begins: may lie in the padding */
    bool flip;
    int64_t hole_top, hole_left;
};

static struct change draw(const struct augment_options *options, const uint32_t shape[3], uint64_t seed,
                          uint32_t epoch, uint64_t sample)
{
    struct rng rng;
    rng_init(&rng, seed, RNG_AUGMENT, sample, epoch);
    struct change change = {0};
    int64_t padding = options->crop_padding, half = options->cutout / 2;
    change.down = (int64_t)rng_below(&rng, 2 * options->crop_padding + 1) - padding;
    change.right = (int64_t)rng_below(&rng, 2 * options->crop_padding + 1) - padding;
    change.flip = options->flip && (rng_u32(&rng) & 1);
    change.hole_top = (int64_t)rng_below(&rng, shape[0]) - half;
    change.hole_left = (int64_t)rng_below(&rng, shape[1]) - half;
    return change;
}

static int64_t clamp(int64_t x, int64_t least, int64_t most)
{
    return x < least ? least : x > most ? most : x;
}

/* A line of `width` pixels that begins `right` pixels into the image's line. */
static void shift_line(float *out, const float *line, int64_t width, int64_t right, uint32_t channels)
{
    int64_t before = clamp(-right, 0, width), after = clamp(right, 0, width), kept = width - before - after;
    memset(out, 0, (size_t)before * channels * sizeof *out);
    memcpy(out + before * channels, line + after * channels, (size_t)kept * channels * sizeof *out);
    memset(out + (before + kept) * channels, 0, (size_t)after * channels * sizeof *out);
}

static void flip_line(float *line, int64_t width, uint32_t channels)
{
    for (int64_t left = 0, right = width - 1; left < right; left++, right--)
        for (uint32_t c = 0; c < channels; c++) {
            float other = line[left * channels + c];
            line[left * channels + c] = line[right * channels + c];
            line[right * channels + c] = other;
        }
}

static void cut_out(float *out, const uint32_t shape[3], const struct change *change, int64_t side)
{
    int64_t top = clamp(change->hole_top, 0, shape[0]), bottom = clamp(change->hole_top + side, 0, shape[0]);
    int64_t left = clamp(change->hole_left, 0, shape[1]),
            right = clamp(change->hole_left + side, 0, shape[1]);
    size_t channels = shape[2], width = (size_t)(right - left) * channels;
    for (int64_t y = top; y < bottom; y++)
        memset(out + ((size_t)y * shape[1] + (size_t)left) * channels, 0, width * sizeof *out);
}

void augment_image(const struct augment_options *options, const uint32_t shape[3], uint64_t seed,
                   uint32_t epoch, uint64_t sample, const float *image, float *out)
{
    struct change change = draw(options, shape, seed, epoch, sample);
    int64_t height = shape[0], width = shape[1];
    size_t line = (size_t)shape[1] * shape[2];
    for (int64_t y = 0; y < height; y++) {
        int64_t from = y + change.down;
        float *to = out + (size_t)y * line;
        if (from < 0 || from >= height)
            memset(to, 0, line * sizeof *to);
        else
            shift_line(to, image + (size_t)from * line, width, change.right, shape[2]);
        if (change.flip) flip_line(to, width, shape[2]);
    }
    if (options->cutout) cut_out(out, shape, &change, options->cutout);
}
