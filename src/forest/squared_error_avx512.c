#if defined(__x86_64__)

#include <immintrin.h>

#include "forest/squared_error.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,bmi,bmi2")))

/* For the rounding of the products a cut is compared by. */
static const double slack = 1 - 0x1p-46;

/* Lanes that may match the best so far: their sums squared over weights, without the divisions. */
AVX512 static inline __mmask8 promising(__m512d left_sum, __m512d left, __m512d sum, __m512d weight,
                                        __m512d bound)
{
    __m512d right_sum = _mm512_sub_pd(sum, left_sum), right = _mm512_sub_pd(weight, left);
    __m512d value = _mm512_add_pd(_mm512_mul_pd(_mm512_mul_pd(left_sum, left_sum), right),
                                  _mm512_mul_pd(_mm512_mul_pd(right_sum, right_sum), left));
    __m512d weights = _mm512_mul_pd(left, right);
    __mmask8 both = _mm512_cmp_pd_mask(weights, _mm512_setzero_pd(), _CMP_GT_OQ);
    return _mm512_mask_cmp_pd_mask(both, value, _mm512_mul_pd(weights, bound), _CMP_GE_OQ);
}

/* Sums of the lanes before each lane. */
AVX512 static inline __m512i lanes_before(__m512i x)
{
    const __m512i zero = _mm512_setzero_si512();
    __m512i sum = _mm512_alignr_epi64(x, zero, 7);
    sum = _mm512_add_epi64(sum, _mm512_alignr_epi64(sum, zero, 7));
    sum = _mm512_add_epi64(sum, _mm512_alignr_epi64(sum, zero, 6));
    return _mm512_add_epi64(sum, _mm512_alignr_epi64(sum, zero, 4));
}

struct lanes {
    int64_t sum[8];
    uint32_t weight[8];
};

static __attribute__((noinline)) void offer_lanes(const struct lanes *lanes, uint32_t mask, uint32_t step,
                                                  int64_t sum, uint32_t weight, uint32_t feature,
                                                  struct best_cut *best)
{
    for (; mask; mask &= mask - 1) {
        uint32_t lane = (uint32_t)__builtin_ctz(mask);
        double score = squared_score(lanes->sum[lane], lanes->weight[lane], sum - lanes->sum[lane],
                                     weight - lanes->weight[lane]);
        best_cut_offer(best, score, feature, (uint8_t)(lane * 32 + step));
    }
}

AVX512 static void scan(struct squared_cells *cells, int64_t sum, uint32_t weight, uint32_t feature,
                        struct best_cut *best)
{
    __m512i sums = _mm512_setzero_si512();
    __m256i weights = _mm256_setzero_si256();
    for (uint32_t step = 0; step < 32; step++) {
        sums = _mm512_add_epi64(sums, _mm512_load_si512(cells->sum + step * 8));
        weights = _mm256_add_epi32(weights, _mm256_load_si256((const void *)(cells->weight + step * 8)));
    }
    sums = lanes_before(sums);
    weights = _mm512_cvtepi64_epi32(lanes_before(_mm512_cvtepu32_epi64(weights)));
    const __m512d all_sum = _mm512_set1_pd((double)sum), all_weight = _mm512_set1_pd((double)weight);
    __m512d bound = _mm512_set1_pd(best->score * slack);
    for (uint32_t step = 0; step < 32; step++) {
        sums = _mm512_add_epi64(sums, _mm512_load_si512(cells->sum + step * 8));
        weights = _mm256_add_epi32(weights, _mm256_load_si256((const void *)(cells->weight + step * 8)));
        _mm512_store_si512(cells->sum + step * 8, _mm512_setzero_si512());
        _mm256_store_si256((void *)(cells->weight + step * 8), _mm256_setzero_si256());
        uint32_t mask =
            promising(_mm512_cvtepi64_pd(sums), _mm512_cvtepu32_pd(weights), all_sum, all_weight, bound);
        if (!mask) continue;
        struct lanes lanes;
        _mm512_storeu_si512(lanes.sum, sums);
        _mm256_storeu_si256((void *)lanes.weight, weights);
        offer_lanes(&lanes, mask, step, sum, weight, feature, best);
        bound = _mm512_set1_pd(best->score * slack);
    }
}

/* Each row's codes, repeated as often as they fit, at rows + 64 i. */
AVX512 static void spread_rows(const struct squared_few *node, uint32_t per_vector, uint8_t *rows)
{
    for (uint32_t i = 0; i < node->n; i++) {
        __m512i codes = _mm512_loadu_si512(node->codes + (size_t)i * node->n_features);
        for (uint32_t r = 0; r < per_vector; r++)
            _mm512_storeu_si512(rows + (size_t)i * SQUARED_FEW_LANES + r * node->n_features, codes);
    }
}

