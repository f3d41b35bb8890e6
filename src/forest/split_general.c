#include "forest/split_general.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "forest/category_order.h"
#include "forest/split_general_scratch.h"

/* One child while bins move from right to left: what the criteria need to know of it. */
struct side {
    uint64_t weight, rows;
    uint64_t squares; /* gini: sum of squared class weights */
    int64_t entropy;  /* entropy: sum of entropy_term over classes */
    int64_t sum;      /* squared error: targets less the node's mean */
    int64_t *classes; /* k class weights */
};

/* A search of one feature in one node. */
struct search {
    const struct split_rules *rules;
    const struct node_rows *rows;
    const struct feature_bins *bins;
    struct general_scratch *scratch;
    uint32_t feature;
    int64_t mean; /* of the node's targets, rounded */
    struct side left, right;
    struct split *best;
    bool missing_left;
};

static void fill(struct search *s, const uint8_t *codes)
{
    struct general_scratch *scratch = s->scratch;
    const struct node_rows *rows = s->rows;
    uint32_t width = scratch->width;
    for (size_t i = 0; i < rows->n; i++) {
        int64_t *cell = scratch->cells + (size_t)codes[i] * width;
        scratch->seen[codes[i]] = 1;
        cell[0] += 1;
        cell[1] += rows->weights[i];
        if (rows->k)
            cell[CELL_CLASSES + rows->classes[i]] += rows->weights[i];
        else
            cell[CELL_SUM] += rows->targets[i];
    }
}

/* Moves a bin's rows into (sign 1) or out of (sign -1) a side. */
static inline __attribute__((always_inline)) void
shift(struct search *s, struct side *side, const int64_t *cell, int sign, bramble_criterion criterion)
{
    side->rows += (uint64_t)(sign * cell[0]);
    side->weight += (uint64_t)(sign * cell[1]);
    if (criterion == BRAMBLE_CRITERION_SQUARED_ERROR) {
        side->sum += sign * (cell[CELL_SUM] - s->mean * cell[1]);
        return;
    }
    for (uint32_t c = 0; c < s->rows->k; c++) {
        int64_t change = cell[CELL_CLASSES + c];
        if (!change) continue;
        int64_t before = side->classes[c], after = before + sign * change;
        side->classes[c] = after;
        if (criterion == BRAMBLE_CRITERION_ENTROPY)
            side->entropy +=
                entropy_lookup(s->rules, (uint64_t)after) - entropy_lookup(s->rules, (uint64_t)before);
        else
            side->squares += (uint64_t)(after * after) - (uint64_t)(before * before);
    }
}

static inline __attribute__((always_inline)) double score(const struct search *s, bramble_criterion criterion)
{
    const struct side *l = &s->left, *r = &s->right;
    if (criterion == BRAMBLE_CRITERION_SQUARED_ERROR)
        return (double)l->sum * (double)l->sum / (double)l->weight +
               (double)r->sum * (double)r->sum / (double)r->weight;
    if (criterion == BRAMBLE_CRITERION_ENTROPY)
        return (double)(l->entropy - entropy_lookup(s->rules, l->weight) + r->entropy -
                        entropy_lookup(s->rules, r->weight));
    return gini_score(l->squares, l->weight, r->squares, r->weight);
}

/* Everything on the right, but for missing values when they are tried on the left. */
static inline __attribute__((always_inline)) void
begin_sides(struct search *s, const uint8_t *order, uint32_t m, bool missing, bramble_criterion criterion)
{
    struct general_scratch *scratch = s->scratch;
    uint32_t width = scratch->width, k = s->rows->k;
    memset(scratch->side_classes, 0, 2 * (size_t)k * sizeof *scratch->side_classes);
    s->left = (struct side){.classes = scratch->side_classes};
    s->right = (struct side){.classes = scratch->side_classes + k};
    for (uint32_t i = 0; i < m; i++)
        shift(s, &s->right, scratch->cells + (size_t)order[i] * width, 1, criterion);
    if (!missing) return;
    const int64_t *cell = scratch->cells + (size_t)s->bins->n_bins * width;
    shift(s, s->missing_left ? &s->left : &s->right, cell, 1, criterion);
}

