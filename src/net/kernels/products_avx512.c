#if defined(__x86_64__)

#include <immintrin.h>

#include "net/kernels/products.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define AVX512_INLINE AVX512 static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

enum { LANES = 16, ROWS_MAX = 12, ROWS_MAX_NARROW = 16 };

/* Of a vector's lanes, those with a column. */
AVX512_INLINE __mmask16 lanes_with(uint32_t columns)
{
    return columns >= LANES ? (__mmask16)0xffff : (__mmask16)((1u << columns) - 1);
}

AVX512_INLINE __m512 first_sum(const struct net_product *p, const float *y, uint32_t column, __mmask16 lanes)
{
    if (p->add) return _mm512_maskz_loadu_ps(lanes, y + column);
    return p->bias ? _mm512_maskz_loadu_ps(lanes, p->bias + column) : _mm512_setzero_ps();
}

AVX512_INLINE void write_sum(const struct net_product *p, float *y, uint32_t column, __mmask16 lanes,
                             __m512 sum)
{
    if (p->relu) sum = _mm512_max_ps(_mm512_setzero_ps(), sum); /* NaN stays: it is the second */
    _mm512_mask_storeu_ps(y + column, lanes, sum);
}

/* `rows` rows from `first` on by the panel that begins at column `from`, `vectors` wide. */
AVX512_INLINE void product_tile(const struct net_product *p, uint32_t first, uint32_t from,
                                const uint32_t rows, const uint32_t vectors)
{
    const float *a[ROWS_MAX];
    __m512 sum[ROWS_MAX][2];
    const float *b = p->b + (size_t)from * p->n_segments * p->length;
    const uint32_t one_segment = 0, *segments = p->segments ? p->segments : &one_segment;
    __mmask16 last = lanes_with(p->n - from - (vectors - 1) * LANES);
    UNROLL
    for (uint32_t i = 0; i < rows; i++) {
        const float *y = product_target(p, first + i);
        a[i] = product_row(p, first + i);
        if (vectors == 2) sum[i][0] = first_sum(p, y, from, 0xffff);
        sum[i][vectors - 1] = first_sum(p, y, from + (vectors - 1) * LANES, last);
    }
    for (uint32_t s = 0; s < p->n_segments; s++) {
        size_t at = segments[s], end = at + p->length;
        for (; at < end; at++, b += vectors * LANES) {
            __m512 b0 = _mm512_loadu_ps(b), b1 = b0;
            if (vectors == 2) b1 = _mm512_loadu_ps(b + LANES);
            UNROLL
            for (uint32_t i = 0; i < rows; i++) {
                __m512 x = _mm512_set1_ps(a[i][at]);
                sum[i][0] = _mm512_fmadd_ps(x, b0, sum[i][0]);
                if (vectors == 2) sum[i][1] = _mm512_fmadd_ps(x, b1, sum[i][1]);
            }
        }
    }
    UNROLL
    for (uint32_t i = 0; i < rows; i++) {
        float *y = product_target(p, first + i);
        if (vectors == 2) write_sum(p, y, from, 0xffff, sum[i][0]);
        write_sum(p, y, from + (vectors - 1) * LANES, last, sum[i][vectors - 1]);
    }
}

#define TILE_CASE(rows_now)                                                                                  \
    case rows_now: product_tile(p, first, from, rows_now, vectors); break

AVX512_INLINE void product_rows(const struct net_product *p, uint32_t first, uint32_t from, uint32_t rows,
                                const uint32_t vectors)
{
    switch (rows) {
        TILE_CASE(1);
        TILE_CASE(2);
        TILE_CASE(3);
        TILE_CASE(4);
        TILE_CASE(5);
        TILE_CASE(6);
        TILE_CASE(7);
        TILE_CASE(8);
        TILE_CASE(9);
        TILE_CASE(10);
        TILE_CASE(11);
        TILE_CASE(12);
    }
}

AVX512 static void product_wide(const struct net_product *p, uint32_t first, uint32_t from, uint32_t rows)
{
    product_rows(p, first, from, rows, 2);
}

AVX512 static void product_narrow(const struct net_product *p, uint32_t first, uint32_t from, uint32_t rows)
{
    product_rows(p, first, from, rows, 1);
}

