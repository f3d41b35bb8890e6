#include <string.h>

#include "net/conv.h"
#include "net/kernels/products.h"

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Backward, along an axis: output pixel `*at` reaches input pixel `pixel` by tap `tap`; it may lie outside.
 */
static bool reaches(const struct conv_axis *axis, uint32_t pixel, uint32_t tap, int64_t *at)
{
    int64_t from = (int64_t)pixel + axis->before - (int64_t)tap * axis->dilation;
    *at = from / axis->stride;
    return from % axis->stride == 0;
}

static uint32_t taps_of_phase(const struct conv_axis *axis, uint32_t phase)
{
    uint32_t taps = 0;
    int64_t at;
    for (uint32_t tap = 0; tap < axis->taps; tap++) taps += reaches(axis, phase, tap, &at);
    return taps;
}

static uint32_t phases_of(const struct conv_axis *axis, bool backward)
{
    return backward ? smaller(axis->stride, axis->in) : 1;
}

/* Taps side by side read pixels side by side: they make one segment. */
static bool taps_join(const struct conv_pass *pass)
{
    uint32_t dilation = pass->x.dilation;
    if (pass->backward) dilation /= common_divisor(dilation, pass->x.stride);
    return pass->group == 1 && dilation == 1;
}

/* The border along an axis, and the length with it. */
static void border(const struct conv_axis *axis, bool backward, uint32_t *before, uint32_t *length)
{
    if (!backward) {
        *before = axis->before;
        *length = axis->in + axis->before + axis->after;
        return;
    }
    int64_t reach = ((int64_t)axis->taps - 1) * axis->dilation - axis->before;
    uint32_t last = (axis->in - 1 + axis->before) / axis->stride + 1;
    *before = reach > 0 ? (uint32_t)(reach / axis->stride) : 0;
    *length = *before + (last > axis->out ? last : axis->out);
}

struct layout {
    size_t phases, rows, targets, segments, packed, all;
};

static size_t take(size_t *used, size_t count, size_t size)
{
    size_t at = *used;
    *used += (count * size + 63) / 64 * 64;
    return at;
}

/* Numbers of all phases' weights: each tap is in one phase. */
static size_t packed_numbers(const struct conv_pass *pass)
{
    size_t taps = (size_t)pass->y.taps * pass->x.taps;
    if (pass->depthwise) return taps * pass->channels;
    return taps * packed_size(pass->in_group, pass->out_group) * pass->group;
}

static struct layout layout_of(const struct conv_pass *pass)
{
    struct layout at = {0};
    const struct conv_axis *y = &pass->y, *x = &pass->x;
    size_t rows = pass->backward ? (size_t)y->in * x->in : (size_t)y->out * x->out;
    at.phases = take(&at.all, pass->n_phases, sizeof *pass->phases);
    at.rows = take(&at.all, rows, sizeof *pass->rows);
    at.targets = take(&at.all, pass->backward ? rows : 0, sizeof *pass->targets);
    at.segments = take(&at.all, (size_t)y->taps * x->taps, sizeof *pass->segments);
    at.packed = take(&at.all, packed_numbers(pass), sizeof *pass->packed);
    return at;
}

struct conv_pass conv_pass_of(const struct conv *conv, bool backward)
{
    struct conv_pass pass = {.y = conv->y, .x = conv->x, .group = conv->group, .backward = backward};
    pass.depthwise = conv->depthwise;
    pass.channels = backward ? conv->out_channels : conv->channels;
    pass.n_channels = backward ? conv->channels : conv->out_channels;
    pass.in_group = backward ? conv->out_group : conv->in_group;
    pass.out_group = backward ? conv->in_group : conv->out_group;
    pass.h = backward ? conv->y.out : conv->y.in;
    pass.w = backward ? conv->x.out : conv->x.in;
    border(&conv->y, backward, &pass.top, &pass.padded_h);
    border(&conv->x, backward, &pass.left, &pass.padded_w);
    pass.copies = pass.padded_h != pass.h || pass.padded_w != pass.w;
    pass.n_phases = phases_of(&conv->y, backward) * phases_of(&conv->x, backward);
    return pass;
}

size_t conv_pass_bytes(const struct conv *conv, bool backward)
{
    struct conv_pass pass = conv_pass_of(conv, backward);
    return layout_of(&pass).all;
}

struct conv_pass conv_pass_at(const struct conv *conv, bool backward, void *memory)
{
    struct conv_pass pass = conv_pass_of(conv, backward);
    struct layout at = layout_of(&pass);
    char *from = memory;
    pass.phases = (struct conv_phase *)(from + at.phases);
    pass.rows = (uint32_t *)(from + at.rows);
    pass.targets = backward ? (uint32_t *)(from + at.targets) : NULL;
    pass.segments = (uint32_t *)(from + at.segments);
    pass.packed = (float *)(from + at.packed);
    return pass;
}

size_t conv_pass_image(const struct conv_pass *pass)
{
    size_t numbers = (size_t)pass->padded_h * pass->padded_w;
    return __builtin_mul_overflow(numbers, (size_t)pass->channels, &numbers) ? SIZE_MAX : numbers;
}

