#if defined(__aarch64__)

#include <arm_neon.h>
#include <stddef.h>

#include "forest/gini_lanes.h"

/* Sums of the lanes up to each lane. */
static inline uint32x4_t lanes_through(uint32x4_t x)
{
    const uint32x4_t zero = vdupq_n_u32(0);
    x = vaddq_u32(x, vextq_u32(zero, x, 3));
    return vaddq_u32(x, vextq_u32(zero, x, 2));
}

/* Makes each lane of a class's first step the sum of all bins up to it. */
static void start_lanes(uint32_t *row)
{
    uint32x4_t before = vdupq_n_u32(0);
    for (int first = 0; first < 16; first += 4) {
        uint32x4_t sum = vld1q_u32(row + first), own = sum;
        for (int step = 1; step < GINI_STEPS; step++)
            sum = vaddq_u32(sum, vld1q_u32(row + step * 16 + first));
        uint32x4_t through = vaddq_u32(before, lanes_through(sum));
        vst1q_u32(row + first, vaddq_u32(own, vsubq_u32(through, sum)));
        before = vdupq_laneq_u32(through, 3);
    }
}

/* Lanes of a scan or of a few rows' candidates that may match the best so far: all their bits. */
static inline uint32x4_t promising(uint32x4_t left, uint32x4_t left_squares, uint32x4_t right,
                                   uint32x4_t right_squares, float bound)
{
    float32x4_t l = vcvtq_f32_u32(left), r = vcvtq_f32_u32(right);
    float32x4_t numerator =
        vaddq_f32(vmulq_f32(vcvtq_f32_u32(left_squares), r), vmulq_f32(vcvtq_f32_u32(right_squares), l));
    return vcgtq_f32(numerator, vmulq_n_f32(vmulq_f32(l, r), bound));
}

/* Bit l of the result: lane l of 16 has all its bits. */
static inline uint32_t mask_of(uint8x16_t lanes)
{
    static const uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t chosen = vandq_u8(lanes, vld1q_u8(bits));
    return vaddv_u8(vget_low_u8(chosen)) | (uint32_t)vaddv_u8(vget_high_u8(chosen)) << 8;
}

static inline uint8x16_t to_bytes(uint32x4_t a, uint32x4_t b, uint32x4_t c, uint32x4_t d)
{
    return vcombine_u8(vmovn_u16(vcombine_u16(vmovn_u32(a), vmovn_u32(b))),
                       vmovn_u16(vcombine_u16(vmovn_u32(c), vmovn_u32(d))));
}

/* Sums over the classes of a node: weight on the left, its squares, and class totals times left weights. */
struct sums {
    uint32x4_t left, squares, cross;
};

static inline void take_quarter(struct sums *s, uint32_t *row, uint32_t total, bool last)
{
    uint32x4_t l = vld1q_u32(row);
    vst1q_u32(row, vdupq_n_u32(0));
    if (!last) vst1q_u32(row + 16, vaddq_u32(l, vld1q_u32(row + 16)));
    s->left = vaddq_u32(s->left, l);
    s->squares = vmlaq_u32(s->squares, l, l);
    s->cross = vmlaq_n_u32(s->cross, l, total);
}

/* Sums one step over the classes, hands the lanes on to the next step, and clears the cells. */
static inline void take_step(struct sums s[4], uint32_t *cells, uint32_t k, const uint32_t *totals, bool last)
{
    const uint32x4_t zero = vdupq_n_u32(0);
    for (int q = 0; q < 4; q++) s[q] = (struct sums){zero, zero, zero};
    for (uint32_t c = 0; c < k; c++)
        for (int q = 0; q < 4; q++)
            take_quarter(&s[q], cells + (size_t)c * MAX_BINS + q * 4, totals[c], last);
}

static void scan(uint32_t *cells, uint32_t k, const uint32_t *totals, uint32_t weight, uint32_t feature,
                 struct best_cut *best)
{
    for (uint32_t c = 0; c < k; c++) start_lanes(cells + (size_t)c * MAX_BINS);
    const uint32x4_t squares = vdupq_n_u32(gini_squares(totals, k));
    for (uint32_t step = 0; step < GINI_STEPS; step++) {
        struct sums s[4];
        take_step(s, cells + step * 16, k, totals, step + 1 == GINI_STEPS);
        const float bound = (float)best->score * GINI_SLACK;
        struct gini_step at;
        uint32x4_t may[4];
        for (int q = 0; q < 4; q++) {
            uint32x4_t right = vsubq_u32(vdupq_n_u32(weight), s[q].left);
            uint32x4_t right_squares = vaddq_u32(vmlsq_n_u32(squares, s[q].cross, 2), s[q].squares);
            may[q] = promising(s[q].left, s[q].squares, right, right_squares, bound);
            vst1q_u32(at.left + q * 4, s[q].left);
            vst1q_u32(at.left_squares + q * 4, s[q].squares);
            vst1q_u32(at.right + q * 4, right);
            vst1q_u32(at.right_squares + q * 4, right_squares);
        }
        uint32_t mask = mask_of(to_bytes(may[0], may[1], may[2], may[3]));
        if (mask) gini_offer_step(&at, mask, step, feature, best);
    }
}

