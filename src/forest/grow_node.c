#include "forest/grow_node.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { ROWS_BETWEEN_QUESTIONS = 1 << 20 };

bool grower_push(struct grower *g, const struct open_node *node)
{
    if (g->n_open == g->stack_capacity) {
        size_t capacity = g->stack_capacity ? g->stack_capacity * 2 : 64;
        struct open_node *stack = mem_resize(g->stack, capacity, sizeof *stack);
        if (!stack) {
            g->tree.failed = true;
            return false;
        }
        g->stack = stack;
        g->stack_capacity = capacity;
    }
    g->stack[g->n_open++] = *node;
    return true;
}

void grow_node_enter_block(struct grower *g, struct open_node *node)
{
    size_t width = g->job->codes->binned->n_features;
    uint32_t *row = g->sample.row + node->begin;
    for (size_t i = 0; i < node->end - node->begin; i++) {
        memcpy(g->block + i * width, g->job->codes->by_row + row[i] * width, width);
        row[i] = (uint32_t)i;
    }
    node->in_block = true;
}

/* Where the search finds its rows: whole columns while there are many, else row by row. */
static struct node node_of(const struct grower *g, const struct open_node *node)
{
    const uint8_t *by_row = node->in_block ? g->block : g->job->codes->by_row;
    return (struct node){.begin = node->begin,
                         .end = node->end,
                         .key = node->key,
                         .source = {.by_row = node->end - node->begin <= g->block_rows ? by_row : NULL,
                                    .columns = g->job->codes->binned->columns,
                                    .n_features = g->job->codes->binned->n_features}};
}

static uint64_t child_key(const struct grower *g, uint64_t key, uint32_t side)
{
    struct rng rng;
    rng_init(&rng, g->job->rules->split.seed, RNG_NODE_KEY, key, side);
    return rng_u64(&rng);
}

/* Which codes go left. */
static void left_codes(const struct split *split, const struct feature_bins *bins, bool left[256])
{
    memset(left, 0, 256 * sizeof *left);
    if (bins->categorical)
        for (uint32_t code = 0; code < bins->n_bins; code++)
            left[code] = split->set[code >> 5] >> (code & 31) & 1;
    else
        memset(left, 1, (size_t)split->bin + 1);
    if (bins->has_missing) left[bins->n_bins] = split->missing_left;
}

/*
 * The split's score, in double precision even where the search made do with single: a gain of nothing must be
 * nothing.
 */
static double exact_score(const struct grower *g, const struct node_rows *rows, const struct split *split)
{
    const struct grow_rules *rules = g->job->rules;
    if (rules->split.criterion != BRAMBLE_CRITERION_GINI || rows->weight > GINI_SMALL_WEIGHT)
        return split->score;
    bool goes_left[256];
    uint64_t left[GINI_SMALL_WEIGHT], left_weight = 0, left_squares = 0, right_squares = 0;
    memset(left, 0, rows->k * sizeof *left);
    left_codes(split, &g->job->codes->binned->bins[split->feature], goes_left);
    const uint8_t *codes = node_search_codes(g->search);
    for (size_t i = 0; i < rows->n; i++) left[rows->classes[i]] += goes_left[codes[i]] ? rows->weights[i] : 0;
    for (uint32_t c = 0; c < rows->k; c++) {
        uint64_t right = rows->totals[c] - left[c];
        left_weight += left[c];
        left_squares += left[c] * left[c];
        right_squares += right * right;
    }
    return gini_score_double(left_squares, left_weight, right_squares, rows->weight - left_weight);
}

/* A split's gain in impurity times weight, in the criterion's own units. */
static double gain_of(const struct grower *g, const struct node_rows *rows, const struct split *split)
{
    const struct grow_rules *rules = g->job->rules;
    double gain = exact_score(g, rows, split) - node_score(rows, rules->split.criterion);
    if (rules->split.criterion == BRAMBLE_CRITERION_ENTROPY)
        gain *= 0x1p-20;
    else if (!rules->n_classes)
        gain = gain / rules->target_scale / rules->target_scale;
    return gain > 0 ? gain : 0;
}

