#include "forest/node_search_scratch.h"

#include <math.h>
#include <string.h>

/* Rows sorted by class: where each class begins, and each row's place. */
static void sort_few(struct node_search *s, uint8_t *place)
{
    uint32_t next[GINI_FEW_ROWS + 1];
    memset(s->few_begin, 0, (s->rows.k + 1) * sizeof *s->few_begin);
    for (size_t i = 0; i < s->rows.n; i++) s->few_begin[s->rows.classes[i] + 1]++;
    for (uint32_t c = 0; c < s->rows.k; c++) {
        s->few_begin[c + 1] += s->few_begin[c];
        next[c] = s->few_begin[c];
    }
    for (size_t i = 0; i < s->rows.n; i++) place[i] = (uint8_t)next[s->rows.classes[i]]++;
}

static void search_few_gini(struct node_search *s, const struct sample *sample, const struct node *node,
                            struct gini_best *best)
{
    uint8_t place[GINI_FEW_ROWS], weights[GINI_FEW_ROWS];
    sort_few(s, place);
    const uint32_t *row = sample->row + node->begin;
    size_t n = s->rows.n, width = node->source.n_features;
    for (size_t i = 0; i < n; i++) weights[place[i]] = (uint8_t)s->rows.weights[i];
    for (uint32_t f = 0; f < s->n_few; f += GINI_FEW_LANES) {
        uint32_t n_features = s->n_few - f < GINI_FEW_LANES ? s->n_few - f : GINI_FEW_LANES;
        const uint32_t *features = s->few_features + f;
        for (size_t i = 0; i < n; i++) {
            const uint8_t *codes = node->source.by_row + row[i] * width;
            uint8_t *to = s->few_codes + (size_t)place[i] * n_features;
            for (uint32_t j = 0; j < n_features; j++) to[j] = codes[features[j]];
        }
        memset(s->few_codes + n * n_features, 0, GINI_FEW_LANES);
        s->job->kernels->few(&(struct gini_few){.n = (uint32_t)n,
                                                .k = s->rows.k,
                                                .weight = (uint32_t)s->rows.weight,
                                                .lanes_per_row = n_features,
                                                .n_features = n_features,
                                                .first_feature = f,
                                                .class_begin = s->few_begin,
                                                .totals = s->totals32,
                                                .weights = weights,
                                                .codes = s->few_codes,
                                                .spread = s->few_spread},
                             best);
    }
}

static void search_few_squared(struct node_search *s, const struct sample *sample, const struct node *node,
                               struct gini_best *best)
{
    uint8_t weights[SQUARED_FEW_ROWS];
    const uint32_t *row = sample->row + node->begin;
    size_t n = s->rows.n, width = node->source.n_features;
    for (size_t i = 0; i < n; i++) weights[i] = (uint8_t)s->rows.weights[i];
    for (uint32_t f = 0; f < s->n_few; f += SQUARED_FEW_LANES) {
        uint32_t n_features = s->n_few - f < SQUARED_FEW_LANES ? s->n_few - f : SQUARED_FEW_LANES;
        const uint32_t *features = s->few_features + f;
        for (size_t i = 0; i < n; i++) {
            const uint8_t *codes = node->source.by_row + row[i] * width;
            for (uint32_t j = 0; j < n_features; j++) s->few_codes[i * n_features + j] = codes[features[j]];
        }
        s->squared->few(&(struct squared_few){.n = (uint32_t)n,
                                              .weight = (uint32_t)s->rows.weight,
                                              .n_features = n_features,
                                              .first_feature = f,
                                              .sum = s->centred_sum,
                                              .targets = s->centred,
                                              .weights = weights,
                                              .codes = s->few_codes},
                        best);
    }
}

bool search_few_fits(const struct node_search *s, const struct node *node)
{
    if (s->job->rules->split.random) return false;
    uint32_t most = s->rows.k ? s->job->kernels->few_rows : s->squared->few_rows;
    return node->source.by_row && s->rows.n <= most && s->rows.weight <= GINI_SMALL_WEIGHT;
}

void search_few(struct node_search *s, const struct sample *sample, const struct node *node, uint32_t first,
                uint32_t last, struct gini_best *best)
{
    s->n_few = 0;
    for (uint32_t f = first; f < last; f++) {
        if (!s->fast[s->permutation[f]]) continue;
        s->few_features[s->n_few] = s->permutation[f];
        s->few_drawn[s->n_few++] = f;
    }
    struct gini_best found = {-INFINITY, UINT32_MAX, 0};
    if (s->rows.k)
        search_few_gini(s, sample, node, &found);
    else
        search_few_squared(s, sample, node, &found);
    if (found.feature != UINT32_MAX) gini_offer(best, found.score, s->few_drawn[found.feature], found.bin);
}