static void fill_forward(const struct conv_pass *pass, const float *weight)
{
    const struct conv_axis *y = &pass->y, *x = &pass->x;
    const size_t line = (size_t)pass->padded_w * pass->channels;
    uint32_t joined = taps_join(pass) ? x->taps : 1, n = 0, k = pass->y.taps * x->taps * pass->in_group;
    for (uint32_t ty = 0; ty < y->taps; ty++)
        for (uint32_t tx = 0; tx < x->taps; tx += joined)
            pass->segments[n++] =
                (uint32_t)(ty * y->dilation * line + (size_t)tx * x->dilation * pass->channels);
    *pass->phases =
        (struct conv_phase){.n_rows = y->out * x->out, .n_segments = n, .length = joined * pass->in_group};
    for (uint32_t oy = 0, i = 0; oy < y->out; oy++)
        for (uint32_t ox = 0; ox < x->out; ox++)
            pass->rows[i++] = (uint32_t)(oy * y->stride * line + (size_t)ox * x->stride * pass->channels);
    if (pass->depthwise)
        memcpy(pass->packed, weight, packed_numbers(pass) * sizeof *weight);
    else
        for (uint32_t g = 0; g < pass->group; g++)
            packed_fill(pass->packed + g * packed_size(k, pass->out_group), k, pass->out_group, 0, k,
                        weight + (size_t)g * pass->out_group, pass->n_channels, 1);
}

/* Tap (ty, tx) as number `taps_before` of a phase with `taps`: its weights the other way round. */
static void pack_backward(const struct conv_pass *pass, float *packed, uint32_t taps, uint32_t taps_before,
                          const float *weight)
{
    if (pass->depthwise) {
        memcpy(packed + (size_t)taps_before * pass->channels, weight, pass->channels * sizeof *weight);
        return;
    }
    uint32_t k = taps * pass->in_group;
    for (uint32_t g = 0; g < pass->group; g++)
        packed_fill(packed + g * packed_size(k, pass->out_group), k, pass->out_group,
                    taps_before * pass->in_group, pass->in_group, weight + (size_t)g * pass->in_group, 1,
                    pass->channels);
}

/* The taps that reach a phase's pixels, those to the pixels nearest the image's beginning first. */
static void fill_taps(const struct conv_pass *pass, struct conv_phase *phase, uint32_t py, uint32_t px,
                      const float *weight)
{
    const struct conv_axis *y = &pass->y, *x = &pass->x;
    uint32_t columns = taps_of_phase(x, px), taps = taps_of_phase(y, py) * columns, done = 0;
    uint32_t joined = columns && taps_join(pass) ? columns : 1;
    int64_t sy, sx;
    for (uint32_t ty = y->taps; ty-- > 0;) {
        if (!reaches(y, py, ty, &sy)) continue;
        for (uint32_t tx = x->taps; tx-- > 0;) {
            if (!reaches(x, px, tx, &sx)) continue;
            if (done % joined == 0)
                pass->segments[phase->first_segment + phase->n_segments++] =
                    (uint32_t)(((size_t)(sy + pass->top) * pass->padded_w + (size_t)(sx + pass->left)) *
                               pass->channels);
            pack_backward(pass, pass->packed + phase->packed, taps, done++,
                          weight + ((size_t)ty * x->taps + tx) * pass->out_group * pass->channels);
        }
    }
    phase->length = joined * pass->in_group;
}

static void fill_pixels(const struct conv_pass *pass, struct conv_phase *phase, uint32_t py, uint32_t px)
{
    const struct conv_axis *y = &pass->y, *x = &pass->x;
    uint32_t *rows = pass->rows + phase->first_row, *targets = pass->targets + phase->first_row;
    for (size_t iy = py, j = 0; iy < y->in; iy += y->stride, j++)
        for (size_t ix = px, i = 0; ix < x->in; ix += x->stride, i++) {
            rows[phase->n_rows] = (uint32_t)((j * pass->padded_w + i) * pass->channels);
            targets[phase->n_rows++] = (uint32_t)((iy * x->in + ix) * pass->n_channels);
        }
}

static void fill_backward(const struct conv_pass *pass, const float *weight)
{
    uint32_t columns = phases_of(&pass->x, true), row = 0, segment = 0;
    size_t packed = 0;
    for (uint32_t i = 0; i < pass->n_phases; i++) {
        struct conv_phase *phase = &pass->phases[i];
        uint32_t py = i / columns, px = i % columns;
        *phase = (struct conv_phase){.first_row = row, .first_segment = segment, .packed = packed};
        fill_taps(pass, phase, py, px, weight);
        fill_pixels(pass, phase, py, px);
        row += phase->n_rows;
        segment += phase->n_segments;
        size_t k = (size_t)phase->n_segments * phase->length;
        packed +=
            pass->depthwise ? k * pass->channels : pass->group * packed_size((uint32_t)k, pass->out_group);
    }
}

void conv_pass_fill(const struct conv_pass *pass, const float *weight)
{
    if (pass->backward)
        fill_backward(pass, weight);
    else
        fill_forward(pass, weight);
}

void conv_pass_copy(const struct conv_pass *pass, float *to, const float *image)
{
    size_t line = (size_t)pass->w * pass->channels;
    to += ((size_t)pass->top * pass->padded_w + pass->left) * pass->channels;
    for (uint32_t y = 0; y < pass->h; y++, to += (size_t)pass->padded_w * pass->channels)
        memcpy(to, image + y * line, line * sizeof *to);
}
