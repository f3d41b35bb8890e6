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

static void offer_lane(const struct gini_few *node, const struct gini_few_step *at, uint32_t lane,
                       uint32_t row, struct best_cut *best)
{
    uint32_t left = at->left[lane], right = node->weight - left;
    double score = gini_score(at->left_squares[lane], left, at->right_squares[lane], right);
    best_cut_offer(best, score, node->first_feature + lane % node->lanes_per_row,
                   node->codes[(size_t)row * node->lanes_per_row + lane]);
}

typedef uint16_t shorts8 __attribute__((vector_size(16)));
typedef int32_t ints8 __attribute__((vector_size(32)));
typedef float floats8 __attribute__((vector_size(32)));

LANES_TARGET static inline ints8 load_shorts(const uint16_t *from)
{
    shorts8 x;
    memcpy(&x, from, sizeof x);
    return __builtin_convertvector(x, ints8);
}

/* gini_score of eight lanes as bits, which for positive numbers are in the order of the numbers; 0 for lanes
 * with one side empty. */
LANES_TARGET static inline ints8 score_bits(const struct gini_few_step *at, uint32_t lane, int32_t weight)
{
    ints8 left = load_shorts(at->left + lane), right = weight - left, product = left * right;
    ints8 numerator =
        load_shorts(at->left_squares + lane) * right + load_shorts(at->right_squares + lane) * left;
    product -= product == 0; /* true is -1 */
    return (ints8)(__builtin_convertvector(numerator, floats8) / __builtin_convertvector(product, floats8));
}

/* Offers the lanes that score most: all of a node's first vector promises, but only they can be the best. */
LANES_TARGET static void offer_greatest(const struct gini_few *node, const struct gini_few_step *at,
                                        uint32_t row, struct best_cut *best)
{
    ints8 bits[GINI_FEW_LANES / 8], most = {1}, which = {0};
    for (uint32_t i = 0; i < GINI_FEW_LANES / 8; i++) {
        bits[i] = score_bits(at, i * 8, (int32_t)node->weight);
        ints8 more = bits[i] > most;
        most = (bits[i] & more) | (most & ~more);
    }
    int32_t top = most[0];
    for (uint32_t j = 1; j < 8; j++) top = most[j] > top ? most[j] : top;
    for (uint32_t i = 0; i < GINI_FEW_LANES / 8; i++) which |= (bits[i] == top) & (1 << i);
    for (uint32_t j = 0; j < 8; j++)
        for (uint32_t found = (uint32_t)which[j]; found; found &= found - 1)
            offer_lane(node, at, (uint32_t)__builtin_ctz(found) * 8 + j, row, best);
}

void gini_offer_few(const struct gini_few *node, const struct gini_few_step *at, uint64_t mask, uint32_t row,
                    struct best_cut *best)
{
    if (best->feature == UINT32_MAX) {
        offer_greatest(node, at, row, best);
        return;
    }
    for (; mask; mask &= mask - 1) offer_lane(node, at, (uint32_t)__builtin_ctzll(mask), row, best);
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
    const uint16_t lanes = (uint16_t)node->lanes_per_row, inverse = (uint16_t)(1024 / lanes + 1);
    uint8_t lane_of[GINI_FEW_LANES]; /* lane % lanes */
    for (uint16_t lane = 0; lane < GINI_FEW_LANES; lane++)
        lane_of[lane] = (uint8_t)(lane - (uint16_t)((uint16_t)(lane * inverse) >> 10) * lanes);
    bytes16 pattern[4];
    memcpy(pattern, lane_of, sizeof pattern);
    for (size_t i = 0; i < node->n; i++) {
        bytes16 row;
        memcpy(&row, node->codes + i * node->lanes_per_row, sizeof row);
        for (uint32_t quarter = 0; quarter < 4; quarter++) {
            bytes16 part = shuffle(row, pattern[quarter]) ^ flip;
            memcpy(node->spread + i * GINI_FEW_LANES + quarter * 16, &part, sizeof part);
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
