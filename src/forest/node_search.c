#include "forest/node_search_scratch.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum {
    STRIP_ROWS_MAX = 4096,
    FAST_CLASSES = 1024, /* the fast searches take 4 KB a class: up to here, beyond it the general one */
};

/* Whether histograms of class counts do for the forest's features, all but categories and missing values. */
static bool takes_gini_search(const struct grow_rules *rules)
{
    return rules->n_classes && rules->n_classes <= FAST_CLASSES && !rules->split.random && !rules->weights &&
           !rules->balanced && rules->split.criterion == BRAMBLE_CRITERION_GINI &&
           rules->split.min_samples_leaf == 1;
}

/* Whether anything but the general search does for them. */
static bool takes_fast_search(const struct grow_rules *rules)
{
    if (rules->split.random) return true;
    return rules->n_classes ? takes_gini_search(rules) : rules->split.min_samples_leaf == 1;
}

static bool allocate_shared(struct node_search *s, size_t capacity)
{
    size_t n_features = s->job->codes->binned->n_features;
    s->strip_rows = capacity < STRIP_ROWS_MAX ? capacity : STRIP_ROWS_MAX;
    size_t strip = s->strip_rows * SEARCH_STRIP, group = capacity * SEARCH_GROUP;
    s->codes = mem_alloc_aligned(group > strip ? group : strip, 1);
    s->permutation = mem_alloc(n_features, sizeof *s->permutation);
    s->swaps = mem_alloc(n_features, sizeof *s->swaps);
    s->few_features = mem_alloc(n_features, sizeof *s->few_features);
    s->few_drawn = mem_alloc(n_features, sizeof *s->few_drawn);
    s->fast = mem_alloc(n_features, sizeof *s->fast);
    s->general = general_scratch_new(s->job->rules->n_classes);
    s->category_cells = mem_zalloc(1, sizeof *s->category_cells);
    s->few_codes = mem_alloc_aligned((GINI_FEW_ROWS + 1) * GINI_FEW_LANES, 1);
    return s->codes && s->permutation && s->swaps && s->few_features && s->few_drawn && s->fast &&
           s->general && s->category_cells && s->few_codes;
}

static bool allocate_for_targets(struct node_search *s, size_t capacity)
{
    s->squared = squared_kernels_get(s->job->kernels->level);
    s->centred = mem_alloc(capacity, sizeof *s->centred);
    s->squared_cells = mem_alloc_aligned(SEARCH_GROUP, sizeof *s->squared_cells);
    if (!s->centred || !s->squared_cells) return false;
    memset(s->squared_cells, 0, SEARCH_GROUP * sizeof *s->squared_cells);
    return true;
}

static bool allocate_for_classes(struct node_search *s, size_t capacity)
{
    size_t n_classes = s->job->rules->n_classes;
    size_t n_cells = takes_gini_search(s->job->rules) ? n_classes * SEARCH_GROUP * GINI_BINS : 0;
    s->local = mem_alloc(capacity, sizeof *s->local);
    s->class_weight = mem_zalloc(n_classes, sizeof *s->class_weight);
    s->class_map = mem_alloc(n_classes, sizeof *s->class_map);
    s->class_names = mem_alloc(n_classes, sizeof *s->class_names);
    s->totals = mem_alloc(n_classes, sizeof *s->totals);
    s->totals32 = mem_alloc(n_classes, sizeof *s->totals32);
    s->random_left = mem_alloc(n_classes, sizeof *s->random_left);
    s->cells = mem_alloc_aligned(n_cells, sizeof *s->cells);
    s->few_begin = mem_alloc(n_classes + 1, sizeof *s->few_begin);
    s->few_spread = mem_alloc_aligned((GINI_FEW_ROWS + 1) * GINI_FEW_LANES, 1);
    if (!s->local || !s->class_weight || !s->class_map || !s->class_names || !s->totals || !s->totals32 ||
        !s->random_left || !s->cells || !s->few_begin || !s->few_spread)
        return false;
    memset(s->cells, 0, n_cells * sizeof *s->cells);
    return true;
}

static bool allocate(struct node_search *s, size_t capacity)
{
    return allocate_shared(s, capacity) &&
           (s->job->rules->n_classes ? allocate_for_classes(s, capacity) : allocate_for_targets(s, capacity));
}

struct node_search *node_search_new(const struct grow_job *job, size_t capacity)
{
    struct node_search *s = mem_zalloc(1, sizeof *s);
    if (!s) return NULL;
    s->job = job;
    if (!allocate(s, capacity)) {
        node_search_free(s);
        return NULL;
    }
    const struct binned *binned = job->codes->binned;
    bool fast = takes_fast_search(job->rules);
    for (uint32_t f = 0; f < binned->n_features; f++) {
        s->permutation[f] = f;
        s->fast[f] = fast && !binned->bins[f].categorical && !binned->bins[f].has_missing;
    }
    return s;
}

