/* The gradients of a convolution's weight and bias. */
#include <string.h>

#include "net/conv.h"
#include "net/weight_part.h"

/*
 * The weight is cut into parts along output channels first, each part reads its own of dy's then; along
 * groups, taps and input channels where a part's sums would not stay in cache while the batch goes by.
 */
struct part_sizes {
    uint32_t groups, taps, in, out;         /* most that a part has of each */
    uint32_t n_groups, n_taps, n_in, n_out; /* parts along each */
};

/* Equal shares of `all`, of at most `most` each. */
static uint32_t share(uint32_t all, size_t most, uint32_t *n)
{
    if (most == 0) most = 1;
    *n = (uint32_t)((all + most - 1) / most);
    uint32_t each = (all + *n - 1) / *n;
    *n = (all + each - 1) / each;
    return each;
}

static struct part_sizes sizes_of(const struct conv *c)
{
    enum { LEAST = 12288, MOST = 65536, PARTS = 32 };
    uint32_t taps = c->y.taps * c->x.taps;
    size_t all = (size_t)taps * c->in_group * c->out_channels, numbers = all / PARTS;
    struct part_sizes s;
    numbers = numbers < LEAST ? LEAST : numbers > MOST ? MOST : numbers;
    s.out = share(c->out_group, PANEL, &s.n_out);
    s.in = share(c->in_group, numbers / s.out, &s.n_in);
    s.taps = share(taps, numbers / s.out / s.in, &s.n_taps);
    s.groups = share(c->group, s.n_taps > 1 ? 1 : numbers / s.out / s.in / taps, &s.n_groups);
    return s;
}

struct part {
    uint32_t group, n_groups, tap, n_taps, in, n_in, out, n_out; /* from which on, how many */
    bool bias;
};

/* From `which` of `each` of the `all`. */
static void cut(uint32_t *which, uint32_t n, uint32_t each, uint32_t all, uint32_t *from, uint32_t *count)
{
    *from = *which % n * each;
    *count = all - *from < each ? all - *from : each;
    *which /= n;
}

static struct part part_of(const struct conv *c, const struct part_sizes *s, uint32_t which)
{
    struct part p;
    cut(&which, s->n_taps, s->taps, c->y.taps * c->x.taps, &p.tap, &p.n_taps);
    cut(&which, s->n_in, s->in, c->in_group, &p.in, &p.n_in);
    cut(&which, s->n_out, s->out, c->out_group, &p.out, &p.n_out);
    cut(&which, s->n_groups, s->groups, c->group, &p.group, &p.n_groups);
    p.bias = c->bias && p.tap == 0 && p.in == 0;
    return p;
}

uint32_t conv_gradient_parts(const struct conv *c)
{
    struct part_sizes s = sizes_of(c);
    return s.n_groups * s.n_taps * s.n_in * s.n_out;
}

static size_t leaf_bytes(const struct part_sizes *s)
{
    return weight_part_bytes(((size_t)s->taps * s->in + 1) * s->out * s->groups);
}

static size_t output_size(const struct conv *c)
{
    return (size_t)c->y.out * c->x.out * c->out_channels;
}

/*
 * A tap of an image of few channels has too few rows to keep the processor busy. There the taps side by side
 * are taken together: what they look at lies in a row, in the image with its border.
 */
static bool joins_taps(const struct conv *c, const struct part_sizes *s)
{
    enum { CHANNELS = 4 };
    return c->group == 1 && c->channels <= CHANNELS && c->x.dilation == 1 && s->n_taps == 1 && s->n_in == 1;
}

/* Behind the leaves, an image with its border. */
size_t conv_gradient_scratch(const struct conv *c)
{
    struct conv_pass pass = conv_pass_of(c, false);
    struct part_sizes s = sizes_of(c);
    size_t bordered = joins_taps(c, &s) ? conv_pass_image(&pass) : 0;
    return leaf_bytes(&s) + bordered * sizeof(float);
}

