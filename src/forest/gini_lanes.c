#include "forest/gini_lanes.h"

#include <string.h>

#include "forest/split.h"

/* What calls this runs on such processors only, and a shuffle of bytes needs it. */
#if defined(__x86_64__)
#define LANES_TARGET __attribute__((target("avx2")))
#else
#define LANES_TARGET
#endif

void gini_offer_step(const struct gini_step *at, uint32_t mask, uint32_t step, uint32_t feature,
                     struct best_cut *best)
{
    for (; mask; mask &= mask - 1) {
        uint32_t lane = (uint32_t)__builtin_ctz(mask);
        best_cut_offer(
            best,
            gini_score(at->left_squares[lane], at->left[lane], at->right_squares[lane], at->right[lane]),
            feature, (uint8_t)(lane * GINI_STEPS + step));
    }
}

void gini_offer_few(const struct gini_few *node, const struct gini_few_step *at, uint64_t mask, uint32_t row,
                    struct best_cut *best)
{
    for (; mask; mask &= mask - 1) {
        uint32_t lane = (uint32_t)__builtin_ctzll(mask), feature = lane % node->lanes_per_row;
        uint32_t left = at->left[lane], right = node->weight - left;
        uint32_t left_squares = at->left_squares[lane], right_squares = at->right_squares[lane];
        /* a node's first vector promises everything: what its own first lanes outdo needs no division either
         */
        if (!((float)(left_squares * right + right_squares * left) >
              (float)best->score * GINI_SLACK * (float)(left * right)))
            continue;
        double score = gini_score(left_squares, left, right_squares, right);
        best_cut_offer(best, score, node->first_feature + feature,
                       node->codes[(size_t)row * node->lanes_per_row + lane]);
    }
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint8_t bytes64 __attribute__((vector_size(64)));

/* Byte i of the result is byte pattern[i], below 16, of `row`. Clang has no such builtin; only fuzzers use
 * it. */
LANES_TARGET static inline bytes16 shuffle(bytes16 row, bytes16 pattern)
{
#if defined(__clang__)
    bytes16 result;
    for (uint32_t i = 0; i < 16; i++) result[i] = row[pattern[i]];
    return result;
#else
    return __builtin_shuffle(row, pattern);
#endif
}

/* Rows of up to 16 lanes: their bytes are dealt out by one shuffle for each quarter. */
LANES_TARGET static void spread_narrow(const struct gini_few *node, uint8_t flip)
{
    bytes16 pattern[4];
    for (uint32_t lane = 0; lane < GINI_FEW_LANES; lane++)
        pattern[lane / 16][lane % 16] = (uint8_t)(lane % node->lanes_per_row);
    for (size_t i = 0; i < node->n; i++) {
        bytes16 row;
        memcpy(&row, node->codes + i * node->lanes_per_row, sizeof row);
        for (uint32_t quarter = 0; quarter < 4; quarter++) {
            bytes16 lanes = shuffle(row, pattern[quarter]) ^ flip;
            memcpy(node->spread + i * GINI_FEW_LANES + quarter * 16, &lanes, sizeof lanes);
        }
    }
}

/* Wider ones: written again where the last copy ended; what runs over belongs to the next row, and is mended.
 */
LANES_TARGET static void spread_wide(const struct gini_few *node, uint8_t flip)
{
    for (size_t i = 0; i < node->n; i++) {
        bytes64 row;
        memcpy(&row, node->codes + i * node->lanes_per_row, sizeof row);
        row ^= flip;
        for (uint32_t lane = 0; lane < GINI_FEW_LANES; lane += node->lanes_per_row)
            memcpy(node->spread + i * GINI_FEW_LANES + lane, &row, sizeof row);
    }
}

void gini_few_spread(const struct gini_few *node, uint8_t flip)
{
    if (node->lanes_per_row <= 16)
        spread_narrow(node, flip);
    else
        spread_wide(node, flip);
}

uint32_t gini_squares(const uint32_t *totals, uint32_t k)
{
    uint32_t squares = 0;
    for (uint32_t c = 0; c < k; c++) squares += totals[c] * totals[c];
    return squares;
}