void node_search_free(struct node_search *s)
{
    if (!s) return;
    mem_free(s->local);
    mem_free(s->class_weight);
    mem_free(s->class_map);
    mem_free(s->class_names);
    mem_free(s->totals);
    mem_free(s->totals32);
    mem_free(s->random_left);
    mem_free(s->cells);
    mem_free(s->centred);
    mem_free(s->squared_cells);
    general_scratch_free(s->general);
    mem_free(s->category_cells);
    mem_free(s->codes);
    mem_free(s->permutation);
    mem_free(s->swaps);
    mem_free(s->few_features);
    mem_free(s->few_drawn);
    mem_free(s->fast);
    mem_free(s->few_begin);
    mem_free(s->few_codes);
    mem_free(s->few_spread);
    mem_free(s);
}

/* Classes present, in ascending order, with their weights; class_weight is all 0 again after. */
static void name_classes(struct node_search *s, const uint16_t *classes, const uint32_t *weights, size_t n)
{
    uint32_t n_classes = s->job->rules->n_classes, k = 0;
    if (n >= n_classes) {
        for (size_t i = 0; i < n; i++) s->class_weight[classes[i]] += weights[i];
        for (uint32_t c = 0; c < n_classes; c++)
            if (s->class_weight[c]) s->class_names[k++] = (uint16_t)c;
    } else {
        for (size_t i = 0; i < n; i++) {
            uint16_t c = classes[i];
            if (!s->class_weight[c]) {
                uint32_t at = k++;
                for (; at > 0 && s->class_names[at - 1] > c; at--)
                    s->class_names[at] = s->class_names[at - 1];
                s->class_names[at] = c;
            }
            s->class_weight[c] += weights[i];
        }
    }
    uint64_t weight = 0;
    for (uint32_t c = 0; c < k; c++) {
        uint16_t name = s->class_names[c];
        s->class_map[name] = (uint16_t)c;
        s->totals32[c] = (uint32_t)s->class_weight[name];
        s->totals[c] = s->class_weight[name];
        weight += s->class_weight[name];
        s->class_weight[name] = 0;
    }
    s->rows.k = k;
    s->rows.weight = weight;
    s->rows.totals = s->totals;
    s->pure = k == 1;
}

static void gather_targets(struct node_search *s, const int64_t *targets, const uint32_t *weights, size_t n)
{
    int64_t first = targets[0] / (int64_t)weights[0], sum = 0;
    uint64_t weight = 0;
    bool pure = true;
    for (size_t i = 0; i < n; i++) {
        sum += targets[i];
        weight += weights[i];
        pure &= targets[i] == first * (int64_t)weights[i];
    }
    s->rows.target_sum = sum;
    s->rows.weight = weight;
    s->rows.targets = targets;
    s->pure = pure;
    int64_t mean = sum / (int64_t)weight;
    for (size_t i = 0; i < n; i++) s->centred[i] = targets[i] - mean * (int64_t)weights[i];
    s->centred_sum = sum - mean * (int64_t)weight;
}

const struct node_rows *node_search_gather(struct node_search *s, const struct sample *sample,
                                           const struct node *node)
{
    size_t n = node->end - node->begin;
    s->rows = (struct node_rows){.n = n, .weights = sample->weight + node->begin};
    if (sample->class_id) {
        const uint16_t *classes = sample->class_id + node->begin;
        name_classes(s, classes, s->rows.weights, n);
        if (!s->pure)
            for (size_t i = 0; i < n; i++) s->local[i] = s->class_map[classes[i]];
        s->rows.classes = s->local;
    } else {
        gather_targets(s, sample->target + node->begin, s->rows.weights, n);
    }
    return &s->rows;
}

const struct node_rows *node_search_gathered(const struct node_search *s)
{
    return &s->rows;
}

uint32_t node_search_class(const struct node_search *s, uint32_t c)
{
    return s->class_names[c];
}

const uint8_t *node_search_codes(const struct node_search *s)
{
    return s->codes;
}

bool node_search_pure(const struct node_search *s)
{
    return s->pure;
}

void node_codes(const struct sample *sample, const struct node *node, uint32_t feature, uint8_t *codes)
{
    const uint32_t *row = sample->row + node->begin;
    size_t n = node->end - node->begin;
    if (!node->source.by_row) {
        const uint8_t *column = node->source.columns[feature];
        for (size_t i = 0; i < n; i++) codes[i] = column[row[i]];
        return;
    }
    const uint8_t *at = node->source.by_row + feature;
    size_t width = node->source.n_features;
    for (size_t i = 0; i < n; i++) codes[i] = at[row[i] * width];
}

