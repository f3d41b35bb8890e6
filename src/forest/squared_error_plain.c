#include <string.h>

#include "forest/squared_error.h"

static void offer(struct best_cut *best, int64_t left_sum, uint32_t left, int64_t sum, uint32_t weight,
                  uint32_t feature, uint8_t bin)
{
    uint32_t right = weight - left;
    int64_t right_sum = sum - left_sum;
    if (!squared_promising((double)left_sum, left, (double)right_sum, right, best->score)) return;
    best_cut_offer(best, squared_score(left_sum, left, right_sum, right), feature, bin);
}

void squared_scan_plain(struct squared_cells *cells, int64_t sum, uint32_t weight, uint32_t feature,
                        struct best_cut *best)
{
    int64_t left_sum = 0;
    uint32_t left = 0;
    for (uint32_t bin = 0; bin < MAX_BINS; bin++) {
        uint8_t cell = squared_cell((uint8_t)bin);
        if (!cells->weight[cell]) continue;
        left += cells->weight[cell];
        left_sum += cells->sum[cell];
        if (left == weight) break;
        offer(best, left_sum, left, sum, weight, feature, (uint8_t)bin);
    }
    memset(cells, 0, sizeof *cells);
}

/* Rows in ascending order of one feature's code, as code << 8 | row. */
static void sort_rows(const struct squared_few *node, uint32_t f, uint16_t *sorted)
{
    for (uint32_t i = 0; i < node->n; i++) {
        uint16_t key = (uint16_t)(node->codes[(size_t)i * node->n_features + f] << 8 | i);
        uint32_t at = i;
        for (; at > 0 && sorted[at - 1] > key; at--) sorted[at] = sorted[at - 1];
        sorted[at] = key;
    }
}

void squared_few_plain(const struct squared_few *node, struct best_cut *best)
{
    uint16_t sorted[SQUARED_FEW_ROWS];
    for (uint32_t f = 0; f < node->n_features; f++) {
        sort_rows(node, f, sorted);
        int64_t left_sum = 0;
        uint32_t left = 0;
        for (uint32_t i = 0; i + 1 < node->n; i++) {
            left_sum += node->targets[sorted[i] & 0xff];
            left += node->weights[sorted[i] & 0xff];
            if (sorted[i] >> 8 == sorted[i + 1] >> 8) continue;
            offer(best, left_sum, left, node->sum, node->weight, node->first_feature + f,
                  (uint8_t)(sorted[i] >> 8));
        }
    }
}

static const struct squared_kernels kernels_plain = {16, squared_scan_plain, squared_few_plain};

const struct squared_kernels *squared_kernels_get(enum cpu_level level)
{
#if defined(__x86_64__)
    if (level == CPU_AVX512) return &squared_kernels_avx512;
#endif
    (void)level;
    return &kernels_plain;
}
