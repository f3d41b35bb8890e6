#if defined(__x86_64__)

#include <immintrin.h>

#include "forest/gini_lanes.h"

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i load(const void *from)
{
    return _mm256_loadu_si256(from);
}

AVX2 static inline void store(void *to, __m256i x)
{
    _mm256_storeu_si256(to, x);
}

/* Sums of the lanes up to each lane. */
AVX2 static inline __m256i lanes_through(__m256i x)
{
    x = _mm256_add_epi32(x, _mm256_slli_si256(x, 4));
    x = _mm256_add_epi32(x, _mm256_slli_si256(x, 8));
    __m256i low = _mm256_permute2x128_si256(x, x, 0x08); /* the low half, in the place of the high one */
    return _mm256_add_epi32(x, _mm256_shuffle_epi32(low, 0xff));
}

/* Makes each lane of a class's first step the sum of all bins up to it. */
AVX2 static void start_lanes(uint32_t *row)
{
    __m256i low = load(row), high = load(row + 8), first_low = low, first_high = high;
    for (int step = 1; step < GINI_STEPS; step++) {
        low = _mm256_add_epi32(low, load(row + step * 16));
        high = _mm256_add_epi32(high, load(row + step * 16 + 8));
    }
    __m256i before_low = _mm256_sub_epi32(lanes_through(low), low);
    __m256i before_high = _mm256_sub_epi32(lanes_through(high), high);
    __m256i all_low = _mm256_permutevar8x32_epi32(lanes_through(low), _mm256_set1_epi32(7));
    store(row, _mm256_add_epi32(first_low, before_low));
    store(row + 8, _mm256_add_epi32(first_high, _mm256_add_epi32(before_high, all_low)));
}

/* Unsigned numbers as floats; only signed ones have an instruction. */
AVX2 static inline __m256 to_floats(__m256i x)
{
    __m256 wrapped = _mm256_castsi256_ps(_mm256_srai_epi32(x, 31));
    return _mm256_add_ps(_mm256_cvtepi32_ps(x), _mm256_and_ps(wrapped, _mm256_set1_ps(0x1p32f)));
}

/* Lanes of a scan or of a few rows' candidates that may match the best so far. */
AVX2 static inline uint32_t promising(__m256i left, __m256 left_squares, __m256i right, __m256 right_squares,
                                      __m256 bound)
{
    __m256 l = _mm256_cvtepi32_ps(left), r = _mm256_cvtepi32_ps(right);
    __m256 numerator = _mm256_add_ps(_mm256_mul_ps(left_squares, r), _mm256_mul_ps(right_squares, l));
    __m256 denominator = _mm256_mul_ps(l, r);
    return (uint32_t)_mm256_movemask_ps(
        _mm256_cmp_ps(numerator, _mm256_mul_ps(denominator, bound), _CMP_GT_OQ));
}

/* Sums over the classes of a node: weight on the left, its squares, and class totals times left weights. */
struct sums {
    __m256i left, squares, cross;
};

/* Sums eight lanes of a step over the classes, hands them on to the next step, and clears the cells. */
AVX2 static inline struct sums take_step(uint32_t *cells, uint32_t k, const uint32_t *totals, bool last)
{
    const __m256i zero = _mm256_setzero_si256();
    struct sums s = {zero, zero, zero};
    for (uint32_t c = 0; c < k; c++) {
        uint32_t *row = cells + (size_t)c * MAX_BINS;
        __m256i l = load(row);
        store(row, zero);
        if (!last) store(row + 16, _mm256_add_epi32(l, load(row + 16)));
        s.left = _mm256_add_epi32(s.left, l);
        s.squares = _mm256_add_epi32(s.squares, _mm256_mullo_epi32(l, l));
        s.cross = _mm256_add_epi32(s.cross, _mm256_mullo_epi32(l, _mm256_set1_epi32((int)totals[c])));
    }
    return s;
}

AVX2 static void scan(uint32_t *cells, uint32_t k, const uint32_t *totals, uint32_t weight, uint32_t feature,
                      struct best_cut *best)
{
    for (uint32_t c = 0; c < k; c++) start_lanes(cells + (size_t)c * MAX_BINS);
    const __m256i all = _mm256_set1_epi32((int)weight);
    const __m256i squares = _mm256_set1_epi32((int)gini_squares(totals, k));
    for (uint32_t step = 0; step < GINI_STEPS; step++) {
        const __m256 bound = _mm256_set1_ps((float)best->score * GINI_SLACK);
        struct gini_step at;
        uint32_t mask = 0;
        for (uint32_t first = 0; first < 16; first += 8) {
            struct sums s = take_step(cells + step * 16 + first, k, totals, step + 1 == GINI_STEPS);
            __m256i right = _mm256_sub_epi32(all, s.left);
            __m256i right_squares =
                _mm256_add_epi32(_mm256_sub_epi32(squares, _mm256_slli_epi32(s.cross, 1)), s.squares);
            mask |= promising(s.left, to_floats(s.squares), right, to_floats(right_squares), bound) << first;
            store(at.left + first, s.left);
            store(at.left_squares + first, s.squares);
            store(at.right + first, right);
            store(at.right_squares + first, right_squares);
        }
        if (mask) gini_offer_step(&at, mask, step, feature, best);
    }
}