static void take(struct search *s, double value, const uint8_t *order, uint32_t cut, uint32_t m)
{
    struct split *best = s->best;
    if (best->found && value <= best->score) return;
    *best = (struct split){.found = true,
                           .score = value,
                           .feature = s->feature,
                           .missing_left = s->missing_left,
                           .threshold = NAN};
    if (!s->bins->categorical) {
        best->bin = order[cut];
        best->next_bin = cut + 1 < m ? order[cut + 1] : order[cut];
        return;
    }
    for (uint32_t i = 0; i <= cut; i++) best->set[order[i] >> 5] |= 1u << (order[i] & 31);
}

/* Tries the cuts first..last of the m present bins in `order`: bins order[0..cut] go left. */
static inline __attribute__((always_inline)) void scan_cuts(struct search *s, const uint8_t *order,
                                                            uint32_t m, bool missing, uint32_t first,
                                                            uint32_t last, bramble_criterion criterion)
{
    begin_sides(s, order, m, missing, criterion);
    for (uint32_t cut = 0; cut <= last && cut < m; cut++) {
        const int64_t *cell = s->scratch->cells + (size_t)order[cut] * s->scratch->width;
        shift(s, &s->left, cell, 1, criterion);
        shift(s, &s->right, cell, -1, criterion);
        if (cut < first || !s->right.rows) continue;
        if (s->left.rows < s->rules->min_samples_leaf || s->right.rows < s->rules->min_samples_leaf) continue;
        take(s, score(s, criterion), order, cut, m);
    }
}

static void scan(struct search *s, const uint8_t *order, uint32_t m, bool missing, uint32_t first,
                 uint32_t last)
{
    switch (s->rules->criterion) {
    case BRAMBLE_CRITERION_ENTROPY:
        scan_cuts(s, order, m, missing, first, last, BRAMBLE_CRITERION_ENTROPY);
        break;
    case BRAMBLE_CRITERION_SQUARED_ERROR:
        scan_cuts(s, order, m, missing, first, last, BRAMBLE_CRITERION_SQUARED_ERROR);
        break;
    default: scan_cuts(s, order, m, missing, first, last, BRAMBLE_CRITERION_GINI); break;
    }
}

/* Extra-trees: the cut a threshold drawn between the least and the greatest value makes. */
static uint32_t random_cut(const struct search *s, const uint8_t *order, uint32_t m, uint64_t node_key,
                           float *threshold)
{
    const struct feature_bins *bins = s->bins;
    double drawn =
        split_draw_threshold(s->rules, node_key, s->feature, bins->low[order[0]], bins->high[order[m - 1]]);
    uint32_t cut = 0;
    while (cut + 2 < m && (double)bins->high[order[cut + 1]] <= drawn) cut++;
    *threshold = split_clamp_threshold(drawn, bins->high[order[cut]], bins->low[order[cut + 1]]);
    return cut;
}

/* Extra-trees: each category goes to a random side; a draw that leaves a side empty cuts off the first. */
static uint32_t random_order(const struct search *s, uint8_t *order, uint32_t m, uint64_t node_key)
{
    struct rng rng;
    rng_init(&rng, s->rules->seed, RNG_THRESHOLD, node_key, s->feature);
    uint8_t right[256];
    uint32_t n_left = 0, n_right = 0;
    for (uint32_t i = 0; i < m; i++) {
        if (rng_u32(&rng) & 1)
            order[n_left++] = order[i];
        else
            right[n_right++] = order[i];
    }
    memcpy(order + n_left, right, n_right);
    return n_left == 0 || n_right == 0 ? 0 : n_left - 1;
}

