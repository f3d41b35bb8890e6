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

/* Adds the rows up by category; lists the categories met and returns their number. */
static uint32_t fill(const struct node_search *s, uint32_t feature, struct category_cells *cells,
                     uint8_t met[MAX_BINS + 1])
{
    const struct feature_codes codes = node_feature(&s->node, feature);
    const uint32_t *row = s->node.sample->row + s->node.begin, *weights = s->rows.weights;
    const size_t n = s->rows.n;
    uint32_t m = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = codes.at[row[i] * codes.stride];
        met[m] = c;
        m += !cells->weight[c];
        cells->weight[c] += weights[i];
        cells->sum[c] += !s->rows.k ? s->rows.targets[i] : s->rows.classes[i] ? 0 : (int64_t)weights[i];
    }
    return m;
}

/* Lists the categories by key, those that tie in ascending order, and clears their cells. */
static void sort(struct category_cells *cells, const uint8_t *met, uint32_t m, struct present *list)
{
    for (uint32_t i = 0; i < m; i++) {
        uint8_t c = met[i];
        struct present next = {(double)cells->sum[c] / (double)cells->weight[c], cells->sum[c],
                               cells->weight[c], c};
        uint32_t at = i;
        for (; at > 0 &&
               (list[at - 1].key > next.key || (list[at - 1].key == next.key && list[at - 1].category > c));
             at--)
            list[at] = list[at - 1];
        list[at] = next;
        cells->sum[c] = 0;
        cells->weight[c] = 0;
    }
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

void search_category(struct node_search *s, uint32_t drawn, struct best_cut *best)
{
    struct present list[MAX_BINS];
    uint8_t met[MAX_BINS + 1];
    uint32_t m = fill(s, s->permutation[drawn], s->category_cells, met);
    sort(s->category_cells, met, m, list);
    if (s->rows.k)
        cut_classes(s, list, m, drawn, best);
    else
        cut_targets(s, list, m, drawn, best);
    if (best->feature == drawn) keep(s, list, best);
}