struct few_lanes {
    int64_t sum[SQUARED_FEW_LANES];
    uint8_t weight[SQUARED_FEW_LANES];
};

/* Of the lanes in `mask`, those whose score is the greatest of them, but for rounding. */
AVX512 static uint64_t greatest(const struct few_lanes *lanes, uint64_t mask, int64_t all_sum,
                                uint32_t all_weight)
{
    const __m512d total = _mm512_set1_pd((double)all_sum), weight = _mm512_set1_pd(all_weight);
    __m512d value[8], most = _mm512_set1_pd(0);
    for (int q = 0; q < 8; q++) {
        __m512d sum = _mm512_cvtepi64_pd(_mm512_loadu_si512(lanes->sum + q * 8));
        __m512d left =
            _mm512_cvtepu64_pd(_mm512_cvtepu8_epi64(_mm_loadl_epi64((const void *)(lanes->weight + q * 8))));
        __m512d rest = _mm512_sub_pd(total, sum);
        value[q] = _mm512_add_pd(_mm512_div_pd(_mm512_mul_pd(sum, sum), left),
                                 _mm512_div_pd(_mm512_mul_pd(rest, rest), _mm512_sub_pd(weight, left)));
        most = _mm512_mask_max_pd(most, (__mmask8)(mask >> (8 * q)), most, value[q]);
    }
    const __m512d bound = _mm512_set1_pd(_mm512_reduce_max_pd(most) * slack);
    uint64_t best = 0;
    for (int q = 0; q < 8; q++)
        best |= (uint64_t)_mm512_mask_cmp_pd_mask((__mmask8)(mask >> (8 * q)), value[q], bound, _CMP_GE_OQ)
                << (8 * q);
    return best;
}

static __attribute__((noinline)) void offer_few(const struct squared_few *node, const struct few_lanes *lanes,
                                                uint64_t mask, uint32_t row, struct best_cut *best)
{
    for (; mask; mask &= mask - 1) {
        uint32_t lane = (uint32_t)__builtin_ctzll(mask), left = lanes->weight[lane];
        double score =
            squared_score(lanes->sum[lane], left, node->sum - lanes->sum[lane], node->weight - left);
        best_cut_offer(best, score, node->first_feature + lane % node->n_features,
                       node->codes[(size_t)row * node->n_features + lane]);
    }
}

AVX512 static void few(const struct squared_few *node, struct best_cut *best)
{
    _Alignas(64) uint8_t rows[(SQUARED_FEW_ROWS + 1) * SQUARED_FEW_LANES];
    const uint32_t per_vector = SQUARED_FEW_LANES / node->n_features, used = per_vector * node->n_features;
    spread_rows(node, per_vector, rows);
    const __m512d all_sum = _mm512_set1_pd((double)node->sum),
                  all_weight = _mm512_set1_pd((double)node->weight);
    for (uint32_t row = 0; row < node->n; row += per_vector) {
        __m512i threshold = _mm512_loadu_si512(node->codes + (size_t)row * node->n_features);
        __m512i weight = _mm512_setzero_si512(), sum[8];
        for (int q = 0; q < 8; q++) sum[q] = _mm512_setzero_si512();
        for (uint32_t i = 0; i < node->n; i++) {
            __mmask64 below =
                _mm512_cmple_epu8_mask(_mm512_load_si512(rows + (size_t)i * SQUARED_FEW_LANES), threshold);
            weight = _mm512_mask_add_epi8(weight, below, weight, _mm512_set1_epi8((char)node->weights[i]));
            const __m512i target = _mm512_set1_epi64(node->targets[i]);
            for (int q = 0; q < 8; q++)
                sum[q] = _mm512_mask_add_epi64(sum[q], (__mmask8)(below >> (8 * q)), sum[q], target);
        }
        struct few_lanes lanes;
        _mm512_storeu_si512(lanes.weight, weight);
        const __m512d bound = _mm512_set1_pd(best->score * slack);
        uint64_t mask = 0;
        for (int q = 0; q < 8; q++) {
            _mm512_storeu_si512(lanes.sum + q * 8, sum[q]);
            __m512d left = _mm512_cvtepu64_pd(
                _mm512_cvtepu8_epi64(_mm_loadl_epi64((const void *)(lanes.weight + q * 8))));
            mask |= (uint64_t)promising(_mm512_cvtepi64_pd(sum[q]), left, all_sum, all_weight, bound)
                    << (8 * q);
        }
        uint32_t left_over = (node->n - row) * node->n_features, valid = left_over < used ? left_over : used;
        mask &= valid == 64 ? ~0ull : (1ull << valid) - 1;
        if (mask & (mask - 1)) mask = greatest(&lanes, mask, node->sum, node->weight);
        if (mask) offer_few(node, &lanes, mask, row, best);
    }
}

const struct squared_kernels squared_kernels_avx512 = {32, scan, few};

#endif