static bool must_be_leaf(const struct grower *g, const struct open_node *node, const struct node_rows *rows)
{
    const struct grow_rules *rules = g->job->rules;
    return node->depth >= rules->max_depth || rows->n < rules->min_samples_split ||
           rows->n < 2 * rules->split.min_samples_leaf || node_search_pure(g->search);
}

/* Asks whether to go on about every tenth of a second; to give up is to fail. */
static void ask_to_go_on(struct grower *g, size_t n_rows)
{
    g->rows_looked_at += n_rows;
    if (g->rows_looked_at < ROWS_BETWEEN_QUESTIONS) return;
    g->rows_looked_at = 0;
    if (!g->job->go_on(g->job->context)) g->tree.failed = true;
}

void grow_node_look(struct grower *g, struct open_node *node)
{
    const struct grow_rules *rules = g->job->rules;
    uint32_t parent = node->index;
    node->split.found = false;
    node->gain = 0;
    ask_to_go_on(g, node->end - node->begin);
    node->index = growing_tree_add_node(&g->tree);
    if (g->tree.failed) return;
    if (node->is_right) g->tree.nodes[parent].right = node->index;
    struct node rows_of = node_of(g, node);
    const struct node_rows *rows = node_search_gather(g->search, &g->sample, &rows_of);
    g->tree.nodes[node->index].cover = (float)((double)rows->weight / g->sample.weight_scale);
    if (must_be_leaf(g, node, rows)) return;
    node->split = node_search_best(g->search, &g->sample, &rows_of);
    if (!node->split.found) return;
    node->gain = gain_of(g, rows, &node->split);
    if (node->gain / g->root_weight + DBL_EPSILON < rules->min_impurity_decrease) node->split.found = false;
}

void grow_node_close(struct grower *g, const struct open_node *node, bool again)
{
    struct node rows_of = node_of(g, node);
    const struct node_rows *rows = node_search_gathered(g->search);
    if (again) rows = node_search_gather(g->search, &g->sample, &rows_of);
    const struct grow_rules *rules = g->job->rules;
    struct tree_node *leaf = &g->tree.nodes[node->index];
    if (!rules->n_classes) {
        double mean = (double)rows->target_sum / (double)rows->weight;
        leaf->value = (float)(mean / rules->target_scale + rules->target_offset);
        return;
    }
    leaf->pure = rows->k == 1;
    if (leaf->pure) {
        leaf->class_id = node_search_class(g->search, 0);
        return;
    }
    uint32_t at = growing_tree_add_values(&g->tree, rules->n_classes);
    if (g->tree.failed) return;
    leaf->values = at;
    memset(g->tree.values + at, 0, rules->n_classes * sizeof *g->tree.values);
    for (uint32_t c = 0; c < rows->k; c++)
        g->tree.values[at + node_search_class(g->search, c)] =
            (float)((double)rows->totals[c] / (double)rows->weight);
}

/* Midway between the greatest value on the left and the least on the right, as scikit-learn has it. */
static float threshold_of(const struct split *split, const struct feature_bins *bins)
{
    if (!isnan(split->threshold)) return split->threshold;
    if (split->next_bin == split->bin) return FLT_MAX; /* all that is present goes left */
    float low = bins->high[split->bin], high = bins->low[split->next_bin];
    float middle = (float)((double)low / 2 + (double)high / 2);
    return middle < high ? middle : low;
}

