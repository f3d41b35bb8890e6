#if defined(__aarch64__)

#include <arm_neon.h>

#include "net/kernels/products.h"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")

enum { LANES = 4, VECTORS = 4, TILE_COLUMNS = LANES * VECTORS, ROWS_MAX = 6 };

/* A tile's row of y or of the bias: columns there are none for are 0. */
INLINE void load_row(float32x4_t *row, const float *from, uint32_t columns)
{
    float all[TILE_COLUMNS] = {0};
    if (columns < TILE_COLUMNS) {
        for (uint32_t j = 0; j < columns; j++) all[j] = from[j];
        from = all;
    }
    UNROLL
    for (uint32_t v = 0; v < VECTORS; v++) row[v] = vld1q_f32(from + v * LANES);
}

INLINE void store_row(float *to, const float32x4_t *row, uint32_t columns)
{
    float all[TILE_COLUMNS];
    float *whole = columns < TILE_COLUMNS ? all : to;
    UNROLL
    for (uint32_t v = 0; v < VECTORS; v++) vst1q_f32(whole + v * LANES, row[v]);
    for (uint32_t j = 0; j < columns && whole == all; j++) to[j] = all[j];
}

INLINE float32x4_t positive(float32x4_t x)
{
    return vbslq_f32(vcltzq_f32(x), vdupq_n_f32(0), x);
}

INLINE void start_row(const struct net_product *p, float32x4_t *sum, const float *y, uint32_t from,
                      uint32_t columns)
{
    UNROLL
    for (uint32_t v = 0; v < VECTORS; v++) sum[v] = vdupq_n_f32(0);
    if (p->add)
        load_row(sum, y + from, columns);
    else if (p->bias)
        load_row(sum, p->bias + from, columns);
}

INLINE void finish_row(const struct net_product *p, float32x4_t *sum, float *y, uint32_t columns)
{
    if (p->relu) {
        UNROLL
        for (uint32_t v = 0; v < VECTORS; v++) sum[v] = positive(sum[v]);
    }
    store_row(y, sum, columns);
}

/* `rows` rows from `first` on by 16 columns from `from` on; b is at the first of them, `width` to the next k.
 */
INLINE void product_tile(const struct net_product *p, const float *b, uint32_t width, uint32_t first,
                         uint32_t from, const uint32_t rows)
{
    const float *a[ROWS_MAX];
    float32x4_t sum[ROWS_MAX][VECTORS];
    const uint32_t one_segment = 0, *segments = p->segments ? p->segments : &one_segment;
    uint32_t columns = p->n - from < TILE_COLUMNS ? p->n - from : TILE_COLUMNS;
    UNROLL
    for (uint32_t i = 0; i < rows; i++) {
        a[i] = product_row(p, first + i);
        start_row(p, sum[i], product_target(p, first + i), from, columns);
    }
    for (uint32_t s = 0; s < p->n_segments; s++) {
        size_t at = segments[s], end = at + p->length;
        for (; at < end; at++, b += width) {
            float32x4_t row[VECTORS];
            UNROLL
            for (uint32_t v = 0; v < VECTORS; v++) row[v] = vld1q_f32(b + v * LANES);
            UNROLL
            for (uint32_t i = 0; i < rows; i++) {
                float32x4_t x = vld1q_dup_f32(a[i] + at);
                UNROLL
                for (uint32_t v = 0; v < VECTORS; v++) sum[i][v] = vfmaq_f32(sum[i][v], x, row[v]);
            }
        }
    }
    UNROLL
    for (uint32_t i = 0; i < rows; i++) finish_row(p, sum[i], product_target(p, first + i) + from, columns);
}

static void product_rows(const struct net_product *p, const float *b, uint32_t width, uint32_t first,
                         uint32_t from, uint32_t rows)
{
    switch (rows) {
    case 1: product_tile(p, b, width, first, from, 1); break;
    case 2: product_tile(p, b, width, first, from, 2); break;
    case 3: product_tile(p, b, width, first, from, 3); break;
    case 4: product_tile(p, b, width, first, from, 4); break;
    case 5: product_tile(p, b, width, first, from, 5); break;
    case 6: product_tile(p, b, width, first, from, 6); break;
    }
}