static void search_random(struct search *s, uint8_t *order, uint32_t m, bool missing, uint64_t node_key)
{
    float threshold = NAN;
    uint32_t cut = m - 1; /* one present bin: only "present or missing" can be asked */
    if (m > 1 && s->bins->categorical)
        cut = random_order(s, order, m, node_key);
    else if (m > 1)
        cut = random_cut(s, order, m, node_key, &threshold);
    for (int side = 0; side <= (missing ? 1 : 0); side++) {
        s->missing_left = side;
        scan(s, order, m, missing, cut, cut);
    }
    if (s->best->found) s->best->threshold = threshold;
}

static void search_best(struct search *s, uint8_t *order, uint32_t m, bool missing)
{
    if (s->bins->categorical) category_order(s->rows, s->scratch, order, m);
    for (int side = 0; side <= (missing ? 1 : 0); side++) {
        s->missing_left = side;
        scan(s, order, m, missing, 0, m - 1);
    }
}

/* Present bins in ascending order; their flags are cleared. */
static uint32_t list_seen(struct general_scratch *scratch, uint32_t n_bins, uint8_t *order)
{
    uint32_t m = 0;
    for (uint32_t b = 0; b < 256; b += 8) {
        uint64_t eight;
        memcpy(&eight, scratch->seen + b, sizeof eight);
        if (!eight) continue;
        for (uint32_t i = b; i < b + 8; i++)
            if (scratch->seen[i] && i < n_bins) order[m++] = (uint8_t)i;
    }
    return m;
}

static void clear_cells(struct general_scratch *scratch, const uint8_t *order, uint32_t m)
{
    for (uint32_t i = 0; i < m; i++)
        memset(scratch->cells + (size_t)order[i] * scratch->width, 0,
               scratch->width * sizeof *scratch->cells);
    memset(scratch->seen, 0, sizeof scratch->seen);
}

void split_search_general(const struct split_rules *rules, const struct node_rows *rows, uint32_t feature,
                          const struct feature_bins *bins, const uint8_t *codes, uint64_t node_key,
                          struct general_scratch *scratch, struct split *best)
{
    *best = (struct split){0};
    struct search s = {
        .rules = rules, .rows = rows, .bins = bins, .scratch = scratch, .feature = feature, .best = best};
    scratch->width = rows->k ? CELL_CLASSES + rows->k : CELL_SUM + 1;
    if (!rows->k) s.mean = rows->target_sum / (int64_t)rows->weight;
    fill(&s, codes);
    uint8_t order[256];
    uint32_t m = list_seen(scratch, bins->n_bins, order);
    bool missing = bins->has_missing && scratch->seen[bins->n_bins];
    if (m + missing > 1 && m > 0) {
        if (rules->random)
            search_random(&s, order, m, missing, node_key);
        else
            search_best(&s, order, m, missing);
    }
    if (missing) order[m++] = (uint8_t)bins->n_bins;
    clear_cells(scratch, order, m);
}

struct general_scratch *general_scratch_new(uint32_t n_classes)
{
    struct general_scratch *scratch = mem_zalloc(1, sizeof *scratch);
    if (!scratch) return NULL;
    scratch->cells = mem_zalloc(256 * ((size_t)n_classes + CELL_CLASSES + 1), sizeof *scratch->cells);
    scratch->side_classes = mem_alloc(2 * (size_t)n_classes, sizeof *scratch->side_classes);
    scratch->shares = mem_alloc(5 * (size_t)n_classes, sizeof *scratch->shares);
    if (scratch->cells && scratch->side_classes && scratch->shares) return scratch;
    general_scratch_free(scratch);
    return NULL;
}

void general_scratch_free(struct general_scratch *scratch)
{
    if (!scratch) return;
    mem_free(scratch->cells);
    mem_free(scratch->side_classes);
    mem_free(scratch->shares);
    mem_free(scratch);
}