/* Moves the left rows to the front, both sides keeping their order; returns how many there are. */
static size_t partition(struct grower *g, const struct open_node *node, const uint8_t *codes,
                        const bool left[256])
{
    struct sample *a = &g->sample, *b = &g->spare;
    size_t n = node->end - node->begin, n_left = 0, n_right = 0;
    for (size_t i = 0; i < n; i++) {
        size_t from = node->begin + i, to = node->begin + n_left;
        bool goes_left = left[codes[i]];
        a->row[to] = b->row[n_right] = a->row[from];
        a->weight[to] = b->weight[n_right] = a->weight[from];
        if (a->class_id)
            a->class_id[to] = b->class_id[n_right] = a->class_id[from];
        else
            a->target[to] = b->target[n_right] = a->target[from];
        n_left += goes_left;
        n_right += !goes_left;
    }
    size_t to = node->begin + n_left;
    memcpy(a->row + to, b->row, n_right * sizeof *a->row);
    memcpy(a->weight + to, b->weight, n_right * sizeof *a->weight);
    if (a->class_id) memcpy(a->class_id + to, b->class_id, n_right * sizeof *a->class_id);
    if (a->target) memcpy(a->target + to, b->target, n_right * sizeof *a->target);
    return n_left;
}

static uint64_t weight_of(const struct sample *sample, size_t begin, size_t end)
{
    uint64_t weight = 0;
    for (size_t i = begin; i < end; i++) weight += sample->weight[i];
    return weight;
}

/* Categories the node has not met follow the heavier child. */
static void place_absent(struct split *split, const struct feature_bins *bins, const uint8_t *codes, size_t n,
                         bool left_heavier)
{
    uint32_t present[8] = {0};
    for (size_t i = 0; i < n; i++) present[codes[i] >> 5] |= 1u << (codes[i] & 31);
    for (uint32_t c = 0; left_heavier && c < bins->n_bins; c++)
        if (!(present[c >> 5] >> (c & 31) & 1)) split->set[c >> 5] |= 1u << (c & 31);
}

static bool has_missing_code(const struct feature_bins *bins, const uint8_t *codes, size_t n)
{
    if (!bins->has_missing) return false;
    for (size_t i = 0; i < n; i++)
        if (codes[i] == bins->n_bins) return true;
    return false;
}

/* What node `node` asks, into its place in the tree. */
static void set_question(struct grower *g, struct open_node *node, const uint8_t *codes, bool left_heavier)
{
    struct split *split = &node->split;
    const struct feature_bins *bins = &g->job->codes->binned->bins[split->feature];
    struct tree_node *at = &g->tree.nodes[node->index];
    size_t n = node->end - node->begin;
    at->feature = split->feature & 0xfffffff;
    at->missing_left = has_missing_code(bins, codes, n) ? split->missing_left : left_heavier;
    if (!bins->categorical) {
        at->kind = TREE_NUMERIC;
        at->threshold = threshold_of(split, bins);
        return;
    }
    place_absent(split, bins, codes, n, left_heavier);
    at->kind = TREE_CATEGORY;
    at->set = growing_tree_add_set(&g->tree, split->set);
}

/* The split feature's codes, fetched again if another node was looked at since. */
static const uint8_t *split_codes(struct grower *g, const struct open_node *node, bool at_once)
{
    if (at_once) return node_search_codes(g->search);
    struct node rows_of = node_of(g, node);
    node_codes(&g->sample, &rows_of, node->split.feature, g->side);
    return g->side;
}

void grow_node_split(struct grower *g, struct open_node *node, bool at_once, struct open_node *left,
                     struct open_node *right)
{
    const uint8_t *codes = split_codes(g, node, at_once);
    bool goes_left[256];
    left_codes(&node->split, &g->job->codes->binned->bins[node->split.feature], goes_left);
    size_t middle = node->begin + partition(g, node, codes, goes_left);
    uint64_t left_weight = weight_of(&g->sample, node->begin, middle);
    set_question(g, node, codes, left_weight >= weight_of(&g->sample, middle, node->end));
    g->tree.gains[node->index] = node->gain;
    *left = (struct open_node){.begin = node->begin,
                               .end = middle,
                               .key = child_key(g, node->key, 0),
                               .depth = node->depth + 1,
                               .index = node->index,
                               .in_block = node->in_block};
    *right = *left;
    right->begin = middle;
    right->end = node->end;
    right->key = child_key(g, node->key, 1);
    right->is_right = true;
}