static void product(const struct net_product *p)
{
    for (uint32_t from = 0; from < p->n; from += TILE_COLUMNS) {
        uint32_t panel = from / PANEL * PANEL, width = panel_width(p->n - panel);
        const float *b = p->b + (size_t)panel * p->n_segments * p->length + (from - panel);
        uint32_t tiles = (p->n_rows + ROWS_MAX - 1) / ROWS_MAX;
        for (uint32_t tile = 0, first = 0; tile < tiles; tile++) {
            uint32_t rows = (p->n_rows - first + tiles - tile - 1) / (tiles - tile);
            product_rows(p, b, width, first, from, rows);
            first += rows;
        }
    }
}

INLINE float32x4_t channel_start(const struct net_product *p, uint32_t row, uint32_t from)
{
    if (p->add) return vld1q_f32(product_target(p, row) + from);
    return p->bias ? vld1q_f32(p->bias + from) : vdupq_n_f32(0);
}

INLINE void channel_tile(const struct net_product *p, uint32_t first, uint32_t from, const uint32_t rows)
{
    const float *a[8];
    float32x4_t sum[8];
    const float *b = p->b + from;
    UNROLL
    for (uint32_t i = 0; i < rows; i++) {
        a[i] = product_row(p, first + i) + from;
        sum[i] = channel_start(p, first + i, from);
    }
    for (uint32_t s = 0; s < p->n_segments; s++, b += p->n) {
        size_t at = p->segments[s];
        float32x4_t weight = vld1q_f32(b);
        UNROLL
        for (uint32_t i = 0; i < rows; i++) sum[i] = vfmaq_f32(sum[i], vld1q_f32(a[i] + at), weight);
    }
    UNROLL
    for (uint32_t i = 0; i < rows; i++)
        vst1q_f32(product_target(p, first + i) + from, p->relu ? positive(sum[i]) : sum[i]);
}

/* The channels that do not fill a vector: the reference does those. */
static void channel_tail(const struct net_product *p, uint32_t from)
{
    for (uint32_t i = 0; i < p->n_rows; i++) {
        const float *a = product_row(p, i);
        float *y = product_target(p, i);
        for (uint32_t j = from; j < p->n; j++) {
            float sum = p->add ? y[j] : p->bias ? p->bias[j] : 0;
            for (uint32_t s = 0; s < p->n_segments; s++)
                sum = __builtin_fmaf(a[p->segments[s] + j], p->b[(size_t)s * p->n + j], sum);
            y[j] = p->relu && sum < 0 ? 0 : sum;
        }
    }
}

static void channel_product(const struct net_product *p)
{
    uint32_t i = 0, whole = p->n / LANES * LANES;
    for (; i + 8 <= p->n_rows; i += 8)
        for (uint32_t from = 0; from < whole; from += LANES) channel_tile(p, i, from, 8);
    for (; i < p->n_rows; i++)
        for (uint32_t from = 0; from < whole; from += LANES) channel_tile(p, i, from, 1);
    if (whole < p->n) channel_tail(p, whole);
}

/* place: of start and levels; g, of what is written. */
INLINE void outer_write(const struct net_outer *o, size_t place, size_t g, float32x4_t sum)
{
    for (uint32_t left = o->carry_levels; left; left &= left - 1)
        sum = vaddq_f32(vld1q_f32(outer_level(o, left) + place), sum);
    vst1q_f32(o->g + g, sum);
}

INLINE float32x4_t outer_start(const struct net_outer *o, size_t at)
{
    return o->start ? vld1q_f32(o->start + at) : vdupq_n_f32(0);
}

