#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "forest/gini.h"
#include "forest/split.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,bmi,bmi2")))

/* A cut may match the best if numerator >= best * denominator, but for the rounding of that product and of
 * the scores themselves, which are single precision in light nodes. */
#define SLACK_DOUBLE (1 - 0x1p-50)
#define SLACK_FLOAT (1 - 0x1p-21f)

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

/* Eight lanes that may match the best so far. */
AVX512 static inline __mmask8 promising(__m256i left, __m256i left_squares, __m256i right,
                                        __m256i right_squares, double bound)
{
    __m512d l = _mm512_cvtepu32_pd(left), r = _mm512_cvtepu32_pd(right);
    __m512d numerator = _mm512_add_pd(_mm512_mul_pd(_mm512_cvtepu32_pd(left_squares), r),
                                      _mm512_mul_pd(_mm512_cvtepu32_pd(right_squares), l));
    return _mm512_cmp_pd_mask(numerator, _mm512_mul_pd(_mm512_mul_pd(l, r), _mm512_set1_pd(bound)),
                              _CMP_GE_OQ);
}

struct step {
    uint32_t left[16], left_squares[16], right[16], right_squares[16];
};

static __attribute__((noinline)) void offer_lanes(const struct step *s, uint32_t mask, uint32_t step,
                                                  uint32_t feature, struct gini_best *best)
{
    for (; mask; mask &= mask - 1) {
        uint32_t lane = (uint32_t)__builtin_ctz(mask);
        if (!s->left[lane] || !s->right[lane]) continue;
        gini_offer(best,
                   gini_score(s->left_squares[lane], s->left[lane], s->right_squares[lane], s->right[lane]),
                   feature, (uint8_t)(lane * 16 + step));
    }
}

AVX512 static void scan(uint32_t *cells, uint32_t k, const uint32_t *totals, uint32_t weight,
                        uint32_t feature, struct gini_best *best)
{
    uint32_t squares = 0;
    for (uint32_t c = 0; c < k; c++) {
        squares += totals[c] * totals[c];
        uint32_t *row = cells + (size_t)c * GINI_BINS;
        __m512i sum = _mm512_load_si512(row);
        for (int step = 1; step < 16; step++) sum = _mm512_add_epi32(sum, _mm512_load_si512(row + step * 16));
        _mm512_store_si512(row, _mm512_add_epi32(_mm512_load_si512(row), lanes_before(sum)));
    }
    const double slack = weight <= GINI_SMALL_WEIGHT ? SLACK_FLOAT : SLACK_DOUBLE;
    for (uint32_t step = 0; step < 16; step++) {
        __m512i left = _mm512_setzero_si512(), left_squares = left, cross = left;
        for (uint32_t c = 0; c < k; c++) {
            uint32_t *row = cells + (size_t)c * GINI_BINS + step * 16;
            __m512i l = _mm512_load_si512(row);
            _mm512_store_si512(row, _mm512_setzero_si512());
            if (step < 15) _mm512_store_si512(row + 16, _mm512_add_epi32(l, _mm512_load_si512(row + 16)));
            left = _mm512_add_epi32(left, l);
            left_squares = _mm512_add_epi32(left_squares, _mm512_mullo_epi32(l, l));
            cross = _mm512_add_epi32(cross, _mm512_mullo_epi32(l, _mm512_set1_epi32((int)totals[c])));
        }
        __m512i right = _mm512_sub_epi32(_mm512_set1_epi32((int)weight), left);
        __m512i right_squares = _mm512_add_epi32(
            _mm512_sub_epi32(_mm512_set1_epi32((int)squares), _mm512_slli_epi32(cross, 1)), left_squares);
        double bound = best->score * slack;
        uint32_t mask =
            promising(_mm512_castsi512_si256(left), _mm512_castsi512_si256(left_squares),
                      _mm512_castsi512_si256(right), _mm512_castsi512_si256(right_squares), bound);
        mask |= (uint32_t)promising(
                    _mm512_extracti64x4_epi64(left, 1), _mm512_extracti64x4_epi64(left_squares, 1),
                    _mm512_extracti64x4_epi64(right, 1), _mm512_extracti64x4_epi64(right_squares, 1), bound)
                << 8;
        mask &= _mm512_test_epi32_mask(left, left) & _mm512_test_epi32_mask(right, right);
        if (!mask) continue;
        struct step s;
        _mm512_storeu_si512(s.left, left);
        _mm512_storeu_si512(s.left_squares, left_squares);
        _mm512_storeu_si512(s.right, right);
        _mm512_storeu_si512(s.right_squares, right_squares);
        offer_lanes(&s, mask, step, feature, best);
    }
}

/* Each row's lanes, repeated to fill a vector. */
AVX512 static void spread_rows(const struct gini_few *node)
{
    for (uint32_t i = 0; i < node->n; i++) {
        const uint8_t *from = node->codes + (size_t)i * node->lanes_per_row;
        __m512i row;
        if (node->lanes_per_row == 8)
            row = _mm512_set1_epi64(*(const long long *)from);
        else if (node->lanes_per_row == 16)
            row = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)from));
        else if (node->lanes_per_row == 32)
            row = _mm512_broadcast_i64x4(_mm256_loadu_si256((const void *)from));
        else
            row = _mm512_loadu_si512(from);
        _mm512_store_si512(node->spread + (size_t)i * GINI_FEW_LANES, row);
    }
}

