#include "forest/grow.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "forest/growing_tree.h"
#include "forest/node_search.h"

/* Bytes of rows a subtree's copy may take: about half of a small processor's second-level cache. */
enum { BLOCK_BYTES = 2048 * 1024, BLOCK_ROWS_MAX = 1 << 16 };

/* A node waiting to be grown. */
struct pending {
    size_t begin, end;
    uint64_t key;
    uint32_t parent; /* whose right child it will be; UINT32_MAX: the root or a left child */
    uint32_t depth;
    bool in_block;
};

struct grower {
    const struct grow_job *job;
    struct sample sample, spare; /* the tree's rows; where the right ones wait while rows are partitioned */
    uint16_t *counts;
    uint8_t *side; /* capacity: codes of the split feature */
    struct node_search *search;
    uint8_t *block; /* block_rows x F */
    size_t block_rows;
    struct growing_tree tree;
    struct pending *stack;
    size_t n_pending, stack_capacity;
};

static size_t most_rows(const struct grow_job *job)
{
    size_t n = job->table->n_rows;
    return job->rules->n_draws < n ? (size_t)job->rules->n_draws : n;
}

struct grower *grower_new(const struct grow_job *job)
{
    struct grower *g = mem_zalloc(1, sizeof *g);
    if (!g) return NULL;
    g->job = job;
    size_t capacity = most_rows(job), width = job->codes->binned->n_features;
    bool classify = job->rules->n_classes > 0;
    g->block_rows = BLOCK_BYTES / width < BLOCK_ROWS_MAX ? BLOCK_BYTES / width : BLOCK_ROWS_MAX;
    if (g->block_rows < 256) g->block_rows = 256;
    if (g->block_rows > capacity) g->block_rows = capacity;
    g->counts = mem_alloc(job->table->n_rows, sizeof *g->counts);
    g->side = mem_alloc(capacity, 1);
    g->block = mem_alloc_aligned(g->block_rows, width);
    g->search = node_search_new(job, capacity);
    if (g->counts && g->side && g->block && g->search && sample_init(&g->sample, capacity, classify) &&
        sample_init(&g->spare, capacity, classify))
        return g;
    grower_free(g);
    return NULL;
}

void grower_free(struct grower *g)
{
    if (!g) return;
    sample_fini(&g->sample);
    sample_fini(&g->spare);
    mem_free(g->counts);
    mem_free(g->side);
    mem_free(g->block);
    node_search_free(g->search);
    growing_tree_fini(&g->tree);
    mem_free(g->stack);
    mem_free(g);
}

static bool push(struct grower *g, struct pending pending)
{
    if (g->n_pending == g->stack_capacity) {
        size_t capacity = g->stack_capacity ? g->stack_capacity * 2 : 64;
        struct pending *stack = mem_resize(g->stack, capacity, sizeof *stack);
        if (!stack) {
            g->tree.failed = true;
            return false;
        }
        g->stack = stack;
        g->stack_capacity = capacity;
    }
    g->stack[g->n_pending++] = pending;
    return true;
}

/* Copies a subtree's rows side by side and points its sample at the copy. */
static void enter_block(struct grower *g, struct pending *pending)
{
    size_t width = g->job->codes->binned->n_features;
    uint32_t *row = g->sample.row + pending->begin;
    for (size_t i = 0; i < pending->end - pending->begin; i++) {
        memcpy(g->block + i * width, g->job->codes->by_row + row[i] * width, width);
        row[i] = (uint32_t)i;
    }
    pending->in_block = true;
}

static struct node node_of(struct grower *g, const struct pending *pending)
{
    return (struct node){.begin = pending->begin,
                         .end = pending->end,
                         .key = pending->key,
                         .source = {.by_row = pending->in_block ? g->block : NULL,
                                    .columns = g->job->codes->binned->columns,
                                    .n_features = g->job->codes->binned->n_features}};
}

static uint64_t child_key(const struct grower *g, uint64_t key, uint32_t side)
{
    struct rng rng;
    rng_init(&rng, g->job->rules->split.seed, RNG_NODE_KEY, key, side);
    return rng_u64(&rng);
}

