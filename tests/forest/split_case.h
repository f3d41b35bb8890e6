/* One random node and one feature of it, for tests of split searches; and what a split of it is worth, worked
 * out row by row in long double. */
#ifndef TESTS_FOREST_SPLIT_CASE_H
#define TESTS_FOREST_SPLIT_CASE_H

#include "array_tables.h"

#include "forest/split_general.h"

enum { CASE_ROWS = 400, CASE_CLASSES = 12 };

struct split_case {
    struct split_rules rules;
    struct node_rows rows; /* points into what follows */
    struct feature_bins bins;
    uint32_t weights[CASE_ROWS];
    uint16_t classes[CASE_ROWS];
    uint32_t totals[CASE_CLASSES];
    int64_t targets[CASE_ROWS];
    float low[256], high[256];
    uint8_t codes[CASE_ROWS];
};

/* k classes, or numbers as targets when k is 0. Weights are 1..most_weight. */
static inline void split_case_draw_rows(struct split_case *c, uint32_t n, uint32_t k, uint32_t most_weight,
                                        struct rng *rng)
{
    c->rows = (struct node_rows){.n = n,
                                 .weights = c->weights,
                                 .k = k,
                                 .classes = c->classes,
                                 .totals = c->totals,
                                 .targets = c->targets};
    memset(c->totals, 0, sizeof c->totals);
    int64_t range = INT64_C(1) << (1 + rng_below(rng, 28));
    for (uint32_t i = 0; i < n; i++) {
        c->weights[i] = 1 + rng_below(rng, most_weight);
        c->rows.weight += c->weights[i];
        if (k) {
            c->classes[i] = (uint16_t)(i < k ? i : rng_below(rng, k));
            c->totals[c->classes[i]] += c->weights[i];
        } else {
            int64_t target = (int64_t)(rng_double(rng) * (double)range) - range / 3;
            c->targets[i] = c->weights[i] * target;
            c->rows.target_sum += c->targets[i];
        }
    }
    c->rules = (struct split_rules){.min_samples_leaf = 1, .seed = 5};
    c->rules.criterion = k ? BRAMBLE_CRITERION_GINI : BRAMBLE_CRITERION_SQUARED_ERROR;
}

/* Codes of a feature with n_bins bins; missing: about a sixth of the rows have code n_bins. Bin b holds
 * values from 3 b to 3 b + 1. */
static inline void split_case_draw_feature(struct split_case *c, uint32_t n_bins, bool missing,
                                           bool categorical, struct rng *rng)
{
    c->bins = (struct feature_bins){.n_bins = (uint16_t)n_bins,
                                    .has_missing = missing,
                                    .categorical = categorical,
                                    .low = c->low,
                                    .high = c->high};
    for (uint32_t b = 0; b < n_bins; b++) {
        c->low[b] = 3 * (float)b;
        c->high[b] = 3 * (float)b + 1;
    }
    uint32_t informed = rng_below(rng, 4);
    for (uint32_t i = 0; i < c->rows.n; i++) {
        uint32_t code = rng_below(rng, n_bins);
        if (rng_below(rng, 4) < informed) code = (code / 4 + c->classes[i] * 7) % n_bins;
        c->codes[i] = (uint8_t)(missing && rng_below(rng, 6) == 0 ? n_bins : code);
    }
}

/* What one child adds to the score, in the units of split.h but for entropy, which is in bits. */
static inline long double split_case_child(const struct split_case *c, const bool left[256], bool side)
{
    long double by_class[CASE_CLASSES] = {0}, weight = 0, sum = 0, score = 0;
    long double mean = (long double)c->rows.target_sum / (long double)c->rows.weight;
    for (uint32_t i = 0; i < c->rows.n; i++) {
        if (left[c->codes[i]] != side) continue;
        weight += c->weights[i];
        if (c->rows.k)
            by_class[c->classes[i]] += c->weights[i];
        else
            sum += (long double)c->targets[i] - mean * c->weights[i];
    }
    if (!c->rows.k) return sum * sum / weight;
    bool entropy = c->rules.criterion == BRAMBLE_CRITERION_ENTROPY;
    for (uint32_t k = 0; k < c->rows.k; k++)
        score += !by_class[k] ? 0
                 : entropy    ? by_class[k] * log2l(by_class[k] / weight)
                              : by_class[k] * by_class[k];
    return entropy ? score : score / weight;
}

static inline uint64_t split_case_count(const struct split_case *c, const bool left[256], bool side)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < c->rows.n; i++) n += left[c->codes[i]] == side;
    return n;
}

/* What parting the rows takes off the node's impurity; -1 when a child gets too few rows. */
static inline long double split_case_gain(const struct split_case *c, const bool left[256])
{
    if (split_case_count(c, left, true) < c->rules.min_samples_leaf) return -1;
    if (split_case_count(c, left, false) < c->rules.min_samples_leaf) return -1;
    bool all[256];
    memset(all, 1, sizeof all);
    return split_case_child(c, left, true) + split_case_child(c, left, false) -
           split_case_child(c, all, true);
}

/* Which codes a split sends left. */
static inline void split_case_left(const struct split_case *c, const struct split *split, bool left[256])
{
    memset(left, 0, 256);
    for (uint32_t b = 0; b < c->bins.n_bins; b++)
        left[b] = c->bins.categorical ? split->set[b >> 5] >> (b & 31) & 1 : b <= split->bin;
    if (c->bins.has_missing) left[c->bins.n_bins] = split->missing_left;
}

/* The gain that a search's score means, in the same units, and by how much rounding may falsify it. */
static inline long double split_case_claimed(const struct split_case *c, const struct split *split)
{
    long double gain = (long double)split->score - node_score(&c->rows, c->rules.criterion);
    return c->rules.criterion == BRAMBLE_CRITERION_ENTROPY ? gain * 0x1p-20L : gain;
}

static inline long double split_case_slack(const struct split_case *c, const struct split *split)
{
    if (c->rules.criterion == BRAMBLE_CRITERION_ENTROPY)
        return 0x1p-20L * (2 * c->rows.k + 4) + 1e-11L * (long double)c->rows.weight;
    if (c->rows.k && c->rows.weight <= SMALL_WEIGHT) return 0x1p-22L * (long double)split->score;
    return 1e-12L * (long double)split->score;
}

#endif
