#include "forest/gini_lanes.h"

#include <string.h>

#include "forest/split.h"

void gini_offer_step(const struct gini_step *at, uint32_t mask, uint32_t step, uint32_t feature,
                     struct gini_best *best)
{
    for (; mask; mask &= mask - 1) {
        uint32_t lane = (uint32_t)__builtin_ctz(mask);
        gini_offer(
            best,
            gini_score(at->left_squares[lane], at->left[lane], at->right_squares[lane], at->right[lane]),
            feature, (uint8_t)(lane * GINI_STEPS + step));
    }
}

void gini_offer_few(const struct gini_few *node, const struct gini_few_step *at, uint64_t mask, uint32_t row,
                    struct gini_best *best)
{
    for (; mask; mask &= mask - 1) {
        uint32_t lane = (uint32_t)__builtin_ctzll(mask), feature = lane & (node->lanes_per_row - 1);
        uint32_t left = at->left[lane];
        double score = gini_score(at->left_squares[lane], left, at->right_squares[lane], node->weight - left);
        gini_offer(best, score, node->first_feature + feature,
                   node->codes[(size_t)row * node->lanes_per_row + lane]);
    }
}

void gini_few_spread(const struct gini_few *node, uint8_t flip)
{
    const uint64_t flips = flip * UINT64_C(0x0101010101010101);
    for (size_t i = 0; i < node->n; i++)
        for (uint32_t lane = 0; lane < GINI_FEW_LANES; lane += 8) {
            uint64_t eight;
            memcpy(&eight, node->codes + i * node->lanes_per_row + (lane & (node->lanes_per_row - 1)), 8);
            eight ^= flips;
            memcpy(node->spread + i * GINI_FEW_LANES + lane, &eight, 8);
        }
}

uint32_t gini_squares(const uint32_t *totals, uint32_t k)
{
    uint32_t squares = 0;
    for (uint32_t c = 0; c < k; c++) squares += totals[c] * totals[c];
    return squares;
}