static void product(const struct net_product *p)
{
    uint32_t tiles = (p->n_rows + ROWS_MAX - 1) / ROWS_MAX;
    for (uint32_t from = 0; from < p->n; from += PANEL)
        for (uint32_t tile = 0, first = 0; tile < tiles; tile++) {
            uint32_t rows = (p->n_rows - first + tiles - tile - 1) / (tiles - tile);
            if (panel_width(p->n - from) == PANEL)
                product_wide(p, first, from, rows);
            else
                product_narrow(p, first, from, rows);
            first += rows;
        }
}

AVX512_INLINE void channel_tile(const struct net_product *p, uint32_t first, uint32_t from,
                                const uint32_t rows)
{
    const float *a[8];
    __m512 sum[8];
    __mmask16 lanes = lanes_with(p->n - from);
    const float *b = p->b + from;
    UNROLL
    for (uint32_t i = 0; i < rows; i++) {
        a[i] = product_row(p, first + i) + from;
        sum[i] = first_sum(p, product_target(p, first + i), from, lanes);
    }
    for (uint32_t s = 0; s < p->n_segments; s++, b += p->n) {
        size_t at = p->segments[s];
        __m512 weight = _mm512_maskz_loadu_ps(lanes, b);
        UNROLL
        for (uint32_t i = 0; i < rows; i++)
            sum[i] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, a[i] + at), weight, sum[i]);
    }
    UNROLL
    for (uint32_t i = 0; i < rows; i++) write_sum(p, product_target(p, first + i), from, lanes, sum[i]);
}

AVX512 static void channel_product(const struct net_product *p)
{
    uint32_t i = 0;
    for (; i + 8 <= p->n_rows; i += 8)
        for (uint32_t from = 0; from < p->n; from += LANES) channel_tile(p, i, from, 8);
    for (; i < p->n_rows; i++)
        for (uint32_t from = 0; from < p->n; from += LANES) channel_tile(p, i, from, 1);
}

AVX512_INLINE __m512 outer_start(const struct net_outer *o, size_t at, __mmask16 lanes)
{
    return o->start ? _mm512_maskz_loadu_ps(lanes, o->start + at) : _mm512_setzero_ps();
}

AVX512_INLINE __m512 carried(const float *carry, __mmask16 lanes, __m512 sum)
{
    return _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, carry), sum);
}

/* Rows from `first` on by columns from `from` on. */
AVX512_INLINE void outer_tile(const struct net_outer *o, uint32_t first, uint32_t from, const uint32_t rows,
                              const uint32_t vectors)
{
    __m512 sum[ROWS_MAX_NARROW][2];
    const uint32_t beside = (vectors - 1) * LANES;
    __mmask16 last = lanes_with(o->n - from - beside);
    const size_t place = first * o->sums_stride + from;
    UNROLL
    for (uint32_t i = 0; i < rows; i++) {
        if (vectors == 2) sum[i][0] = outer_start(o, place + i * o->sums_stride, 0xffff);
        sum[i][vectors - 1] = outer_start(o, place + i * o->sums_stride + beside, last);
    }
    for (uint32_t m = 0; m < o->n_outer; m++) {
        const float *a = o->a + m * o->a_outer + first;
        size_t at = m * o->b_outer + from;
        for (uint32_t x = o->n_inner; x; x--, a += o->a_inner, at += o->b_inner) {
            __m512 b0 = _mm512_maskz_loadu_ps(vectors == 2 ? (__mmask16)0xffff : last, o->b + at), b1 = b0;
            if (vectors == 2) b1 = _mm512_maskz_loadu_ps(last, o->b + at + LANES);
            UNROLL
            for (uint32_t i = 0; i < rows; i++) {
                __m512 scale = _mm512_set1_ps(a[i]);
                sum[i][0] = _mm512_fmadd_ps(scale, b0, sum[i][0]);
                if (vectors == 2) sum[i][1] = _mm512_fmadd_ps(scale, b1, sum[i][1]);
            }
        }
    }
    for (uint32_t left = o->carry_levels; left; left &= left - 1) {
        const float *carry = outer_level(o, left) + place;
        UNROLL
        for (uint32_t i = 0; i < rows; i++, carry += o->sums_stride) {
            if (vectors == 2) sum[i][0] = carried(carry, 0xffff, sum[i][0]);
            sum[i][vectors - 1] = carried(carry + beside, last, sum[i][vectors - 1]);
        }
    }
    UNROLL
    for (uint32_t i = 0; i < rows; i++) {
        float *to = o->g + (first + i) * o->g_stride + from;
        if (vectors == 2) _mm512_storeu_ps(to, sum[i][0]);
        _mm512_mask_storeu_ps(to + beside, last, sum[i][vectors - 1]);
    }
}