/* The next feature of a random permutation that is not drawn to its end. */
static uint32_t draw_feature(struct node_search *s, struct rng *rng, uint32_t n_drawn)
{
    uint32_t n_features = s->job->codes->binned->n_features;
    uint32_t other = n_drawn + rng_below(rng, n_features - n_drawn), feature = s->permutation[other];
    s->permutation[other] = s->permutation[n_drawn];
    s->permutation[n_drawn] = feature;
    s->swaps[n_drawn] = other;
    return feature;
}

/* Puts the permutation back, so that the next node's draws do not hang on this one's. */
static void undo_draws(struct node_search *s, uint32_t n_drawn)
{
    while (n_drawn-- > 0) {
        uint32_t other = s->swaps[n_drawn], feature = s->permutation[n_drawn];
        s->permutation[n_drawn] = s->permutation[other];
        s->permutation[other] = feature;
    }
}

static struct split search_general(struct node_search *s, const struct node *node, uint32_t feature)
{
    struct split found;
    split_search_general(&s->job->rules->split, &s->rows, feature, &s->job->codes->binned->bins[feature],
                         s->codes, node->key, s->general, &found);
    return found;
}

/* A feature that the fast searches cannot take; its score is all that counts for now. */
static void offer_slow(struct node_search *s, const struct sample *sample, const struct node *node,
                       uint32_t drawn, struct gini_best *best)
{
    uint32_t feature = s->permutation[drawn];
    node_codes(sample, node, feature, s->codes);
    if (search_category_fits(s, feature)) {
        search_category(s, s->codes, drawn, best);
        return;
    }
    struct split found = search_general(s, node, feature);
    s->varies |= found.varies;
    if (found.found) gini_offer(best, found.score, drawn, 0);
}

/* Searches drawn features first..last - 1. */
static void search_drawn(struct node_search *s, const struct sample *sample, const struct node *node,
                         uint32_t first, uint32_t last, struct gini_best *best)
{
    uint32_t n_fast = 0;
    for (uint32_t f = first; f < last; f++) n_fast += s->fast[s->permutation[f]];
    if (n_fast && search_few_fits(s, node))
        search_few(s, sample, node, first, last, best);
    else if (n_fast)
        search_many(s, sample, node, first, last, best);
    for (uint32_t f = first; n_fast < last - first && f < last; f++)
        if (!s->fast[s->permutation[f]]) offer_slow(s, sample, node, f, best);
}

/* The winner as a split. Of a cut by code, the codes on either side are looked up; others are searched again.
 */
static struct split split_of(struct node_search *s, const struct sample *sample, const struct node *node,
                             const struct gini_best *cut)
{
    uint32_t feature = s->permutation[cut->feature];
    node_codes(sample, node, feature, s->codes);
    if (!s->fast[feature]) return search_general(s, node, feature);
    struct split split = {.found = true, .score = cut->score, .feature = feature, .threshold = NAN};
    uint8_t last = 0, next = UINT8_MAX;
    for (size_t i = 0; i < s->rows.n; i++) {
        uint8_t code = s->codes[i], left = code <= cut->bin ? code : 0,
                right = code > cut->bin ? code : UINT8_MAX;
        last = left > last ? left : last;
        next = right < next ? right : next;
    }
    split.bin = last;
    split.next_bin = next;
    if (s->job->rules->split.random) split.threshold = search_random_threshold(s, node, s->codes, &split);
    return split;
}

struct split node_search_best(struct node_search *s, const struct sample *sample, const struct node *node)
{
    uint32_t n_features = s->job->codes->binned->n_features, n_drawn = 0, searched = 0;
    struct gini_best best = {-INFINITY, UINT32_MAX, 0};
    struct rng rng;
    rng_init(&rng, s->job->rules->split.seed, RNG_FEATURES, node->key, 0);
    uint32_t wanted = s->job->rules->max_features;
    s->varies = false;
    while (!s->varies && best.feature == UINT32_MAX && searched < n_features) {
        for (; n_drawn < wanted; n_drawn++) draw_feature(s, &rng, n_drawn);
        search_drawn(s, sample, node, searched, n_drawn, &best);
        searched = n_drawn;
        wanted = n_drawn + 1;
    }
    struct split split = {0};
    if (best.feature != UINT32_MAX) split = split_of(s, sample, node, &best);
    undo_draws(s, n_drawn);
    return split;
}