/* A quarter of the lanes of a few rows' candidates, 16 bits each. */
AVX2 static inline void add_class(struct sums *s, __m128i weights, __m256i total)
{
    __m256i l = _mm256_cvtepu8_epi16(weights);
    s->left = _mm256_add_epi16(s->left, l);
    s->squares = _mm256_add_epi16(s->squares, _mm256_mullo_epi16(l, l));
    s->cross = _mm256_add_epi16(s->cross, _mm256_mullo_epi16(l, total));
}

AVX2 static inline uint32_t promising_eighth(__m128i left, __m128i left_squares, __m128i right_squares,
                                             __m256i weight, __m256 bound)
{
    __m256i l = _mm256_cvtepu16_epi32(left);
    return promising(l, _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(left_squares)), _mm256_sub_epi32(weight, l),
                     _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(right_squares)), bound);
}

/* Of 16 lanes, those that may match the best so far; the sums are kept from lane `first` on. */
AVX2 static inline uint64_t promising_quarter(const struct gini_few *node, const struct sums *s,
                                              __m256i squares, __m256 bound, struct gini_few_step *at,
                                              uint32_t first)
{
    const __m256i weight = _mm256_set1_epi32((int)node->weight);
    __m256i right_squares =
        _mm256_add_epi16(_mm256_sub_epi16(squares, _mm256_slli_epi16(s->cross, 1)), s->squares);
    store(at->left + first, s->left);
    store(at->left_squares + first, s->squares);
    store(at->right_squares + first, right_squares);
    uint32_t low = promising_eighth(_mm256_castsi256_si128(s->left), _mm256_castsi256_si128(s->squares),
                                    _mm256_castsi256_si128(right_squares), weight, bound);
    uint32_t high =
        promising_eighth(_mm256_extracti128_si256(s->left, 1), _mm256_extracti128_si256(s->squares, 1),
                         _mm256_extracti128_si256(right_squares, 1), weight, bound);
    return (uint64_t)(low | high << 8) << first;
}

/* Class weights left of each candidate: codes are compared as signed numbers, for which they were flipped. */
AVX2 static inline __m256i add_row(__m256i part, const uint8_t *codes, __m256i threshold, __m256i weight)
{
    __m256i right = _mm256_cmpgt_epi8(load(codes), threshold);
    return _mm256_add_epi8(part, _mm256_andnot_si256(right, weight));
}

AVX2 static void few(const struct gini_few *node, struct best_cut *best)
{
    gini_few_spread(node, 0x80);
    const __m256i zero = _mm256_setzero_si256(), flip = _mm256_set1_epi8((char)0x80);
    const __m256i squares = _mm256_set1_epi16((short)gini_squares(node->totals, node->k));
    uint32_t rows_a_vector = GINI_FEW_LANES / node->lanes_per_row;
    for (uint32_t row = 0; row < node->n; row += rows_a_vector) {
        const uint8_t *thresholds = node->codes + (size_t)row * node->lanes_per_row;
        __m256i low = _mm256_xor_si256(load(thresholds), flip);
        __m256i high = _mm256_xor_si256(load(thresholds + 32), flip);
        struct sums s[4] = {{zero, zero, zero}, {zero, zero, zero}, {zero, zero, zero}, {zero, zero, zero}};
        for (uint32_t c = 0, i = 0; c < node->k; c++) {
            __m256i low_part = zero, high_part = zero;
            for (; i < node->class_begin[c + 1]; i++) {
                const uint8_t *codes = node->spread + (size_t)i * GINI_FEW_LANES;
                __m256i weight = _mm256_set1_epi8((char)node->weights[i]);
                low_part = add_row(low_part, codes, low, weight);
                high_part = add_row(high_part, codes + 32, high, weight);
            }
            __m256i total = _mm256_set1_epi16((short)node->totals[c]);
            add_class(&s[0], _mm256_castsi256_si128(low_part), total);
            add_class(&s[1], _mm256_extracti128_si256(low_part, 1), total);
            add_class(&s[2], _mm256_castsi256_si128(high_part), total);
            add_class(&s[3], _mm256_extracti128_si256(high_part, 1), total);
        }
        const __m256 bound = _mm256_set1_ps((float)best->score * GINI_SLACK);
        struct gini_few_step at;
        uint64_t mask = 0;
        for (uint32_t q = 0; q < 4; q++) mask |= promising_quarter(node, &s[q], squares, bound, &at, q * 16);
        if (mask) gini_offer_few(node, &at, mask, row, best);
    }
}

const struct gini_kernels gini_kernels_avx2 = {CPU_AVX2, 80, scan, few};

#endif
