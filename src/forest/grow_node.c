#include "forest/grow_node.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { ROWS_BETWEEN_QUESTIONS = 1 << 20, ROWS_AHEAD = 8, CACHE_LINE = 64 };

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

/* Rows lie anywhere in memory: they are asked for some time before they are copied. */
void grow_node_enter_block(struct grower *g, struct open_node *node)
{
    const size_t width = g->job->codes->binned->n_features, n = node->end - node->begin;
    const uint8_t *by_row = g->job->codes->by_row;
    uint32_t *row = g->rows[node->depth & 1].row + node->begin;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *ahead = by_row + row[i + ROWS_AHEAD < n ? i + ROWS_AHEAD : n - 1] * width;
        for (size_t at = 0; at < width; at += CACHE_LINE) __builtin_prefetch(ahead + at);
        memcpy(g->block + i * width, by_row + row[i] * width, width);
        row[i] = (uint32_t)i;
    }
    node->in_block = true;
}

/* Where the search finds its rows: whole columns while there are many, else row by row. */
static struct node node_of(const struct grower *g, const struct open_node *node)
{
    const struct codes *codes = g->job->codes;
    const uint8_t *by_row = node->in_block ? g->block : codes->by_row;
    bool whole_columns = codes->binned->columns && node->end - node->begin > g->block_rows;
    return (struct node){.sample = &g->rows[node->depth & 1],
                         .begin = node->begin,
                         .end = node->end,
                         .source = {.by_row = whole_columns ? NULL : by_row,
                                    .columns = codes->binned->columns,
                                    .n_features = codes->binned->held_end - codes->binned->held_begin}};
}

static uint64_t key_of(const struct grower *g, const struct open_node *node)
{
    struct rng rng;
    rng_init(&rng, g->job->rules->split.seed, RNG_NODE_KEY, node->parent_key, node->side);
    return rng_u64(&rng);
}

/* A split's gain in impurity times weight, in the criterion's own units. */
static double gain_of(const struct grower *g, const struct node_rows *rows, double score)
{
    const struct grow_rules *rules = g->job->rules;
    double gain = score - node_score(rows, rules->split.criterion);
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

/* Midway between the greatest value on the left and the least on the right, as scikit-learn has it. */
static float threshold_of(const struct split *split, const struct feature_bins *bins)
{
    if (!isnan(split->threshold)) return split->threshold;
    if (split->next_bin == split->bin) return FLT_MAX; /* all that is present goes left */
    float low = bins->high[split->bin], high = bins->low[split->next_bin];
    float middle = (float)((double)low / 2 + (double)high / 2);
    return middle < high ? middle : low;
}

/* Categories the node has not met follow the heavier child. */
static void place_absent(struct split *split, const struct feature_bins *bins, const struct parting *parting)
{
    for (uint32_t c = 0; parting->left_heavier && c < bins->n_bins; c++)
        if (!(parting->present[c >> 6] >> (c & 63) & 1)) split->set[c >> 5] |= 1u << (c & 31);
}

static void set_question(const struct grower *g, struct split *split, const struct parting *parting,
                         struct question *question)
{
    const struct feature_bins *bins = &g->job->codes->binned->bins[split->feature];
    bool met_missing = bins->has_missing && parting->present[bins->n_bins >> 6] >> (bins->n_bins & 63) & 1;
    *question = (struct question){.kind = bins->categorical ? TREE_CATEGORY : TREE_NUMERIC,
                                  .feature = split->feature,
                                  .missing_left = met_missing ? split->missing_left : parting->left_heavier};
    if (!bins->categorical) {
        question->threshold = threshold_of(split, bins);
        return;
    }
    place_absent(split, bins, parting);
    memcpy(question->set, split->set, sizeof question->set);
}

/* Parts the gathered node's rows by a split. */
static void part(struct grower *g, const struct open_node *node, struct split *split,
                 struct question *question)
{
    struct parting parting;
    node_search_part(g->search, split, &g->rows[~node->depth & 1], &parting);
    set_question(g, split, &parting, question);
    question->gain = gain_of(g, node_search_gathered(g->search), parting.score);
    question->n_left = parting.n_left;
}

bool grow_node_open(struct grower *g, struct open_node *node)
{
    uint32_t parent = node->index;
    node->splits = false;
    ask_to_go_on(g, node->end - node->begin);
    node->index = growing_tree_add_node(&g->tree);
    if (g->tree.failed) return false;
    if (node->side == NODE_RIGHT) g->tree.nodes[parent].right = node->index;
    struct node rows_of = node_of(g, node);
    const struct node_rows *rows = node_search_gather(g->search, &rows_of);
    g->tree.nodes[node->index].cover = (float)((double)rows->weight / g->rows[0].weight_scale);
    if (must_be_leaf(g, node, rows)) return false;
    node->key = key_of(g, node);
    return true;
}

void grow_node_take(struct grower *g, struct open_node *node, const struct question *question)
{
    node->middle = node->begin + question->n_left;
    node->gain = question->gain;
    node->splits = node->gain / g->root_weight + DBL_EPSILON >= g->job->rules->min_impurity_decrease;
    if (!node->splits) return;
    struct tree_node *at = &g->tree.nodes[node->index];
    at->kind = question->kind & 3;
    at->feature = question->feature & 0xfffffff;
    at->missing_left = question->missing_left;
    if (question->kind == TREE_NUMERIC)
        at->threshold = question->threshold;
    else
        at->set = growing_tree_add_set(&g->tree, question->set);
}

void grow_node_look(struct grower *g, struct open_node *node)
{
    struct split split;
    struct question question;
    if (!grow_node_open(g, node) || !node_search_best(g->search, node->key, &split)) return;
    part(g, node, &split, &question);
    grow_node_take(g, node, &question);
}

struct offer grow_node_offer(struct grower *g, const struct open_node *node, bool further)
{
    struct node rows_of = node_of(g, node);
    if (further) node_search_gather(g->search, &rows_of);
    return node_search_offer(g->search, node->key, further);
}

bool grow_node_settle(struct grower *g, const struct open_node *node, uint32_t drawn,
                      struct question *question)
{
    struct node rows_of = node_of(g, node);
    struct split split;
    node_search_gather(g->search, &rows_of);
    if (!node_search_settle(g->search, node->key, drawn, &split)) return false;
    part(g, node, &split, question);
    return true;
}

void grow_node_close(struct grower *g, const struct open_node *node, bool again)
{
    struct node rows_of = node_of(g, node);
    const struct node_rows *rows = node_search_gathered(g->search);
    if (again) rows = node_search_gather(g->search, &rows_of);
    const struct grow_rules *rules = g->job->rules;
    struct tree_node *leaf = &g->tree.nodes[node->index];
    *leaf = (struct tree_node){.cover = leaf->cover};
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

void grow_node_split(struct grower *g, const struct open_node *node, struct open_node *left,
                     struct open_node *right)
{
    g->tree.gains[node->index] = node->gain;
    *left = (struct open_node){.begin = node->begin,
                               .end = node->middle,
                               .parent_key = node->key,
                               .depth = node->depth + 1,
                               .index = node->index,
                               .side = NODE_LEFT,
                               .in_block = node->in_block};
    *right = *left;
    right->begin = node->middle;
    right->end = node->end;
    right->side = NODE_RIGHT;
}
