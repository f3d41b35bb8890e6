/*
 * A decision tree grown slowly and plainly, for the real one to be compared with: every row is looked at for
 * every threshold of every feature, values are the table's own, rows are copied from node to node. Shared
 * with the real one are only the random numbers (base/rng.h), the targets and weights as integers
 * (grow_rules), and a score's formula. Categories need two classes or numbers as targets.
 */
#ifndef TESTS_FOREST_SLOW_TREE_H
#define TESTS_FOREST_SLOW_TREE_H

#include "array_tables.h"

#include <float.h>

#include "forest/grow_rules.h"
#include "forest/tree.h"

/* Rows of the tree's sample, with their weights. */
struct slow_rows {
    uint32_t n;
    uint32_t *row, *weight;
};

/* What a node asks: values in `left` (categories) or up to `threshold` (numbers) go left. */
struct slow_split {
    bool found, missing_left;
    uint32_t feature;
    double score;
    float threshold;
    bool left[256];
};

struct slow_node {
    struct slow_rows rows;
    uint64_t key;
    uint32_t depth, age; /* the root's is 0 */
    struct slow_split split;
    double gain;
    bool open; /* not asked to split yet */
    struct slow_node *child[2];
};

struct slow_job {
    const struct bramble_table *table;
    const struct grow_rules *rules;
    double root_weight;
    uint32_t n_nodes; /* made so far */
};

static inline float slow_value(const struct slow_job *job, uint32_t row, uint32_t f)
{
    return column_value(&job->table->columns[f], job->table->schema.features[f].type, row);
}

static inline bool slow_goes_left(const struct slow_job *job, const struct slow_split *split, uint32_t row)
{
    float x = slow_value(job, row, split->feature);
    if (isnan(x)) return split->missing_left;
    if (job->table->schema.features[split->feature].type == BRAMBLE_FEATURE_CATEGORY)
        return split->left[(int)x];
    return x <= split->threshold;
}

static inline uint64_t slow_weight(const struct slow_rows *rows)
{
    uint64_t weight = 0;
    for (uint32_t i = 0; i < rows->n; i++) weight += rows->weight[i];
    return weight;
}

/* Weight of class c, or of all when c is negative, on one side of a split. */
static inline uint64_t slow_side_weight(const struct slow_job *job, const struct slow_rows *rows,
                                        const struct slow_split *split, bool side, int c)
{
    uint64_t weight = 0;
    for (uint32_t i = 0; i < rows->n; i++)
        if (slow_goes_left(job, split, rows->row[i]) == side &&
            (c < 0 || job->table->classes[rows->row[i]] == c))
            weight += rows->weight[i];
    return weight;
}

static inline int64_t slow_target_sum(const struct slow_job *job, const struct slow_rows *rows)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < rows->n; i++) sum += rows->weight[i] * job->rules->targets[rows->row[i]];
    return sum;
}

static inline double slow_squared_error(const struct slow_job *job, const struct slow_rows *rows,
                                        const struct slow_split *split)
{
    int64_t mean = slow_target_sum(job, rows) / (int64_t)slow_weight(rows), sum[2] = {0, 0};
    for (uint32_t i = 0; i < rows->n; i++)
        sum[slow_goes_left(job, split, rows->row[i])] +=
            rows->weight[i] * (job->rules->targets[rows->row[i]] - mean);
    double left = (double)slow_side_weight(job, rows, split, true, -1);
    double right = (double)slow_side_weight(job, rows, split, false, -1);
    return (double)sum[1] * (double)sum[1] / left + (double)sum[0] * (double)sum[0] / right;
}

/* What splits are chosen by; or, if `exact`, what their gain is reckoned from. */
static inline double slow_score(const struct slow_job *job, const struct slow_rows *rows,
                                const struct slow_split *split, bool exact)
{
    if (!job->rules->n_classes) return slow_squared_error(job, rows, split);
    uint64_t squares[2] = {0, 0}, weight[2];
    int64_t entropy = 0;
    for (int side = 0; side < 2; side++) {
        weight[side] = slow_side_weight(job, rows, split, side, -1);
        entropy -= entropy_term(weight[side]);
        for (uint32_t c = 0; c < job->rules->n_classes; c++) {
            uint64_t part = slow_side_weight(job, rows, split, side, (int)c);
            squares[side] += part * part;
            entropy += entropy_term(part);
        }
    }
    if (job->rules->split.criterion == BRAMBLE_CRITERION_ENTROPY) return (double)entropy;
    return exact ? gini_score_double(squares[1], weight[1], squares[0], weight[0])
                 : gini_score(squares[1], weight[1], squares[0], weight[0]);
}

