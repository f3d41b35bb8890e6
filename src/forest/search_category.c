#include "forest/node_search_scratch.h"

#include <math.h>

/*
 * Categories of regressions, and of nodes with two classes: what category_order and the general search do,
 * in cells of a sum and a weight.
 */

/* A present category and what its cells add up to. */
struct present {
    double key; /* sum by weight: categories are cut in this order */
    int64_t sum;
    uint32_t weight;
    uint8_t category;
};

bool search_category_fits(const struct node_search *s, uint32_t feature)
{
    const struct split_rules *rules = &s->job->rules->split;
    const struct feature_bins *bins = &s->job->codes->binned->bins[feature];
    if (!bins->categorical || bins->has_missing || rules->random || rules->min_samples_leaf > 1) return false;
    return s->rows.k == 0 || (s->rows.k == 2 && rules->criterion == BRAMBLE_CRITERION_GINI);
}

/* Adds the rows up by category; bits of `categories` say which there are. */
static void fill(const struct node_search *s, const uint8_t *codes, struct category_cells *cells,
                 uint64_t categories[4])
{
    for (size_t i = 0; i < s->rows.n; i++) {
        uint8_t c = codes[i];
        uint32_t weight = s->rows.weights[i];
        cells->weight[c] += weight;
        cells->sum[c] += s->rows.k ? (s->rows.classes[i] ? 0 : weight) : s->rows.targets[i];
        categories[c >> 6] |= UINT64_C(1) << (c & 63);
    }
}

/* Lists the categories by key, clearing their cells. */
static uint32_t sort(struct category_cells *cells, const uint64_t categories[4], struct present *list)
{
    uint32_t m = 0;
    for (uint32_t word = 0; word < 4; word++)
        for (uint64_t bits = categories[word]; bits; bits &= bits - 1) {
            uint32_t c = word * 64 + (uint32_t)__builtin_ctzll(bits), at = m++;
            struct present next = {(double)cells->sum[c] / (double)cells->weight[c], cells->sum[c],
                                   cells->weight[c], (uint8_t)c};
            for (; at > 0 && list[at - 1].key > next.key; at--) list[at] = list[at - 1];
            list[at] = next;
            cells->sum[c] = 0;
            cells->weight[c] = 0;
        }
    return m;
}

static void cut_targets(const struct node_search *s, const struct present *list, uint32_t m, uint32_t drawn,
                        struct best_cut *best)
{
    int64_t mean = s->rows.target_sum / (int64_t)s->rows.weight, left_sum = 0;
    uint64_t left = 0;
    for (uint32_t i = 0; i + 1 < m; i++) {
        left += list[i].weight;
        left_sum += list[i].sum - mean * (int64_t)list[i].weight;
        uint64_t right = s->rows.weight - left;
        int64_t right_sum = s->centred_sum - left_sum;
        if (squared_promising((double)left_sum, (double)left, (double)right_sum, (double)right, best->score))
            best_cut_offer(best, squared_score(left_sum, left, right_sum, right), drawn, (uint8_t)i);
    }
}

static void cut_classes(const struct node_search *s, const struct present *list, uint32_t m, uint32_t drawn,
                        struct best_cut *best)
{
    uint64_t left = 0, left_first = 0;
    for (uint32_t i = 0; i + 1 < m; i++) {
        left += list[i].weight;
        left_first += (uint64_t)list[i].sum;
        uint64_t right = s->rows.weight - left, right_first = s->rows.totals[0] - left_first;
        uint64_t left_other = left - left_first, right_other = right - right_first;
        best_cut_offer(best,
                       gini_score(left_first * left_first + left_other * left_other, left,
                                  right_first * right_first + right_other * right_other, right),
                       drawn, (uint8_t)i);
    }
}

/* The best cut as a split. */
static void keep(struct node_search *s, const struct present *list, const struct best_cut *best)
{
    s->slow_split = (struct split){
        .found = true, .score = best->score, .feature = s->permutation[best->feature], .threshold = NAN};
    for (uint32_t i = 0; i <= best->bin; i++)
        s->slow_split.set[list[i].category >> 5] |= 1u << (list[i].category & 31);
}

void search_category(struct node_search *s, const uint8_t *codes, uint32_t drawn, struct best_cut *best)
{
    struct present list[256];
    uint64_t categories[4] = {0};
    fill(s, codes, s->category_cells, categories);
    uint32_t m = sort(s->category_cells, categories, list);
    if (s->rows.k)
        cut_classes(s, list, m, drawn, best);
    else
        cut_targets(s, list, m, drawn, best);
    if (best->feature == drawn) keep(s, list, best);
}