static void make_leaf(struct grower *g, uint32_t i, const struct node_rows *rows)
{
    const struct grow_rules *rules = g->job->rules;
    struct tree_node *leaf = &g->tree.nodes[i];
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

/* Moves the left rows to the front, both sides keeping their order; returns how many there are. */
static size_t partition(struct grower *g, const struct node *node, const struct split *split,
                        const bool left[256])
{
    struct sample *a = &g->sample, *b = &g->spare;
    size_t n = node->end - node->begin, n_left = 0, n_right = 0;
    node_codes(a, node, split->feature, g->side);
    for (size_t i = 0; i < n; i++) {
        size_t from = node->begin + i, to = node->begin + n_left;
        bool goes_left = left[g->side[i]];
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

/* Turns node i into a split and puts its children on the stack. */
static void make_split(struct grower *g, uint32_t i, const struct pending *pending, const struct node *node,
                       struct split *split)
{
    const struct feature_bins *bins = &g->job->codes->binned->bins[split->feature];
    bool left[256];
    left_codes(split, bins, left);
    size_t n = node->end - node->begin, middle = node->begin + partition(g, node, split, left);
    bool left_heavier =
        weight_of(&g->sample, node->begin, middle) >= weight_of(&g->sample, middle, node->end);
    struct tree_node *at = &g->tree.nodes[i];
    at->feature = split->feature & 0xfffffff;
    at->missing_left = has_missing_code(bins, g->side, n) ? split->missing_left : left_heavier;
    if (bins->categorical) {
        place_absent(split, bins, g->side, n, left_heavier);
        at->kind = TREE_CATEGORY;
        uint32_t set = growing_tree_add_set(&g->tree, split->set);
        at->set = set;
    } else {
        at->kind = TREE_NUMERIC;
        at->threshold = threshold_of(split, bins);
    }
    struct pending child = {.depth = pending->depth + 1, .in_block = pending->in_block};
    child.begin = middle, child.end = node->end, child.parent = i, child.key = child_key(g, node->key, 1);
    if (!push(g, child)) return;
    child.begin = node->begin, child.end = middle, child.parent = UINT32_MAX,
    child.key = child_key(g, node->key, 0);
    push(g, child);
}

/* A split's gain in impurity times weight, in the criterion's own units. */
static double gain_of(const struct grower *g, const struct node_rows *rows, const struct split *split)
{
    const struct grow_rules *rules = g->job->rules;
    double gain = split->score - node_score(rows, rules->split.criterion);
    if (rules->split.criterion == BRAMBLE_CRITERION_ENTROPY)
        gain *= 0x1p-20;
    else if (!rules->n_classes)
        gain = gain / rules->target_scale / rules->target_scale;
    return gain > 0 ? gain : 0;
}

static bool must_be_leaf(const struct grower *g, const struct pending *pending, const struct node_rows *rows)
{
    const struct grow_rules *rules = g->job->rules;
    return pending->depth >= rules->max_depth || rows->n < rules->min_samples_split ||
           rows->n < 2 * rules->split.min_samples_leaf || node_search_pure(g->search);
}

static void grow_node(struct grower *g, struct pending pending, double root_weight)
{
    const struct grow_rules *rules = g->job->rules;
    if (!pending.in_block && pending.end - pending.begin <= g->block_rows) enter_block(g, &pending);
    uint32_t i = growing_tree_add_node(&g->tree);
    if (g->tree.failed) return;
    if (pending.parent != UINT32_MAX) g->tree.nodes[pending.parent].right = i;
    struct node node = node_of(g, &pending);
    const struct node_rows *rows = node_search_gather(g->search, &g->sample, &node);
    g->tree.nodes[i].cover = (float)((double)rows->weight / rules->weight_scale);
    struct split split = {0};
    if (!must_be_leaf(g, &pending, rows)) split = node_search_best(g->search, &g->sample, &node);
    if (split.found) {
        double gain = gain_of(g, rows, &split);
        if (gain / root_weight + DBL_EPSILON < rules->min_impurity_decrease)
            split.found = false;
        else
            g->tree.gains[i] = gain;
    }
    if (split.found)
        make_split(g, i, &pending, &node, &split);
    else
        make_leaf(g, i, rows);
}

static void add_importances(const struct growing_tree *tree, uint32_t n_features, uint64_t *importances,
                            double *own)
{
    memset(own, 0, n_features * sizeof *own);
    double sum = 0;
    for (uint32_t i = 0; i < tree->n_nodes; i++) {
        if (tree->nodes[i].kind == TREE_LEAF) continue;
        own[tree->nodes[i].feature] += tree->gains[i];
        sum += tree->gains[i];
    }
    double unit = (double)(UINT64_C(1) << IMPORTANCE_BITS);
    for (uint32_t f = 0; sum > 0 && f < n_features; f++)
        importances[f] += (uint64_t)(own[f] / sum * unit + 0.5);
}

bool grow_tree(struct grower *g, uint32_t tree, struct tree *out, uint64_t *importances)
{
    const struct grow_rules *rules = g->job->rules;
    growing_tree_clear(&g->tree);
    sample_draw(&g->sample, rules, g->job->table, tree, g->counts);
    struct rng rng;
    rng_init(&rng, rules->split.seed, RNG_NODE_KEY, tree, 2);
    g->n_pending = 0;
    push(g, (struct pending){.end = g->sample.n, .key = rng_u64(&rng), .parent = UINT32_MAX});
    double root_weight = (double)weight_of(&g->sample, 0, g->sample.n);
    while (g->n_pending && !g->tree.failed) grow_node(g, g->stack[--g->n_pending], root_weight);
    double *own = mem_alloc(g->job->codes->binned->n_features, sizeof *own);
    if (!own || !growing_tree_finish(&g->tree, out)) {
        mem_free(own);
        return false;
    }
    add_importances(&g->tree, g->job->codes->binned->n_features, importances, own);
    mem_free(own);
    return true;
}