/* What 32 of the lanes add up to: left weight, its squares, and class totals times left parts. */
struct sums {
    __m512i left, squares, cross;
};

AVX512 static inline void add_class(struct sums *s, __m256i weights, __m512i total)
{
    __m512i l = _mm512_cvtepu8_epi16(weights);
    s->left = _mm512_add_epi16(s->left, l);
    s->squares = _mm512_add_epi16(s->squares, _mm512_mullo_epi16(l, l));
    s->cross = _mm512_add_epi16(s->cross, _mm512_mullo_epi16(l, total));
}

/* Sixteen lanes that may match the best so far; exact but for the product with it, as W <= 255. */
AVX512 static inline uint32_t promising_few(__m256i left, __m256i left_squares, __m256i right_squares,
                                            __m512 weight, __m512 best)
{
    __m512 l = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(left)), r = _mm512_sub_ps(weight, l);
    __m512 numerator =
        _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(left_squares)), r),
                      _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(right_squares)), l));
    __m512 denominator = _mm512_mul_ps(l, r);
    __mmask16 both = _mm512_cmp_ps_mask(denominator, _mm512_setzero_ps(), _CMP_GT_OQ);
    return _mm512_mask_cmp_ps_mask(both, numerator, _mm512_mul_ps(denominator, best), _CMP_GE_OQ);
}

struct few_lanes {
    uint16_t left[64], left_squares[64], right_squares[64];
};

static __attribute__((noinline)) void offer_few(const struct gini_few *node, const struct few_lanes *s,
                                                uint64_t mask, uint32_t row, struct gini_best *best)
{
    for (; mask; mask &= mask - 1) {
        uint32_t lane = (uint32_t)__builtin_ctzll(mask), feature = lane & (node->lanes_per_row - 1);
        uint32_t left = s->left[lane];
        double score = gini_score(s->left_squares[lane], left, s->right_squares[lane], node->weight - left);
        gini_offer(best, score, node->first_feature + feature,
                   node->codes[(size_t)row * node->lanes_per_row + lane]);
    }
}

/* Lanes that hold a feature and, in the last vector of candidates, a row. */
static uint64_t valid_lanes(const struct gini_few *node, uint32_t row)
{
    uint64_t mask = 0, features = node->n_features == 64 ? ~0ull : (1ull << node->n_features) - 1;
    for (uint32_t lane = 0; lane < GINI_FEW_LANES && row < node->n; lane += node->lanes_per_row, row++)
        mask |= features << lane;
    return mask;
}

AVX512 static void few(const struct gini_few *node, struct gini_best *best)
{
    spread_rows(node);
    uint32_t per_vector = GINI_FEW_LANES / node->lanes_per_row, squares = 0;
    for (uint32_t c = 0; c < node->k; c++) squares += node->totals[c] * node->totals[c];
    const __m512i all = _mm512_set1_epi16((short)squares);
    const __m512 weight = _mm512_set1_ps((float)node->weight);
    for (uint32_t row = 0; row < node->n; row += per_vector) {
        __m512i threshold = _mm512_loadu_si512(node->codes + (size_t)row * node->lanes_per_row);
        struct sums low = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()},
                    high = low;
        for (uint32_t c = 0, i = 0; c < node->k; c++) {
            __m512i part = _mm512_setzero_si512();
            for (; i < node->class_begin[c + 1]; i++) {
                __mmask64 below = _mm512_cmple_epu8_mask(
                    _mm512_load_si512(node->spread + (size_t)i * GINI_FEW_LANES), threshold);
                part = _mm512_mask_add_epi8(part, below, part, _mm512_set1_epi8((char)node->weights[i]));
            }
            __m512i total = _mm512_set1_epi16((short)node->totals[c]);
            add_class(&low, _mm512_castsi512_si256(part), total);
            add_class(&high, _mm512_extracti64x4_epi64(part, 1), total);
        }
        __m512i low_right =
            _mm512_add_epi16(_mm512_sub_epi16(all, _mm512_slli_epi16(low.cross, 1)), low.squares);
        __m512i high_right =
            _mm512_add_epi16(_mm512_sub_epi16(all, _mm512_slli_epi16(high.cross, 1)), high.squares);
        const __m512 bound = _mm512_set1_ps((float)best->score * SLACK_FLOAT);
#define QUARTER(s, r, q)                                                                                     \
    (uint64_t) promising_few(_mm512_extracti64x4_epi64(s.left, q), _mm512_extracti64x4_epi64(s.squares, q),  \
                             _mm512_extracti64x4_epi64(r, q), weight, bound)
        uint64_t mask = QUARTER(low, low_right, 0) | QUARTER(low, low_right, 1) << 16 |
                        QUARTER(high, high_right, 0) << 32 | QUARTER(high, high_right, 1) << 48;
#undef QUARTER
        mask &= valid_lanes(node, row);
        if (!mask) continue;
        struct few_lanes s;
        _mm512_storeu_si512(s.left, low.left);
        _mm512_storeu_si512(s.left + 32, high.left);
        _mm512_storeu_si512(s.left_squares, low.squares);
        _mm512_storeu_si512(s.left_squares + 32, high.squares);
        _mm512_storeu_si512(s.right_squares, low_right);
        _mm512_storeu_si512(s.right_squares + 32, high_right);
        offer_few(node, &s, mask, row, best);
    }
}

const struct gini_kernels gini_kernels_avx512 = {CPU_AVX512, 128, scan, few};

#endif