/* Offers a cut, unless a child would be too small; the first of equals stays. */
static inline void slow_offer(const struct slow_job *job, const struct slow_rows *rows,
                              struct slow_split *cut, struct slow_split *best)
{
    uint32_t n_left = 0;
    for (uint32_t i = 0; i < rows->n; i++) n_left += slow_goes_left(job, cut, rows->row[i]);
    uint32_t fewest = n_left < rows->n - n_left ? n_left : rows->n - n_left;
    if (fewest < job->rules->split.min_samples_leaf) return;
    cut->score = slow_score(job, rows, cut, false);
    cut->found = true;
    if (!best->found || cut->score > best->score) *best = *cut;
}

/* What a category is sorted by: its mean target, or its share of the least class the node has. */
static inline double slow_category_key(const struct slow_job *job, const struct slow_rows *rows, uint32_t f,
                                       float x)
{
    int64_t weight = 0, what = 0;
    int least = INT32_MAX;
    for (uint32_t i = 0; i < rows->n && job->rules->n_classes; i++)
        if (job->table->classes[rows->row[i]] < least) least = job->table->classes[rows->row[i]];
    for (uint32_t i = 0; i < rows->n; i++) {
        uint32_t row = rows->row[i];
        if (slow_value(job, row, f) != x) continue;
        weight += rows->weight[i];
        if (!job->rules->n_classes)
            what += rows->weight[i] * job->rules->targets[row];
        else if (job->table->classes[row] == least)
            what += rows->weight[i];
    }
    return (double)what / (double)weight;
}

/* The m different values of feature f in the node, in the order in which they are cut. */
static inline uint32_t slow_values(const struct slow_job *job, const struct slow_rows *rows, uint32_t f,
                                   float values[256], bool *missing)
{
    bool by_key =
        job->table->schema.features[f].type == BRAMBLE_FEATURE_CATEGORY && !job->rules->split.random;
    double key[256];
    uint32_t m = 0;
    *missing = false;
    for (uint32_t i = 0; i < rows->n; i++) {
        float x = slow_value(job, rows->row[i], f);
        bool known = isnan(x);
        *missing |= known;
        for (uint32_t v = 0; v < m; v++) known |= values[v] == x;
        if (!known) values[m++] = x;
    }
    for (uint32_t v = 0; v < m; v++) key[v] = by_key ? slow_category_key(job, rows, f, values[v]) : values[v];
    for (uint32_t a = 0; a < m; a++)
        for (uint32_t b = a + 1; b < m; b++)
            if (key[b] < key[a] || (key[b] == key[a] && values[b] < values[a])) {
                double k = key[a];
                float v = values[a];
                key[a] = key[b], values[a] = values[b];
                key[b] = k, values[b] = v;
            }
    return m;
}

/* The cut after values[at]; after the last, only missing values are on the right. */
static inline struct slow_split slow_cut(uint32_t f, const float *values, uint32_t m, uint32_t at)
{
    struct slow_split cut = {.feature = f, .threshold = FLT_MAX};
    for (uint32_t v = 0; v <= at && values[v] >= 0 && values[v] < 256; v++) cut.left[(int)values[v]] = true;
    if (at + 1 == m) return cut;
    float middle = (float)((double)values[at] / 2 + (double)values[at + 1] / 2);
    cut.threshold = middle < values[at + 1] ? middle : values[at];
    return cut;
}

/* Extra-trees: the one cut that is tried. */
static inline struct slow_split slow_random_cut(const struct slow_job *job, uint64_t key, uint32_t f,
                                                float *values, uint32_t m)
{
    struct rng rng;
    rng_init(&rng, job->rules->split.seed, RNG_THRESHOLD, key, f);
    if (job->table->schema.features[f].type == BRAMBLE_FEATURE_CATEGORY) {
        struct slow_split cut = {.feature = f, .threshold = FLT_MAX};
        uint32_t n_left = 0;
        for (uint32_t v = 0; v < m; v++) n_left += cut.left[(int)values[v]] = rng_u32(&rng) & 1;
        if (n_left == 0 || n_left == m) {
            memset(cut.left, 0, sizeof cut.left);
            cut.left[(int)values[0]] = true;
        }
        return cut;
    }
    double drawn = values[0] + rng_double(&rng) * ((double)values[m - 1] - values[0]);
    uint32_t at = 0;
    while (at + 2 < m && values[at + 1] <= drawn) at++;
    struct slow_split cut = slow_cut(f, values, m, at);
    cut.threshold = (float)drawn < values[at] || (float)drawn >= values[at + 1] ? values[at] : (float)drawn;
    return cut;
}

