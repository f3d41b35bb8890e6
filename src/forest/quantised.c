#include "forest/quantised.h"

#include <float.h>
#include <math.h>

#include "base/mem.h"

enum {
    BELOW = 1,      /* the code of all values below a feature's least threshold, which itself has the next */
    ABOVE = 0xfffe, /* and of those far above its greatest, which has ABOVE - 2 at most */
    FEATURES_MAX = 1 << 16,
    /* What can be prepared in the time that one row's way down one tree saves: about half of what was
     * measured, so that small calls do not lose. */
    NODES_A_WALK = 8,
    CODES_A_WALK = 64,
};

bool quantised_pays(const struct forest *forest, size_t n_rows)
{
    double n_nodes = 0;
    for (uint32_t t = 0; t < forest->n_trees; t++) n_nodes += forest->trees[t].n_nodes;
    double saved = (double)n_rows * (forest->n_trees - (double)forest->n_features / CODES_A_WALK);
    return forest->n_features <= FEATURES_MAX && saved > n_nodes / NODES_A_WALK;
}

/* Every step rounds in a way that keeps order, the same for thresholds as for values: contraction is off. */
static inline uint16_t code_of(float x, struct quantised_scale scale)
{
    float place = (x - scale.low) * scale.codes_per_unit + (BELOW + 1);
    float code = place > BELOW ? place : BELOW;
    code = code < ABOVE ? code : ABOVE;
    return place != place ? QUANTISED_NONE : (uint16_t)(int32_t)code;
}

void quantised_rows(const struct quantised *quantised, const float *x, size_t n_rows, uint16_t *codes)
{
    size_t n_features = quantised->forest->n_features;
    for (size_t r = 0; r < n_rows; r++, x += n_features, codes += n_features)
        for (size_t f = 0; f < n_features; f++) codes[f] = code_of(x[f], quantised->scales[f]);
}

/* The least and greatest threshold of every feature; low NaN: it has categories. */
static void find_ranges(const struct forest *forest, struct quantised_scale *low, float *high)
{
    for (uint32_t f = 0; f < forest->n_features; f++) {
        low[f].low = INFINITY;
        high[f] = -INFINITY;
    }
    for (uint32_t t = 0; t < forest->n_trees; t++)
        for (uint32_t i = 0; i < forest->trees[t].n_nodes; i++) {
            const struct tree_node *node = &forest->trees[t].nodes[i];
            uint32_t f = node->feature;
            if (node->kind == TREE_CATEGORY) low[f].low = NAN;
            if (node->kind != TREE_NUMERIC) continue;
            if (node->threshold < low[f].low) low[f].low = node->threshold;
            if (node->threshold > high[f]) high[f] = node->threshold;
        }
}

/* A range that no float holds makes no scale either. */
static bool make_scales(struct quantised *quantised)
{
    const struct forest *forest = quantised->forest;
    float *high = mem_alloc(forest->n_features, sizeof *high);
    if (!high) return false;
    find_ranges(forest, quantised->scales, high);
    for (uint32_t f = 0; f < forest->n_features; f++) {
        struct quantised_scale *scale = &quantised->scales[f];
        float range = high[f] - scale->low, per_unit = (ABOVE - 2 - (BELOW + 1)) / range;
        scale->codes_per_unit = per_unit < FLT_MAX ? per_unit : FLT_MAX; /* a lone threshold divides by 0 */
        if (!isfinite(range)) scale->low = NAN;
    }
    mem_free(high);
    return true;
}

static void copy_nodes(struct quantised *quantised)
{
    struct quantised_node *copy = quantised->nodes;
    for (uint32_t t = 0; t < quantised->forest->n_trees; t++) {
        const struct tree *tree = &quantised->forest->trees[t];
        for (uint32_t i = 0; i < tree->n_nodes; i++, copy++) {
            const struct tree_node *node = &tree->nodes[i];
            if (node->kind == TREE_LEAF) {
                *copy = (struct quantised_node){.right = node->pure, .leaf = node->class_id};
                continue;
            }
            *copy = (struct quantised_node){node->right, {.feature = (uint16_t)node->feature}};
            copy->code = node->kind == TREE_NUMERIC
                             ? code_of(node->threshold, quantised->scales[node->feature])
                             : QUANTISED_NONE;
        }
    }
}

struct quantised *quantised_new(const struct forest *forest)
{
    size_t n_nodes = 0;
    for (uint32_t t = 0; t < forest->n_trees; t++) n_nodes += forest->trees[t].n_nodes;
    struct quantised *quantised = mem_zalloc(1, sizeof *quantised);
    if (!quantised) return NULL;
    quantised->forest = forest;
    quantised->scales = mem_alloc(forest->n_features, sizeof *quantised->scales);
    quantised->nodes = mem_alloc(n_nodes, sizeof *quantised->nodes);
    if (quantised->scales && quantised->nodes && make_scales(quantised)) {
        copy_nodes(quantised);
        return quantised;
    }
    quantised_free(quantised);
    return NULL;
}

void quantised_free(struct quantised *quantised)
{
    if (!quantised) return;
    mem_free(quantised->scales);
    mem_free(quantised->nodes);
    mem_free(quantised);
}
