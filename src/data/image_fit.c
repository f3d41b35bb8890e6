/* Images brought to one size. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/image.h"

/* The part of an image that is used. */
struct window {
    uint32_t top, left, height, width;
};

/* What the places of one axis are made of: `most` weights each, 0 where fewer pixels take part. */
struct axis {
    uint32_t most;
    uint32_t *first; /* pixel of the first weight, from the window's edge */
    float *weights;  /* [places][most] */
};

static struct window middle(const struct image *image, uint32_t height, uint32_t width)
{
    struct window window = {0, 0, image->height, image->width};
    if ((uint64_t)image->width * height > (uint64_t)image->height * width)
        window.width = (uint32_t)(((uint64_t)image->height * width + height / 2) / height);
    else
        window.height = (uint32_t)(((uint64_t)image->width * height + width / 2) / width);
    if (!window.width) window.width = 1;
    if (!window.height) window.height = 1;
    window.top = (image->height - window.height) / 2;
    window.left = (image->width - window.width) / 2;
    return window;
}

/* The triangle of place i: as wide as a pixel's neighbours reach, or as all the pixels that fall into i. */
static void weigh(struct axis *axis, uint32_t i, uint32_t pixels, double scale)
{
    double reach = scale > 1 ? scale : 1, centre = (i + 0.5) * scale, sum = 0;
    double low = ceil(centre - reach - 0.5);
    uint32_t first = low > 0 ? (uint32_t)low : 0;
    if (first >= pixels) first = pixels - 1;
    float *weights = axis->weights + (size_t)i * axis->most;
    axis->first[i] = first;
    for (uint32_t k = 0; k < axis->most; k++) {
        double distance = fabs(first + k + 0.5 - centre) / reach;
        double weight = first + k < pixels && distance < 1 ? 1 - distance : 0;
        weights[k] = (float)weight;
        sum += weight;
    }
    for (uint32_t k = 0; k < axis->most; k++) weights[k] = (float)((double)weights[k] / sum);
}

static void axis_fini(struct axis *axis)
{
    mem_free(axis->first);
    mem_free(axis->weights);
}

static bool axis_init(struct axis *axis, uint32_t places, uint32_t pixels)
{
    double scale = (double)pixels / places;
    *axis = (struct axis){.most = 2 * (uint32_t)ceil(scale > 1 ? scale : 1) + 1};
    if (axis->most > pixels) axis->most = pixels;
    axis->first = mem_alloc(places, sizeof *axis->first);
    axis->weights = mem_alloc((size_t)places * axis->most, sizeof *axis->weights);
    if (!axis->first || !axis->weights) return false;
    for (uint32_t i = 0; i < places; i++) weigh(axis, i, pixels, scale);
    return true;
}

/* One line of the window, `width` places across, in to[width][channels]. */
static void scale_line(const struct image *image, const struct window *window, uint32_t y,
                       const struct axis *across, uint32_t width, float *to)
{
    uint32_t channels = image->channels;
    const uint8_t *line =
        image->pixels + ((size_t)(window->top + y) * image->width + window->left) * channels;
    for (uint32_t x = 0; x < width; x++) {
        const float *weights = across->weights + (size_t)x * across->most;
        uint32_t n = window->width - across->first[x];
        if (n > across->most) n = across->most;
        for (uint32_t c = 0; c < channels; c++) {
            const uint8_t *at = line + (size_t)across->first[x] * channels + c;
            float sum = 0;
            for (uint32_t k = 0; k < n; k++) sum += weights[k] * (float)at[(size_t)k * channels];
            to[(size_t)x * channels + c] = sum;
        }
    }
}

/* Line y of the result out of lines that are scaled across already, `line` numbers each. */
static void scale_column(const float *lines, const struct axis *down, uint32_t y, uint32_t n_lines,
                         size_t line, uint8_t *to)
{
    const float *weights = down->weights + (size_t)y * down->most;
    uint32_t first = down->first[y], n = n_lines - first < down->most ? n_lines - first : down->most;
    for (size_t i = 0; i < line; i++) {
        float sum = 0.5f;
        for (uint32_t k = 0; k < n; k++) sum += weights[k] * lines[(first + k) * line + i];
        to[i] = sum < 255 ? (uint8_t)sum : 255;
    }
}

static bool scale(const struct image *image, const struct window *window, uint32_t height, uint32_t width,
                  uint8_t *to)
{
    struct axis across = {0}, down = {0};
    size_t line = (size_t)width * image->channels;
    float *lines = mem_alloc(window->height, line * sizeof *lines);
    bool room = lines && axis_init(&across, width, window->width) && axis_init(&down, height, window->height);
    for (uint32_t y = 0; room && y < window->height; y++)
        scale_line(image, window, y, &across, width, lines + y * line);
    for (uint32_t y = 0; room && y < height; y++)
        scale_column(lines, &down, y, window->height, line, to + y * line);
    axis_fini(&across);
    axis_fini(&down);
    mem_free(lines);
    return room;
}

/* n pixels; the weights of red, green and blue are those of ITU-R BT.601. */
static void recolour(const uint8_t *from, uint32_t from_channels, uint8_t *to, uint32_t channels, size_t n)
{
    if (from_channels == channels)
        memcpy(to, from, n * channels);
    else if (channels == 1)
        for (size_t i = 0; i < n; i++, from += 3)
            to[i] = (uint8_t)((299 * from[0] + 587 * from[1] + 114 * from[2] + 500) / 1000);
    else
        for (size_t i = 0; i < 3 * n; i++) to[i] = from[i / 3];
}

bramble_status image_fit(const struct image *image, uint32_t height, uint32_t width, uint32_t channels,
                         uint8_t *out, bramble_error *error)
{
    size_t area = (size_t)height * width;
    if (image->height == height && image->width == width) {
        recolour(image->pixels, image->channels, out, channels, area);
        return BRAMBLE_OK;
    }
    struct window window = middle(image, height, width);
    uint8_t *scaled = mem_alloc(area, image->channels);
    bool room = scaled && scale(image, &window, height, width, scaled);
    if (room) recolour(scaled, image->channels, out, channels, area);
    mem_free(scaled);
    return room ? BRAMBLE_OK : error_memory(error, "an image");
}
