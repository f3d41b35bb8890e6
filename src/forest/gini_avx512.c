#if defined(__x86_64__)

#include <immintrin.h>

#include "forest/gini_lanes.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))

/* Sums of the lanes before each lane. */
AVX512 static inline __m512i lanes_before(__m512i x)
{
    const __m512i zero = _mm512_setzero_si512();
    __m512i sum = _mm512_alignr_epi32(x, zero, 15);
    sum = _mm512_add_epi32(sum, _mm512_alignr_epi32(sum, zero, 15));
    sum = _mm512_add_epi32(sum, _mm512_alignr_epi32(sum, zero, 14));
    sum = _mm512_add_epi32(sum, _mm512_alignr_epi32(sum, zero, 12));
    return _mm512_add_epi32(sum, _mm512_alignr_epi32(sum, zero, 8));
}

/* Makes each lane of a class's first step the sum of all bins up to it. */
AVX512 static void start_lanes(uint32_t *row)
{
    __m512i sum = _mm512_load_si512(row);
    for (int step = 1; step < GINI_STEPS; step++)
        sum = _mm512_add_epi32(sum, _mm512_load_si512(row + step * 16));
    _mm512_store_si512(row, _mm512_add_epi32(_mm512_load_si512(row), lanes_before(sum)));
}

/* Lanes of a scan or of a few rows' candidates that may match the best so far. */
AVX512 static inline __mmask16 promising(__m512i left, __m512i left_squares, __m512i right,
                                         __m512i right_squares, __m512 bound)
{
    __m512 l = _mm512_cvtepi32_ps(left), r = _mm512_cvtepi32_ps(right);
    __m512 numerator = _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepu32_ps(left_squares), r),
                                     _mm512_mul_ps(_mm512_cvtepu32_ps(right_squares), l));
    return _mm512_cmp_ps_mask(numerator, _mm512_mul_ps(_mm512_mul_ps(l, r), bound), _CMP_GT_OQ);
}

/* Sums over the classes of a node: weight on the left, its squares, and class totals times left weights. */
struct sums {
    __m512i left, squares, cross;
};

/* Sums one step over the classes, hands the lanes on to the next step, and clears the cells. */
AVX512 static inline struct sums take_step(uint32_t *cells, uint32_t k, const uint32_t *totals, uint32_t step)
{
    const __m512i zero = _mm512_setzero_si512();
    struct sums s = {zero, zero, zero};
    for (uint32_t c = 0; c < k; c++) {
        uint32_t *row = cells + (size_t)c * MAX_BINS + step * 16;
        __m512i l = _mm512_load_si512(row);
        _mm512_store_si512(row, zero);
        if (step + 1 < GINI_STEPS)
            _mm512_store_si512(row + 16, _mm512_add_epi32(l, _mm512_load_si512(row + 16)));
        s.left = _mm512_add_epi32(s.left, l);
        s.squares = _mm512_add_epi32(s.squares, _mm512_mullo_epi32(l, l));
        s.cross = _mm512_add_epi32(s.cross, _mm512_mullo_epi32(l, _mm512_set1_epi32((int)totals[c])));
    }
    return s;
}

AVX512 static void scan(uint32_t *cells, uint32_t k, const uint32_t *totals, uint32_t weight,
                        uint32_t feature, struct best_cut *best)
{
    for (uint32_t c = 0; c < k; c++) start_lanes(cells + (size_t)c * MAX_BINS);
    const __m512i all = _mm512_set1_epi32((int)weight);
    const __m512i squares = _mm512_set1_epi32((int)gini_squares(totals, k));
    for (uint32_t step = 0; step < GINI_STEPS; step++) {
        struct sums s = take_step(cells, k, totals, step);
        __m512i right = _mm512_sub_epi32(all, s.left);
        __m512i right_squares =
            _mm512_add_epi32(_mm512_sub_epi32(squares, _mm512_slli_epi32(s.cross, 1)), s.squares);
        const __m512 bound = _mm512_set1_ps((float)best->score * GINI_SLACK);
        uint32_t mask = promising(s.left, s.squares, right, right_squares, bound);
        if (!mask) continue;
        struct gini_step at;
        _mm512_storeu_si512(at.left, s.left);
        _mm512_storeu_si512(at.left_squares, s.squares);
        _mm512_storeu_si512(at.right, right);
        _mm512_storeu_si512(at.right_squares, right_squares);
        gini_offer_step(&at, mask, step, feature, best);
    }
}

