#include "forest/node_search_scratch.h"

#include <string.h>

/* Extra-trees on plain features: one threshold a feature, so no histogram: a pass for the range, one to part.
 */

static bool code_range(const uint8_t *codes, size_t n, uint8_t *least, uint8_t *most)
{
    uint8_t low = UINT8_MAX, high = 0;
    for (size_t i = 0; i < n; i++) {
        low = codes[i] < low ? codes[i] : low;
        high = codes[i] > high ? codes[i] : high;
    }
    *least = low;
    *most = high;
    return low < high;
}

/* The greatest bin of least..most - 1 that ends at or below the threshold, else `least`. */
static uint8_t bin_below(const struct feature_bins *bins, uint8_t least, uint8_t most, double threshold)
{
    uint32_t low = least, high = most;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if ((double)bins->high[middle] <= threshold)
            low = middle;
        else
            high = middle;
    }
    return (uint8_t)low;
}

/* Rows at or below the cut and their weight; what they are of goes to random_left (classes) or *sum. */
static size_t part(struct node_search *s, const uint8_t *codes, uint8_t cut, uint64_t *weight, int64_t *sum)
{
    const uint32_t *weights = s->rows.weights;
    size_t n_left = 0;
    uint64_t left = 0;
    int64_t targets = 0;
    if (s->rows.k) memset(s->random_left, 0, s->rows.k * sizeof *s->random_left);
    for (size_t i = 0; i < s->rows.n; i++) {
        uint32_t is_left = codes[i] <= cut, taken = weights[i] & -is_left;
        n_left += is_left;
        left += taken;
        if (s->rows.k)
            s->random_left[s->rows.classes[i]] += taken;
        else
            targets += s->centred[i] & -(int64_t)is_left;
    }
    *weight = left;
    *sum = targets;
    return n_left;
}

static double score_classes(const struct node_search *s, uint64_t left)
{
    const struct split_rules *rules = &s->job->rules->split;
    uint64_t right = s->rows.weight - left, left_squares = 0, right_squares = 0;
    if (rules->criterion == BRAMBLE_CRITERION_ENTROPY) {
        int64_t sum = -entropy_lookup(rules, left) - entropy_lookup(rules, right);
        for (uint32_t c = 0; c < s->rows.k; c++)
            sum += entropy_lookup(rules, s->random_left[c]) +
                   entropy_lookup(rules, s->rows.totals[c] - s->random_left[c]);
        return (double)sum;
    }
    for (uint32_t c = 0; c < s->rows.k; c++) {
        uint64_t l = s->random_left[c], r = s->rows.totals[c] - l;
        left_squares += l * l;
        right_squares += r * r;
    }
    return gini_score(left_squares, left, right_squares, right);
}

void search_random(struct node_search *s, const uint8_t *codes, uint32_t drawn, struct best_cut *best)
{
    const struct split_rules *rules = &s->job->rules->split;
    uint32_t feature = s->permutation[drawn];
    const struct feature_bins *bins = &s->job->codes->binned->bins[feature];
    uint8_t least, most;
    if (!code_range(codes, s->rows.n, &least, &most)) return;
    s->varies = true;
    double threshold = split_draw_threshold(rules, s->key, feature, bins->low[least], bins->high[most]);
    uint8_t cut = bin_below(bins, least, most, threshold);
    uint64_t left;
    int64_t sum;
    size_t n_left = part(s, codes, cut, &left, &sum);
    if (n_left < rules->min_samples_leaf || s->rows.n - n_left < rules->min_samples_leaf) return;
    double score = s->rows.k ? score_classes(s, left)
                             : squared_score(sum, left, s->centred_sum - sum, s->rows.weight - left);
    best_cut_offer(best, score, drawn, cut);
    if (best->feature == drawn) s->random_threshold = threshold;
}