/* Rows from `first` on by 16 columns from `from` on. */
INLINE void outer_tile(const struct net_outer *o, uint32_t first, uint32_t from, const uint32_t rows)
{
    float32x4_t sum[ROWS_MAX][VECTORS];
    const size_t place = first * o->sums_stride + from, g = first * o->g_stride + from;
    UNROLL
    for (uint32_t i = 0; i < rows; i++) {
        UNROLL
        for (uint32_t v = 0; v < VECTORS; v++)
            sum[i][v] = outer_start(o, place + i * o->sums_stride + v * LANES);
    }
    for (uint32_t m = 0; m < o->n_outer; m++) {
        const float *a = o->a + m * o->a_outer + first;
        size_t at = m * o->b_outer + from;
        for (uint32_t x = o->n_inner; x; x--, a += o->a_inner, at += o->b_inner) {
            float32x4_t row[VECTORS];
            UNROLL
            for (uint32_t v = 0; v < VECTORS; v++) row[v] = vld1q_f32(o->b + at + v * LANES);
            UNROLL
            for (uint32_t i = 0; i < rows; i++) {
                float32x4_t scale = vld1q_dup_f32(a + i);
                UNROLL
                for (uint32_t v = 0; v < VECTORS; v++) sum[i][v] = vfmaq_f32(sum[i][v], scale, row[v]);
            }
        }
    }
    UNROLL
    for (uint32_t i = 0; i < rows; i++) {
        UNROLL
        for (uint32_t v = 0; v < VECTORS; v++)
            outer_write(o, place + i * o->sums_stride + v * LANES, g + i * o->g_stride + v * LANES,
                        sum[i][v]);
    }
}

static void outer_rows(const struct net_outer *o, uint32_t first, uint32_t from, uint32_t rows)
{
    switch (rows) {
    case 1: outer_tile(o, first, from, 1); break;
    case 2: outer_tile(o, first, from, 2); break;
    case 3: outer_tile(o, first, from, 3); break;
    case 4: outer_tile(o, first, from, 4); break;
    case 5: outer_tile(o, first, from, 5); break;
    case 6: outer_tile(o, first, from, 6); break;
    }
}

/* The columns from `from` on; the reference does those that do not fill what a kernel takes. */
static struct net_outer columns_from(const struct net_outer *o, uint32_t from, size_t a_step)
{
    struct net_outer rest = *o;
    rest.a += from * a_step;
    rest.b += from;
    rest.n -= from;
    rest.g += from;
    if (rest.start) rest.start += from;
    if (rest.carry_levels) rest.levels += from;
    return rest;
}

static void outer(const struct net_outer *o)
{
    uint32_t tiles = (o->n_rows + ROWS_MAX - 1) / ROWS_MAX, from = 0;
    for (; from + TILE_COLUMNS <= o->n; from += TILE_COLUMNS)
        for (uint32_t tile = 0, first = 0; tile < tiles; tile++) {
            uint32_t rows = (o->n_rows - first + tiles - tile - 1) / (tiles - tile);
            outer_rows(o, first, from, rows);
            first += rows;
        }
    if (from == o->n) return;
    const struct net_outer rest = columns_from(o, from, 0);
    net_kernels_plain.outer(&rest);
}

static void channel_outer(const struct net_outer *o)
{
    uint32_t from = 0;
    for (; from + LANES <= o->n; from += LANES) {
        float32x4_t sum = outer_start(o, from);
        for (uint32_t m = 0; m < o->n_outer; m++)
            for (uint32_t x = 0; x < o->n_inner; x++) {
                float32x4_t a = vld1q_f32(o->a + m * o->a_outer + x * o->a_inner + from);
                sum = vfmaq_f32(sum, a, vld1q_f32(o->b + m * o->b_outer + x * o->b_inner + from));
            }
        outer_write(o, from, from, sum);
    }
    if (from == o->n) return;
    const struct net_outer rest = columns_from(o, from, 1);
    net_kernels_plain.channel_outer(&rest);
}

const struct net_kernels net_kernels_neon = {CPU_NEON, product, channel_product, outer, channel_outer};

#endif
