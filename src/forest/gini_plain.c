#include <string.h>

#include "forest/gini.h"
#include "forest/split.h"

/* Turns a class's cells into prefix sums over bins, in place. */
static void accumulate(uint32_t *row)
{
    uint32_t sum = 0;
    for (uint32_t bin = 0; bin < MAX_BINS; bin++) sum = row[gini_cell((uint8_t)bin)] += sum;
}

void gini_scan_plain(uint32_t *cells, uint32_t k, const uint32_t *totals, uint32_t weight, uint32_t feature,
                     struct best_cut *best)
{
    for (uint32_t c = 0; c < k; c++) accumulate(cells + (size_t)c * MAX_BINS);
    uint32_t before = 0;
    for (uint32_t bin = 0; bin < MAX_BINS; bin++) {
        uint64_t left = 0, left_squares = 0, right_squares = 0;
        const uint32_t *cell = cells + gini_cell((uint8_t)bin);
        for (uint32_t c = 0; c < k; c++) {
            uint64_t l = cell[(size_t)c * MAX_BINS], r = totals[c] - l;
            left += l;
            left_squares += l * l;
            right_squares += r * r;
        }
        if (left == weight) break;
        if (left == before) continue;
        before = (uint32_t)left;
        best_cut_offer(best, gini_score(left_squares, left, right_squares, weight - left), feature,
                       (uint8_t)bin);
    }
    memset(cells, 0, (size_t)k * MAX_BINS * sizeof *cells);
}

/* Class weights at or below one threshold of one feature, scored. */
static void offer_cut(const struct gini_few *node, uint32_t lane, uint8_t bin, struct best_cut *best)
{
    uint64_t left = 0, left_squares = 0, right_squares = 0;
    for (uint32_t c = 0; c < node->k; c++) {
        uint64_t l = 0;
        for (uint32_t i = node->class_begin[c]; i < node->class_begin[c + 1]; i++)
            if (node->codes[(size_t)i * node->lanes_per_row + lane] <= bin) l += node->weights[i];
        uint64_t r = node->totals[c] - l;
        left += l;
        left_squares += l * l;
        right_squares += r * r;
    }
    if (left == node->weight) return;
    best_cut_offer(best, gini_score(left_squares, left, right_squares, node->weight - left),
                   node->first_feature + lane, bin);
}

void gini_few_plain(const struct gini_few *node, struct best_cut *best)
{
    for (uint32_t lane = 0; lane < node->n_features; lane++)
        for (uint32_t i = 0; i < node->n; i++)
            offer_cut(node, lane, node->codes[(size_t)i * node->lanes_per_row + lane], best);
}

static const struct gini_kernels kernels_plain = {CPU_PLAIN, 0, gini_scan_plain, gini_few_plain};

const struct gini_kernels *gini_kernels_get(enum cpu_level level)
{
    switch (level) {
#if defined(__x86_64__)
    case CPU_AVX512: return &gini_kernels_avx512;
    case CPU_AVX2: return &gini_kernels_avx2;
#elif defined(__aarch64__)
    case CPU_NEON: return &gini_kernels_neon;
#endif
    default: return &kernels_plain;
    }
}
