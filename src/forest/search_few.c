#include "forest/node_search_scratch.h"

#include <math.h>
#include <string.h>

/* Rows in the order of their classes: each row's place, and the weights by place. */
static void sort_few(const struct node_search *s, uint8_t *place, uint8_t *weights)
{
    const uint16_t *classes = s->node.sample->class_id + s->node.begin;
    uint32_t next[GINI_FEW_ROWS];
    memcpy(next, s->class_begin, s->rows.k * sizeof *next);
    for (size_t i = 0; i < s->rows.n; i++) {
        place[i] = (uint8_t)next[s->class_map[classes[i]]]++;
        weights[place[i]] = (uint8_t)s->rows.weights[i];
    }
}

static void search_few_gini(struct node_search *s, struct best_cut *best)
{
    uint8_t place[GINI_FEW_ROWS], weights[GINI_FEW_ROWS];
    sort_few(s, place, weights);
    const uint32_t *row = s->node.sample->row + s->node.begin;
    size_t n = s->rows.n, width = s->node.source.n_features;
    for (uint32_t f = 0; f < s->n_asked; f += GINI_FEW_LANES) {
        uint32_t n_features = s->n_asked - f < GINI_FEW_LANES ? s->n_asked - f : GINI_FEW_LANES;
        const uint32_t *features = s->asked + f;
        for (size_t i = 0; i < n; i++) {
            const uint8_t *codes = s->node.source.by_row + row[i] * width;
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
                                                .class_begin = s->class_begin,
                                                .totals = s->totals,
                                                .weights = weights,
                                                .codes = s->few_codes,
                                                .spread = s->few_spread},
                             best);
    }
}

static void search_few_squared(struct node_search *s, struct best_cut *best)
{
    uint8_t weights[SQUARED_FEW_ROWS];
    const uint32_t *row = s->node.sample->row + s->node.begin;
    size_t n = s->rows.n, width = s->node.source.n_features;
    for (size_t i = 0; i < n; i++) weights[i] = (uint8_t)s->rows.weights[i];
    for (uint32_t f = 0; f < s->n_asked; f += SQUARED_FEW_LANES) {
        uint32_t n_features = s->n_asked - f < SQUARED_FEW_LANES ? s->n_asked - f : SQUARED_FEW_LANES;
        const uint32_t *features = s->asked + f;
        for (size_t i = 0; i < n; i++) {
            const uint8_t *codes = s->node.source.by_row + row[i] * width;
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

bool search_few_fits(const struct node_search *s)
{
    if (s->job->rules->split.random) return false;
    uint32_t most = s->rows.k ? s->job->kernels->few_rows : s->squared->few_rows;
    return s->node.source.by_row && s->rows.n <= most && s->rows.weight <= SMALL_WEIGHT;
}

void search_few(struct node_search *s, struct best_cut *best)
{
    struct best_cut found = {-INFINITY, UINT32_MAX, 0};
    if (s->rows.k)
        search_few_gini(s, &found);
    else
        search_few_squared(s, &found);
    if (found.feature != UINT32_MAX)
        best_cut_offer(best, found.score, s->asked_drawn[found.feature], found.bin);
}