/* Half the lanes of a few rows' candidates, 16 bits each. */
AVX512 static inline void add_class(struct sums *s, __m256i weights, __m512i total)
{
    __m512i l = _mm512_cvtepu8_epi16(weights);
    s->left = _mm512_add_epi16(s->left, l);
    s->squares = _mm512_add_epi16(s->squares, _mm512_mullo_epi16(l, l));
    s->cross = _mm512_add_epi16(s->cross, _mm512_mullo_epi16(l, total));
}

AVX512 static inline uint32_t promising_quarter(__m256i left, __m256i left_squares, __m256i right_squares,
                                                __m512i weight, __m512 bound)
{
    __m512i l = _mm512_cvtepu16_epi32(left), r = _mm512_sub_epi32(weight, l);
    return promising(l, _mm512_cvtepu16_epi32(left_squares), r, _mm512_cvtepu16_epi32(right_squares), bound);
}

/* Of 32 lanes, those that may match the best so far; the sums are kept from lane `first` on. */
AVX512 static inline uint64_t promising_half(const struct gini_few *node, const struct sums *s,
                                             __m512i squares, __m512 bound, struct gini_few_step *at,
                                             uint32_t first)
{
    const __m512i weight = _mm512_set1_epi32((int)node->weight);
    __m512i right_squares =
        _mm512_add_epi16(_mm512_sub_epi16(squares, _mm512_slli_epi16(s->cross, 1)), s->squares);
    _mm512_storeu_si512(at->left + first, s->left);
    _mm512_storeu_si512(at->left_squares + first, s->squares);
    _mm512_storeu_si512(at->right_squares + first, right_squares);
    uint32_t low = promising_quarter(_mm512_castsi512_si256(s->left), _mm512_castsi512_si256(s->squares),
                                     _mm512_castsi512_si256(right_squares), weight, bound);
    uint32_t high =
        promising_quarter(_mm512_extracti64x4_epi64(s->left, 1), _mm512_extracti64x4_epi64(s->squares, 1),
                          _mm512_extracti64x4_epi64(right_squares, 1), weight, bound);
    return (uint64_t)(low | high << 16) << first;
}

AVX512 static void few(const struct gini_few *node, struct best_cut *best)
{
    gini_few_spread(node, 0);
    const __m512i zero = _mm512_setzero_si512();
    const __m512i squares = _mm512_set1_epi16((short)gini_squares(node->totals, node->k));
    uint32_t rows_a_vector = GINI_FEW_LANES / node->lanes_per_row;
    for (uint32_t row = 0; row < node->n; row += rows_a_vector) {
        __m512i threshold = _mm512_loadu_si512(node->codes + (size_t)row * node->lanes_per_row);
        struct sums low = {zero, zero, zero}, high = low;
        for (uint32_t c = 0, i = 0; c < node->k; c++) {
            __m512i part = zero;
            for (; i < node->class_begin[c + 1]; i++) {
                __mmask64 left = _mm512_cmple_epu8_mask(
                    _mm512_load_si512(node->spread + (size_t)i * GINI_FEW_LANES), threshold);
                part = _mm512_add_epi8(part, _mm512_maskz_set1_epi8(left, (char)node->weights[i]));
            }
            __m512i total = _mm512_set1_epi16((short)node->totals[c]);
            add_class(&low, _mm512_castsi512_si256(part), total);
            add_class(&high, _mm512_extracti64x4_epi64(part, 1), total);
        }
        const __m512 bound = _mm512_set1_ps((float)best->score * GINI_SLACK);
        struct gini_few_step at;
        uint64_t mask = promising_half(node, &low, squares, bound, &at, 0) |
                        promising_half(node, &high, squares, bound, &at, 32);
        if (mask) gini_offer_few(node, &at, mask, row, best);
    }
}

const struct gini_kernels gini_kernels_avx512 = {CPU_AVX512, 128, scan, few};

#endif
