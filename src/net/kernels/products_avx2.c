#if defined(__x86_64__)

#include <immintrin.h>

#include "net/kernels/products.h"

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX2_INLINE AVX2 static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")

enum { LANES = 8, TILE_COLUMNS = 16, ROWS_MAX = 6 };

/* Of a vector's lanes, those with a column. */
AVX2_INLINE __m256i lanes_with(int64_t columns)
{
    int32_t n = columns < 0 ? 0 : columns > LANES ? LANES : (int32_t)columns;
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

AVX2_INLINE __m256 first_sum(const struct net_product *p, const float *y, uint32_t column, __m256i lanes)
{
    if (p->add) return _mm256_maskload_ps(y + column, lanes);
    return p->bias ? _mm256_maskload_ps(p->bias + column, lanes) : _mm256_setzero_ps();
}

AVX2_INLINE void write_sum(const struct net_product *p, float *y, uint32_t column, __m256i lanes, __m256 sum)
{
    if (p->relu) sum = _mm256_max_ps(_mm256_setzero_ps(), sum); /* NaN stays: it is the second */
    _mm256_maskstore_ps(y + column, lanes, sum);
}

/* `rows` rows from `first` on by 16 columns from `from` on; b is at the first of them, `width` to the next k.
 */
AVX2_INLINE void product_tile(const struct net_product *p, const float *b, uint32_t width, uint32_t first,
                              uint32_t from, const uint32_t rows)
{
    const float *a[ROWS_MAX];
    __m256 sum[ROWS_MAX][2];
    const uint32_t one_segment = 0, *segments = p->segments ? p->segments : &one_segment;
    const __m256i lanes[2] = {lanes_with((int64_t)p->n - from), lanes_with((int64_t)p->n - from - LANES)};
    UNROLL
    for (uint32_t i = 0; i < rows; i++) {
        const float *y = product_target(p, first + i);
        a[i] = product_row(p, first + i);
        sum[i][0] = first_sum(p, y, from, lanes[0]);
        sum[i][1] = first_sum(p, y, from + LANES, lanes[1]);
    }
    for (uint32_t s = 0; s < p->n_segments; s++) {
        size_t at = segments[s], end = at + p->length;
        for (; at < end; at++, b += width) {
            __m256 b0 = _mm256_loadu_ps(b), b1 = _mm256_loadu_ps(b + LANES);
            UNROLL
            for (uint32_t i = 0; i < rows; i++) {
                __m256 x = _mm256_broadcast_ss(a[i] + at);
                sum[i][0] = _mm256_fmadd_ps(x, b0, sum[i][0]);
                sum[i][1] = _mm256_fmadd_ps(x, b1, sum[i][1]);
            }
        }
    }
    UNROLL
    for (uint32_t i = 0; i < rows; i++) {
        float *y = product_target(p, first + i);
        write_sum(p, y, from, lanes[0], sum[i][0]);
        write_sum(p, y, from + LANES, lanes[1], sum[i][1]);
    }
}

AVX2 static void product_rows(const struct net_product *p, const float *b, uint32_t width, uint32_t first,
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

AVX2_INLINE void channel_tile(const struct net_product *p, uint32_t first, uint32_t from, const uint32_t rows)
{
    const float *a[8];
    __m256 sum[8];
    const __m256i lanes = lanes_with((int64_t)p->n - from);
    const float *b = p->b + from;
    UNROLL
    for (uint32_t i = 0; i < rows; i++) {
        a[i] = product_row(p, first + i) + from;
        sum[i] = first_sum(p, product_target(p, first + i), from, lanes);
    }
    for (uint32_t s = 0; s < p->n_segments; s++, b += p->n) {
        size_t at = p->segments[s];
        __m256 weight = _mm256_maskload_ps(b, lanes);
        UNROLL
        for (uint32_t i = 0; i < rows; i++)
            sum[i] = _mm256_fmadd_ps(_mm256_maskload_ps(a[i] + at, lanes), weight, sum[i]);
    }
    UNROLL
    for (uint32_t i = 0; i < rows; i++) write_sum(p, product_target(p, first + i), from, lanes, sum[i]);
}

AVX2 static void channel_product(const struct net_product *p)
{
    uint32_t i = 0;
    for (; i + 8 <= p->n_rows; i += 8)
        for (uint32_t from = 0; from < p->n; from += LANES) channel_tile(p, i, from, 8);
    for (; i < p->n_rows; i++)
        for (uint32_t from = 0; from < p->n; from += LANES) channel_tile(p, i, from, 1);
}

AVX2_INLINE __m256 outer_start(const struct net_outer *o, size_t at, __m256i lanes)
{
    return o->start ? _mm256_maskload_ps(o->start + at, lanes) : _mm256_setzero_ps();
}

/* place: of start and levels; g, of what is written. */
AVX2_INLINE void outer_write(const struct net_outer *o, size_t place, size_t g, __m256i lanes, __m256 sum)
{
    for (uint32_t left = o->carry_levels; left; left &= left - 1)
        sum = _mm256_add_ps(_mm256_maskload_ps(outer_level(o, left) + place, lanes), sum);
    _mm256_maskstore_ps(o->g + g, lanes, sum);
}

/* Rows from `first` on by 16 columns from `from` on. */
AVX2_INLINE void outer_tile(const struct net_outer *o, uint32_t first, uint32_t from, const uint32_t rows)
{
    __m256 sum[ROWS_MAX][2];
    const __m256i lanes[2] = {lanes_with((int64_t)o->n - from), lanes_with((int64_t)o->n - from - LANES)};
    const size_t place = first * o->sums_stride + from, g = first * o->g_stride + from;
    UNROLL
    for (uint32_t i = 0; i < rows; i++) {
        sum[i][0] = outer_start(o, place + i * o->sums_stride, lanes[0]);
        sum[i][1] = outer_start(o, place + i * o->sums_stride + LANES, lanes[1]);
    }
    for (uint32_t m = 0; m < o->n_outer; m++) {
        const float *a = o->a + m * o->a_outer + first;
        size_t at = m * o->b_outer + from;
        for (uint32_t x = o->n_inner; x; x--, a += o->a_inner, at += o->b_inner) {
            __m256 b0 = _mm256_maskload_ps(o->b + at, lanes[0]),
                   b1 = _mm256_maskload_ps(o->b + at + LANES, lanes[1]);
            UNROLL
            for (uint32_t i = 0; i < rows; i++) {
                __m256 scale = _mm256_broadcast_ss(a + i);
                sum[i][0] = _mm256_fmadd_ps(scale, b0, sum[i][0]);
                sum[i][1] = _mm256_fmadd_ps(scale, b1, sum[i][1]);
            }
        }
    }
    UNROLL
    for (uint32_t i = 0; i < rows; i++) {
        size_t row = place + i * o->sums_stride, to = g + i * o->g_stride;
        outer_write(o, row, to, lanes[0], sum[i][0]);
        outer_write(o, row + LANES, to + LANES, lanes[1], sum[i][1]);
    }
}

AVX2 static void outer_rows(const struct net_outer *o, uint32_t first, uint32_t from, uint32_t rows)
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

static void outer(const struct net_outer *o)
{
    uint32_t tiles = (o->n_rows + ROWS_MAX - 1) / ROWS_MAX;
    for (uint32_t tile = 0, first = 0; tile < tiles; tile++) {
        uint32_t rows = (o->n_rows - first + tiles - tile - 1) / (tiles - tile);
        for (uint32_t from = 0; from < o->n; from += TILE_COLUMNS) outer_rows(o, first, from, rows);
        first += rows;
    }
}

/* Up to four vectors of channels: four chains are in flight. */
AVX2_INLINE void channel_outer_tile(const struct net_outer *o, uint32_t from, const uint32_t vectors)
{
    __m256 sum[4];
    __m256i lanes[4];
    UNROLL
    for (uint32_t v = 0; v < vectors; v++) {
        lanes[v] = lanes_with((int64_t)o->n - from - v * LANES);
        sum[v] = outer_start(o, from + v * LANES, lanes[v]);
    }
    for (uint32_t m = 0; m < o->n_outer; m++)
        for (uint32_t x = 0; x < o->n_inner; x++) {
            const float *a = o->a + m * o->a_outer + x * o->a_inner + from;
            size_t at = m * o->b_outer + x * o->b_inner + from;
            UNROLL
            for (uint32_t v = 0; v < vectors; v++)
                sum[v] = _mm256_fmadd_ps(_mm256_maskload_ps(a + v * LANES, lanes[v]),
                                         _mm256_maskload_ps(o->b + at + v * LANES, lanes[v]), sum[v]);
        }
    UNROLL
    for (uint32_t v = 0; v < vectors; v++)
        outer_write(o, from + v * LANES, from + v * LANES, lanes[v], sum[v]);
}

AVX2 static void channel_outer(const struct net_outer *o)
{
    uint32_t from = 0;
    for (; from + 3 * LANES < o->n; from += 4 * LANES) channel_outer_tile(o, from, 4);
    for (; from < o->n; from += LANES) channel_outer_tile(o, from, 1);
}

const struct net_kernels net_kernels_avx2 = {CPU_AVX2, product, channel_product, outer, channel_outer};

#endif