/* The output pixels, from *first on, for which a tap lies in the image. */
static uint32_t pixels_seen(const struct conv_axis *axis, uint32_t tap, uint32_t *first)
{
    int64_t at = (int64_t)tap * axis->dilation - axis->before; /* of output pixel 0 */
    int64_t from = at < 0 ? (-at + axis->stride - 1) / axis->stride : 0;
    int64_t last = (int64_t)axis->in - 1 - at;
    int64_t to = last < 0 ? 0 : last / axis->stride + 1;
    if (to > axis->out) to = axis->out;
    if (from >= to) return 0;
    *first = (uint32_t)from;
    return (uint32_t)(to - from);
}

/* A band of an image: a few rows of output pixels, so that what all taps look at stays in cache. */
struct band {
    const float *x, *dy; /* the image's */
    size_t line;         /* numbers of a row of x with its border; 0: it has none, each tap is taken alone */
    uint32_t from, to;   /* rows */
    bool first, last;    /* of a microbatch */
};

static uint32_t band_rows(const struct conv *c)
{
    enum { BYTES = 1 << 15, PIXELS = 128 };
    size_t row = (size_t)c->x.in * c->channels * c->y.stride + (size_t)c->x.out * c->out_channels;
    size_t rows = BYTES / sizeof(float) / row, least = PIXELS / c->x.out;
    if (rows < least) rows = least;
    return rows < 1 ? 1 : rows < c->y.out ? (uint32_t)rows : c->y.out;
}

/* What the gradient of the taps in a row is the sum of. */
static struct net_outer row_outer(const struct conv *c, uint32_t row, const struct band *band)
{
    size_t y = (size_t)band->from * c->y.stride + (size_t)row * c->y.dilation;
    return (struct net_outer){.a = band->x + y * band->line,
                              .b = band->dy + (size_t)band->from * c->x.out * c->out_channels,
                              .a_inner = (size_t)c->x.stride * c->channels,
                              .a_outer = c->y.stride * band->line,
                              .b_inner = c->out_channels,
                              .b_outer = (size_t)c->x.out * c->out_channels,
                              .n_outer = band->to - band->from,
                              .n_inner = c->x.out};
}

/* What a tap's gradient is the sum of; nothing, when the tap lies outside the image all along. */
static struct net_outer tap_outer(const struct conv *c, uint32_t tap, const struct band *band)
{
    uint32_t oy = 0, ox = 0, ty = tap / c->x.taps, tx = tap % c->x.taps;
    uint32_t end = pixels_seen(&c->y, ty, &oy), columns = pixels_seen(&c->x, tx, &ox);
    end += oy;
    if (oy < band->from) oy = band->from;
    if (end > band->to) end = band->to;
    if (oy >= end || !columns) return (struct net_outer){.a = band->x, .b = band->dy};
    size_t iy = (size_t)oy * c->y.stride + (size_t)ty * c->y.dilation - c->y.before;
    size_t ix = (size_t)ox * c->x.stride + (size_t)tx * c->x.dilation - c->x.before;
    return (struct net_outer){.a = band->x + (iy * c->x.in + ix) * c->channels,
                              .b = band->dy + ((size_t)oy * c->x.out + ox) * c->out_channels,
                              .a_inner = (size_t)c->x.stride * c->channels,
                              .a_outer = (size_t)c->y.stride * c->x.in * c->channels,
                              .b_inner = c->out_channels,
                              .b_outer = (size_t)c->x.out * c->out_channels,
                              .n_outer = end - oy,
                              .n_inner = columns};
}

static void shift(struct net_outer *o, size_t a, size_t b)
{
    o->a += a;
    o->b += b;
}

/* A leaf is [groups][taps][in][out], and behind that a bias [groups][out]; depthwise [taps][groups] and
 * [groups]. The tap is the part's, the first of `taps`. */
static void add_weight(struct weight_part *sums, const struct conv *c, const struct part *p,
                       const struct net_outer *image, uint32_t tap, uint32_t taps, bool first, bool last)
{
    struct net_outer o = *image;
    o.g += ((size_t)(p->tap + tap) * c->in_group + p->in) * c->out_channels;
    o.g += (size_t)p->group * c->out_group + p->out;
    o.g_stride = c->out_channels;
    if (c->depthwise) {
        o.n_rows = 1;
        o.n = o.sums_stride = p->n_groups;
        shift(&o, p->group, p->group);
        weight_part_channel_outer(sums, &o, (size_t)tap * p->n_groups, first, last);
        return;
    }
    o.n_rows = taps * p->n_in;
    o.n = o.sums_stride = p->n_out;
    shift(&o, (size_t)p->group * c->in_group + p->in, (size_t)p->group * c->out_group + p->out);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        size_t at = ((size_t)g * p->n_taps + tap) * p->n_in * p->n_out;
        weight_part_outer(sums, &o, at, first, last);
        shift(&o, c->in_group, c->out_group);
        o.g += c->out_group;
    }
}