/* The same sums of eight of a few rows' candidates, 16 bits each. */
struct few_sums {
    uint16x8_t left, squares, cross;
};

static inline void add_class(struct few_sums *s, uint8x8_t weights, uint16_t total)
{
    uint16x8_t l = vmovl_u8(weights);
    s->left = vaddq_u16(s->left, l);
    s->squares = vmlaq_u16(s->squares, l, l);
    s->cross = vmlaq_n_u16(s->cross, l, total);
}

/* Class weights left of each of 64 candidates: 16 a part. */
static inline void add_rows(const struct gini_few *node, uint32_t begin, uint32_t end,
                            const uint8x16_t threshold[4], uint8x16_t part[4])
{
    for (int p = 0; p < 4; p++) part[p] = vdupq_n_u8(0);
    for (uint32_t i = begin; i < end; i++) {
        const uint8_t *codes = node->spread + (size_t)i * GINI_FEW_LANES;
        uint8x16_t weight = vld1q_dup_u8(node->weights + i);
        for (int p = 0; p < 4; p++) {
            uint8x16_t left = vcleq_u8(vld1q_u8(codes + p * 16), threshold[p]);
            part[p] = vaddq_u8(part[p], vandq_u8(left, weight));
        }
    }
}

/* Of eight lanes, those that may match the best so far (bytes of all bits); the sums are kept. */
static inline uint8x8_t promising_eight(const struct gini_few *node, const struct few_sums *s,
                                        uint16x8_t squares, float bound, struct gini_few_step *at,
                                        uint32_t first)
{
    uint16x8_t right = vsubq_u16(vdupq_n_u16((uint16_t)node->weight), s->left);
    uint16x8_t right_squares = vaddq_u16(vmlsq_n_u16(squares, s->cross, 2), s->squares);
    vst1q_u16(at->left + first, s->left);
    vst1q_u16(at->left_squares + first, s->squares);
    vst1q_u16(at->right_squares + first, right_squares);
    uint32x4_t low = promising(vmovl_u16(vget_low_u16(s->left)), vmovl_u16(vget_low_u16(s->squares)),
                               vmovl_u16(vget_low_u16(right)), vmovl_u16(vget_low_u16(right_squares)), bound);
    uint32x4_t high =
        promising(vmovl_u16(vget_high_u16(s->left)), vmovl_u16(vget_high_u16(s->squares)),
                  vmovl_u16(vget_high_u16(right)), vmovl_u16(vget_high_u16(right_squares)), bound);
    return vmovn_u16(vcombine_u16(vmovn_u32(low), vmovn_u32(high)));
}

static uint64_t promising_few(const struct gini_few *node, const struct few_sums s[8], uint16x8_t squares,
                              float bound, struct gini_few_step *at)
{
    uint64_t mask = 0;
    for (uint32_t e = 0; e < 8; e += 2) {
        uint8x8_t low = promising_eight(node, &s[e], squares, bound, at, e * 8);
        uint8x8_t high = promising_eight(node, &s[e + 1], squares, bound, at, e * 8 + 8);
        mask |= (uint64_t)mask_of(vcombine_u8(low, high)) << e * 8;
    }
    return mask;
}

static void few(const struct gini_few *node, struct best_cut *best)
{
    gini_few_spread(node, 0);
    const uint16x8_t zero = vdupq_n_u16(0);
    const uint16x8_t squares = vdupq_n_u16((uint16_t)gini_squares(node->totals, node->k));
    uint32_t rows_a_vector = GINI_FEW_LANES / node->lanes_per_row;
    for (uint32_t row = 0; row < node->n; row += rows_a_vector) {
        uint8x16_t threshold[4], part[4];
        for (int p = 0; p < 4; p++)
            threshold[p] = vld1q_u8(node->codes + (size_t)row * node->lanes_per_row + p * 16);
        struct few_sums s[8];
        for (int e = 0; e < 8; e++) s[e] = (struct few_sums){zero, zero, zero};
        for (uint32_t c = 0; c < node->k; c++) {
            add_rows(node, node->class_begin[c], node->class_begin[c + 1], threshold, part);
            for (int e = 0; e < 8; e++) {
                uint8x8_t weights = e % 2 ? vget_high_u8(part[e / 2]) : vget_low_u8(part[e / 2]);
                add_class(&s[e], weights, (uint16_t)node->totals[c]);
            }
        }
        struct gini_few_step at;
        uint64_t mask = promising_few(node, s, squares, (float)best->score * GINI_SLACK, &at);
        if (mask) gini_offer_few(node, &at, mask, row, best);
    }
}

const struct gini_kernels gini_kernels_neon = {CPU_NEON, 64, scan, few};

#endif
