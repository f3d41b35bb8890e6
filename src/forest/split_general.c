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

/* A cut of the present bins in some order: bins order[0..at] go left. */
struct cut {
    bool found;
    bool missing_left;
    uint32_t at;
    double score;
};

/* A search of one feature in one node. */
struct search {
    const struct split_rules *rules;
    const struct node_rows *rows;
    const struct feature_bins *bins;
    struct general_scratch *scratch;
    uint32_t feature;
    uint32_t m;         /* bins present, a missing one not counted */
    uint8_t order[256]; /* in the order they are cut */
    bool missing;       /* some rows lack a value */
    bool missing_left;  /* ... and are tried on the left */
    int64_t mean;       /* of the node's targets, rounded */
    struct side all;    /* the whole node, but for its classes, which are rows->totals */
    struct side left, right;
    struct cut best;
};

static void fill_classes(const struct node_rows *rows, struct general_scratch *scratch, const uint8_t *codes)
{
    for (size_t i = 0; i < rows->n; i++) {
        int64_t *cell = scratch->cells + (size_t)codes[i] * scratch->width;
        scratch->present[codes[i] >> 6] |= UINT64_C(1) << (codes[i] & 63);
        cell[CELL_ROWS] += 1;
        cell[CELL_WEIGHT] += rows->weights[i];
        cell[CELL_CLASSES + rows->classes[i]] += rows->weights[i];
    }
}

static void fill_targets(const struct node_rows *rows, struct general_scratch *scratch, const uint8_t *codes)
{
    for (size_t i = 0; i < rows->n; i++) {
        int64_t *cell = scratch->cells + (size_t)codes[i] * scratch->width;
        scratch->present[codes[i] >> 6] |= UINT64_C(1) << (codes[i] & 63);
        cell[CELL_ROWS] += 1;
        cell[CELL_WEIGHT] += rows->weights[i];
        cell[CELL_SUM] += rows->targets[i];
    }
}

/* What the whole node adds up to. */
static struct side sum_node(const struct search *s)
{
    const struct node_rows *rows = s->rows;
    struct side all = {.weight = rows->weight, .rows = rows->n};
    if (!rows->k) all.sum = rows->target_sum - s->mean * (int64_t)rows->weight;
    for (uint32_t c = 0; c < rows->k; c++) {
        if (s->rules->criterion == BRAMBLE_CRITERION_ENTROPY)
            all.entropy += entropy_lookup(s->rules, rows->totals[c]);
        else
            all.squares += (uint64_t)rows->totals[c] * rows->totals[c];
    }
    return all;
}