static size_t weights_of(const struct part *p)
{
    return (size_t)p->n_groups * p->n_taps * p->n_in * p->n_out;
}

static void add_bias(struct weight_part *sums, const struct conv *c, const struct part *p, float *bias,
                     const struct band *band)
{
    size_t at = weights_of(p), from = (size_t)p->group * c->out_group + p->out;
    struct net_outer o = {.a = band->x,
                          .b = band->dy + (size_t)band->from * c->x.out * c->out_channels + from,
                          .b_inner = c->out_channels,
                          .n_outer = 1,
                          .n_inner = (band->to - band->from) * c->x.out,
                          .n = c->depthwise ? p->n_groups : p->n_out,
                          .g = bias + from};
    for (uint32_t g = 0; g < (c->depthwise ? 1 : p->n_groups); g++, at += p->n_out) {
        weight_part_sum(sums, &o, at, band->first, band->last);
        shift(&o, 0, c->out_group);
        o.g += c->out_group;
    }
}

static void add_band(struct weight_part *sums, const struct conv *c, const struct part *p, float *weight,
                     float *bias, const struct band *band)
{
    uint32_t joined = band->line ? c->x.taps : 1;
    for (uint32_t tap = 0; tap < p->n_taps && weight; tap += joined) {
        struct net_outer o = band->line ? row_outer(c, tap / joined, band) : tap_outer(c, p->tap + tap, band);
        o.g = weight;
        if (o.n_outer || band->first || band->last)
            add_weight(sums, c, p, &o, tap, joined, band->first, band->last);
    }
    if (bias) add_bias(sums, c, p, bias, band);
}

/* An image's gradients, band by band; band says where the image begins. */
static void add_image(struct weight_part *sums, const struct conv *c, const struct part *p, float *weight,
                      float *bias, struct band band, bool first, bool last)
{
    uint32_t rows = band_rows(c);
    for (; band.to < c->y.out; band.from = band.to) {
        band.to = c->y.out - band.from < rows ? c->y.out : band.from + rows;
        band.first = first && band.from == 0;
        band.last = last && band.to == c->y.out;
        add_band(sums, c, p, weight, bias, &band);
    }
}

void conv_gradient_part(const struct net_gradient_call *call, const struct conv *c, uint32_t part)
{
    struct conv_pass pass = conv_pass_of(c, false);
    struct part_sizes sizes = sizes_of(c);
    struct part p = part_of(c, &sizes, part);
    float *weight = call->gradient[1], *bias = p.bias ? call->gradient[2] : NULL;
    float *bordered = (float *)((char *)call->scratch + leaf_bytes(&sizes));
    size_t x_size = (size_t)c->y.in * c->x.in * c->channels, y_size = output_size(c);
    bool joins = joins_taps(c, &sizes);
    struct weight_part sums;
    weight_part_begin(&sums, call->kernels, call->scratch, weights_of(&p) + (size_t)p.n_groups * p.n_out,
                      call->samples);
    if (joins) memset(bordered, 0, conv_pass_image(&pass) * sizeof *bordered);
    for (uint64_t i = 0; i < call->samples; i++) {
        bool first = i % MICROBATCH == 0, last = i % MICROBATCH == MICROBATCH - 1 || i + 1 == call->samples;
        struct band band = {.x = call->x[0] + i * x_size, .dy = call->dy[0] + i * y_size};
        if (joins) {
            conv_pass_copy(&pass, bordered, band.x);
            band.x = bordered;
            band.line = (size_t)pass.padded_w * c->channels;
        }
        add_image(&sums, c, &p, weight, bias, band, first, last);
        if (last) weight_part_next(&sums);
    }
}