/* Whether the feature varies in the node. */
static inline bool slow_search_feature(const struct slow_job *job, const struct slow_rows *rows, uint64_t key,
                                       uint32_t f, struct slow_split *best)
{
    float values[256];
    bool missing;
    uint32_t m = slow_values(job, rows, f, values, &missing);
    struct slow_split own = {0};
    for (int side = 0; side <= missing && m; side++)
        for (uint32_t at = 0; at < (job->rules->split.random ? 1 : m); at++) {
            struct slow_split cut = job->rules->split.random && m > 1
                                        ? slow_random_cut(job, key, f, values, m)
                                        : slow_cut(f, values, m, at);
            cut.missing_left = side;
            slow_offer(job, rows, &cut, &own);
        }
    if (own.found && (!best->found || own.score > best->score)) *best = own;
    return m && m + missing > 1;
}

/* The best split among max_features drawn features, or, while those are constant here, more. */
static inline struct slow_split slow_search(const struct slow_job *job, const struct slow_node *node)
{
    uint32_t n_features = job->table->schema.n_features, *feature = calloc(n_features, sizeof *feature);
    assert_non_null(feature);
    for (uint32_t f = 0; f < n_features; f++) feature[f] = f;
    struct rng rng;
    rng_init(&rng, job->rules->split.seed, RNG_FEATURES, node->key, 0);
    struct slow_split best = {0};
    bool varies = false;
    for (uint32_t d = 0; d < n_features && (d < job->rules->max_features || !varies); d++) {
        uint32_t other = d + rng_below(&rng, n_features - d), drawn = feature[other];
        feature[other] = feature[d];
        feature[d] = drawn;
        varies |= slow_search_feature(job, &node->rows, node->key, drawn, &best);
    }
    free(feature);
    return best;
}

static inline bool slow_pure(const struct slow_job *job, const struct slow_rows *rows)
{
    for (uint32_t i = 1; i < rows->n; i++) {
        uint32_t a = rows->row[0], b = rows->row[i];
        if (job->rules->n_classes ? job->table->classes[a] != job->table->classes[b]
                                  : job->rules->targets[a] != job->rules->targets[b])
            return false;
    }
    return true;
}

/* The node's own score, as its only child. */
static inline double slow_own_score(const struct slow_job *job, const struct slow_rows *rows)
{
    uint32_t totals[256] = {0};
    struct node_rows all = {.weight = slow_weight(rows), .k = job->rules->n_classes, .totals = totals};
    for (uint32_t i = 0; i < rows->n && all.k; i++)
        totals[job->table->classes[rows->row[i]]] += rows->weight[i];
    if (!all.k) all.target_sum = slow_target_sum(job, rows);
    return node_score(&all, job->rules->split.criterion);
}

/* A node that owns `rows`; its split is found at once. */
static inline struct slow_node *slow_node_new(struct slow_job *job, struct slow_rows rows, uint64_t key,
                                              uint32_t depth)
{
    const struct grow_rules *rules = job->rules;
    struct slow_node *node = calloc(1, sizeof *node);
    assert_non_null(node);
    *node = (struct slow_node){.rows = rows, .key = key, .depth = depth, .age = job->n_nodes++, .open = true};
    if (depth >= rules->max_depth || rows.n < rules->min_samples_split || slow_pure(job, &rows)) return node;
    node->split = slow_search(job, node);
    if (!node->split.found) return node;
    double gain = fmax(0, slow_score(job, &rows, &node->split, true) - slow_own_score(job, &rows));
    if (rules->split.criterion == BRAMBLE_CRITERION_ENTROPY) gain *= 0x1p-20;
    if (!rules->n_classes) gain = gain / rules->target_scale / rules->target_scale;
    node->gain = gain;
    if (gain / job->root_weight + DBL_EPSILON < rules->min_impurity_decrease) node->split.found = false;
    return node;
}

static inline struct slow_rows slow_rows_new(uint32_t capacity)
{
    struct slow_rows rows = {0, calloc(capacity + 1, 4), calloc(capacity + 1, 4)};
    assert_non_null(rows.row);
    assert_non_null(rows.weight);
    return rows;
}

static inline uint64_t slow_key(const struct slow_job *job, uint64_t of, uint32_t which)
{
    struct rng rng;
    rng_init(&rng, job->rules->split.seed, RNG_NODE_KEY, of, which);
    return rng_u64(&rng);
}

static inline void slow_divide(struct slow_job *job, struct slow_node *node)
{
    node->open = false;
    for (uint32_t side = 0; side < 2; side++) {
        struct slow_rows rows = slow_rows_new(node->rows.n);
        for (uint32_t i = 0; i < node->rows.n; i++) {
            if (slow_goes_left(job, &node->split, node->rows.row[i]) == (side == 1)) continue;
            rows.row[rows.n] = node->rows.row[i];
            rows.weight[rows.n++] = node->rows.weight[i];
        }
        node->child[side] = slow_node_new(job, rows, slow_key(job, node->key, side), node->depth + 1);
    }
}

#endif