#define OUTER_CASE(rows_now)                                                                                 \
    case rows_now: outer_tile(o, first, from, rows_now, vectors); break

AVX512_INLINE void outer_rows(const struct net_outer *o, uint32_t first, uint32_t from, uint32_t rows,
                              const uint32_t vectors)
{
    switch (rows) {
        OUTER_CASE(1);
        OUTER_CASE(2);
        OUTER_CASE(3);
        OUTER_CASE(4);
        OUTER_CASE(5);
        OUTER_CASE(6);
        OUTER_CASE(7);
        OUTER_CASE(8);
        OUTER_CASE(9);
        OUTER_CASE(10);
        OUTER_CASE(11);
        OUTER_CASE(12);
    }
}

AVX512 static void outer_wide(const struct net_outer *o, uint32_t first, uint32_t from, uint32_t rows)
{
    outer_rows(o, first, from, rows, 2);
}

AVX512 static void outer_narrow(const struct net_outer *o, uint32_t first, uint32_t from, uint32_t rows)
{
    if (rows == ROWS_MAX_NARROW)
        outer_tile(o, first, from, ROWS_MAX_NARROW, 1);
    else
        outer_rows(o, first, from, rows, 1);
}

/* Rows of a tile when `left` are left to be dealt with in tiles that are about equal. */
static uint32_t outer_share(uint32_t left, bool narrow)
{
    if (narrow && left % ROWS_MAX_NARROW == 0) return ROWS_MAX_NARROW;
    uint32_t tiles = (left + ROWS_MAX - 1) / ROWS_MAX;
    return (left + tiles - 1) / tiles;
}

static void outer(const struct net_outer *o)
{
    uint32_t rows;
    for (uint32_t first = 0; first < o->n_rows; first += rows) {
        rows = outer_share(o->n_rows - first, o->n <= LANES);
        for (uint32_t from = 0; from < o->n; from += PANEL)
            if (panel_width(o->n - from) < PANEL)
                outer_narrow(o, first, from, rows);
            else
                outer_wide(o, first, from, rows);
    }
}

/* Up to four vectors of channels: four chains are in flight. */
AVX512_INLINE void channel_outer_tile(const struct net_outer *o, uint32_t from, const uint32_t vectors)
{
    __m512 sum[4];
    __mmask16 lanes[4];
    UNROLL
    for (uint32_t v = 0; v < vectors; v++) {
        lanes[v] = lanes_with(o->n - from - v * LANES);
        sum[v] = outer_start(o, from + v * LANES, lanes[v]);
    }
    for (uint32_t m = 0; m < o->n_outer; m++)
        for (uint32_t x = 0; x < o->n_inner; x++) {
            const float *a = o->a + m * o->a_outer + x * o->a_inner + from;
            size_t at = m * o->b_outer + x * o->b_inner + from;
            UNROLL
            for (uint32_t v = 0; v < vectors; v++)
                sum[v] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes[v], a + v * LANES),
                                         _mm512_maskz_loadu_ps(lanes[v], o->b + at + v * LANES), sum[v]);
        }
    UNROLL
    for (uint32_t v = 0; v < vectors; v++) {
        for (uint32_t left = o->carry_levels; left; left &= left - 1)
            sum[v] = carried(outer_level(o, left) + from + v * LANES, lanes[v], sum[v]);
        _mm512_mask_storeu_ps(o->g + from + v * LANES, lanes[v], sum[v]);
    }
}

AVX512 static void channel_outer(const struct net_outer *o)
{
    uint32_t from = 0;
    for (; from + 3 * LANES < o->n; from += 4 * LANES) channel_outer_tile(o, from, 4);
    for (; from < o->n; from += LANES) channel_outer_tile(o, from, 1);
}

const struct net_kernels net_kernels_avx512 = {CPU_AVX512, product, channel_product, outer, channel_outer};

#endif