/* Moves a bin's rows into (sign 1) or out of (sign -1) a side. */
static inline __attribute__((always_inline)) void
shift(struct search *s, struct side *side, const int64_t *cell, int sign, bramble_criterion criterion)
{
    side->rows += (uint64_t)(sign * cell[CELL_ROWS]);
    side->weight += (uint64_t)(sign * cell[CELL_WEIGHT]);
    if (criterion == BRAMBLE_CRITERION_SQUARED_ERROR) {
        side->sum += sign * (cell[CELL_SUM] - s->mean * cell[CELL_WEIGHT]);
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
            side->squares += (uint64_t)after * (uint64_t)after - (uint64_t)before * (uint64_t)before;
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
static inline __attribute__((always_inline)) void begin_sides(struct search *s, bramble_criterion criterion)
{
    struct general_scratch *scratch = s->scratch;
    uint32_t k = s->rows->k;
    s->left = (struct side){.classes = scratch->side_classes};
    s->right = s->all;
    s->right.classes = scratch->side_classes + k;
    for (uint32_t c = 0; c < k; c++) {
        s->left.classes[c] = 0;
        s->right.classes[c] = (int64_t)s->rows->totals[c];
    }
    if (!s->missing_left) return;
    const int64_t *cell = scratch->cells + (size_t)s->bins->n_bins * scratch->width;
    shift(s, &s->left, cell, 1, criterion);
    shift(s, &s->right, cell, -1, criterion);
}

/* Tries the cuts first..last. */
static inline __attribute__((always_inline)) void scan_cuts(struct search *s, uint32_t first, uint32_t last,
                                                            bramble_criterion criterion)
{
    begin_sides(s, criterion);
    for (uint32_t at = 0; at <= last; at++) {
        const int64_t *cell = s->scratch->cells + (size_t)s->order[at] * s->scratch->width;
        shift(s, &s->left, cell, 1, criterion);
        shift(s, &s->right, cell, -1, criterion);
        if (at < first || !s->right.rows) continue;
        if (s->left.rows < s->rules->min_samples_leaf || s->right.rows < s->rules->min_samples_leaf) continue;
        double value = score(s, criterion);
        if (!s->best.found || value > s->best.score) s->best = (struct cut){true, s->missing_left, at, value};
    }
}

/* The same with missing values on either side, where there are any. */
static void scan(struct search *s, uint32_t first, uint32_t last)
{
    for (int side = 0; side <= (s->missing ? 1 : 0); side++) {
        s->missing_left = side;
        switch (s->rules->criterion) {
        case BRAMBLE_CRITERION_ENTROPY: scan_cuts(s, first, last, BRAMBLE_CRITERION_ENTROPY); break;
        case BRAMBLE_CRITERION_SQUARED_ERROR:
            scan_cuts(s, first, last, BRAMBLE_CRITERION_SQUARED_ERROR);
            break;
        default: scan_cuts(s, first, last, BRAMBLE_CRITERION_GINI); break;
        }
    }
}

/* Extra-trees: the cut a threshold drawn between the least and the greatest value makes. */
static uint32_t random_cut(const struct search *s, uint64_t node_key, float *threshold)
{
    const struct feature_bins *bins = s->bins;
    const uint8_t *order = s->order;
    double drawn = split_draw_threshold(s->rules, node_key, s->feature, bins->low[order[0]],
                                        bins->high[order[s->m - 1]]);
    uint32_t cut = 0;
    while (cut + 2 < s->m && (double)bins->high[order[cut + 1]] <= drawn) cut++;
    *threshold = split_clamp_threshold(drawn, bins->high[order[cut]], bins->low[order[cut + 1]]);
    return cut;
}

/* Extra-trees: each category goes to a random side; a draw that leaves a side empty cuts off the first. */
static uint32_t random_order(struct search *s, uint64_t node_key)
{
    struct rng rng;
    rng_init(&rng, s->rules->seed, RNG_THRESHOLD, node_key, s->feature);
    uint8_t right[256];
    uint32_t n_left = 0, n_right = 0;
    for (uint32_t i = 0; i < s->m; i++) {
        if (rng_u32(&rng) & 1)
            s->order[n_left++] = s->order[i];
        else
            right[n_right++] = s->order[i];
    }
    memcpy(s->order + n_left, right, n_right);
    return n_left == 0 || n_right == 0 ? 0 : n_left - 1;
}

/* Returns the threshold drawn, NaN where there is none. */
static float search_random(struct search *s, uint64_t node_key)
{
    float threshold = NAN;
    uint32_t cut = s->m - 1; /* one present bin: only "present or missing" can be asked */
    if (s->m > 1 && s->bins->categorical)
        cut = random_order(s, node_key);
    else if (s->m > 1)
        cut = random_cut(s, node_key, &threshold);
    scan(s, cut, cut);
    return threshold;
}

static void search_best(struct search *s)
{
    if (s->bins->categorical) category_order(s->rows, s->scratch, s->order, s->m);
    scan(s, 0, s->m - 1);
}

/* Lists the present bins in ascending order. */
static void list_present(struct search *s)
{
    for (uint32_t word = 0; word < 4; word++)
        for (uint64_t bits = s->scratch->present[word]; bits; bits &= bits - 1)
            s->order[s->m++] = (uint8_t)(word * 64 + (uint32_t)__builtin_ctzll(bits));
    s->missing = s->bins->has_missing && s->m && s->order[s->m - 1] == s->bins->n_bins;
    s->m -= s->missing;
}

static void clear_cells(struct general_scratch *scratch)
{
    for (uint32_t word = 0; word < 4; word++) {
        for (uint64_t bits = scratch->present[word]; bits; bits &= bits - 1) {
            size_t bin = word * 64 + (size_t)__builtin_ctzll(bits);
            memset(scratch->cells + bin * scratch->width, 0, scratch->width * sizeof *scratch->cells);
        }
        scratch->present[word] = 0;
    }
}

/* The best cut as a split. */
static void describe(const struct search *s, float threshold, struct split *split)
{
    const struct cut *cut = &s->best;
    *split = (struct split){.found = true,
                            .varies = true,
                            .score = cut->score,
                            .feature = s->feature,
                            .missing_left = cut->missing_left,
                            .threshold = threshold};
    if (!s->bins->categorical) {
        split->bin = s->order[cut->at];
        split->next_bin = s->order[cut->at + 1 < s->m ? cut->at + 1 : cut->at];
        return;
    }
    for (uint32_t i = 0; i <= cut->at; i++) split->set[s->order[i] >> 5] |= 1u << (s->order[i] & 31);
}

void split_search_general(const struct split_rules *rules, const struct node_rows *rows, uint32_t feature,
                          const struct feature_bins *bins, const uint8_t *codes, uint64_t node_key,
                          struct general_scratch *scratch, struct split *best)
{
    struct search s;
    s.rules = rules, s.rows = rows, s.bins = bins, s.scratch = scratch, s.feature = feature, s.m = 0;
    s.mean = rows->k ? 0 : rows->target_sum / (int64_t)rows->weight;
    s.all = sum_node(&s);
    s.best.found = false;
    scratch->width = rows->k ? CELL_CLASSES + rows->k : CELL_SUM + 1;
    if (rows->k)
        fill_classes(rows, scratch, codes);
    else
        fill_targets(rows, scratch, codes);
    list_present(&s);
    float threshold = NAN;
    *best = (struct split){.varies = s.m && s.m + s.missing > 1};
    if (best->varies) {
        if (rules->random)
            threshold = search_random(&s, node_key);
        else
            search_best(&s);
        if (s.best.found) describe(&s, threshold, best);
    }
    clear_cells(scratch);
}

struct general_scratch *general_scratch_new(uint32_t n_classes)
{
    struct general_scratch *scratch = mem_zalloc(1, sizeof *scratch);
    if (!scratch) return NULL;
    scratch->cells = mem_zalloc(256 * ((size_t)n_classes + CELL_CLASSES + 1), sizeof *scratch->cells);
    scratch->side_classes = mem_alloc(2 * (size_t)n_classes, sizeof *scratch->side_classes);
    scratch->shares = mem_alloc(3 * (size_t)n_classes, sizeof *scratch->shares);
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
