#include <string.h>

#include "forest/forest.h"
#include "forest/quantised.h"

enum {
    WALKERS = 12,      /* rows that walk a tree side by side, so that their waits for memory overlap */
    LINE = 64,         /* bytes that caches fetch at once */
    LINES_A_WALK = 16, /* that a row's way down a tree touches */
};

/* A row on its way down a tree. */
struct walker {
    const float *x;
    const uint16_t *codes; /* of x, when the forest is quantised */
    float *sums;
    uint32_t at;
};

/* Rows that go down the trees together. */
struct block {
    const struct forest *forest;
    const float *x;        /* n x F */
    const uint16_t *codes; /* n x F, or NULL */
    size_t n;
    float *sums; /* n x outputs */
};

static size_t n_outputs(const struct forest *forest)
{
    return forest->n_classes ? forest->n_classes : 1;
}

static struct walker walker_at(const struct block *block, size_t row)
{
    size_t n_features = block->forest->n_features;
    return (struct walker){block->x + row * n_features, block->codes ? block->codes + row * n_features : NULL,
                           block->sums + row * n_outputs(block->forest), 0};
}

static inline void add_leaf(const struct forest *forest, const struct tree *tree, struct tree_node leaf,
                            float *sums)
{
    if (!forest->n_classes)
        sums[0] += leaf.value;
    else if (leaf.pure)
        sums[leaf.class_id] += 1;
    else
        for (uint32_t c = 0; c < forest->n_classes; c++) sums[c] += tree->values[leaf.values + c];
}

/* The left child of i or the right one, by arithmetic: a branch would be guessed wrong every other time. */
static inline uint32_t child(uint32_t i, uint32_t right, bool left)
{
    return right ^ ((right ^ (i + 1)) & -(uint32_t)left);
}

/* One step down; at a leaf, false and its value added. */
static inline bool step(const struct forest *forest, const struct tree *tree, struct walker *walker)
{
    const struct tree_node *node = &tree->nodes[walker->at];
    if (node->kind == TREE_LEAF) {
        add_leaf(forest, tree, *node, walker->sums);
        return false;
    }
    float value = walker->x[node->feature];
    if (__builtin_expect(node->kind != TREE_NUMERIC || value != value, 0))
        walker->at = tree_child(tree, walker->at, value);
    else
        walker->at = child(walker->at, node->right, value <= node->threshold);
    return true;
}

/* The same by codes. */
static inline bool quantised_step(const struct forest *forest, const struct tree *tree,
                                  const struct quantised_node *nodes, struct walker *walker)
{
    struct quantised_node node = nodes[walker->at];
    if (node.right < 2) {
        struct tree_node leaf = {.class_id = node.leaf, .pure = node.right & 1};
        add_leaf(forest, tree, leaf, walker->sums);
        return false;
    }
    uint16_t code = walker->codes[node.feature];
    if (__builtin_expect(code == node.code || code == QUANTISED_NONE, 0))
        walker->at = tree_child(tree, walker->at, walker->x[node.feature]);
    else
        walker->at = child(walker->at, node.right, code < node.code);
    return true;
}

/* Has the nodes brought near in one sweep, if so many rows will touch most of them: far quicker than one by
 * one in the order of the walk. */
static void fetch(const void *nodes, size_t bytes, size_t n_rows)
{
    if (bytes / LINE > n_rows * LINES_A_WALK) return;
    for (size_t i = 0; i < bytes; i += LINE) __builtin_prefetch((const char *)nodes + i);
}

/* Sends all rows down a tree, by codes or by values; whoever reaches a leaf makes room for the next row. */
static inline __attribute__((always_inline)) void add_tree(const struct block *block, const struct tree *tree,
                                                           const struct quantised_node *nodes, bool by_codes)
{
    if (by_codes)
        fetch(nodes, tree->n_nodes * sizeof *nodes, block->n);
    else
        fetch(tree->nodes, tree->n_nodes * sizeof *tree->nodes, block->n);
    struct walker walkers[WALKERS];
    size_t n_walking = block->n < WALKERS ? block->n : WALKERS, next = n_walking;
    for (size_t w = 0; w < n_walking; w++) walkers[w] = walker_at(block, w);
    while (n_walking)
        for (size_t w = 0; w < n_walking; w++) {
            struct walker *walker = &walkers[w];
            if (by_codes ? quantised_step(block->forest, tree, nodes, walker)
                         : step(block->forest, tree, walker))
                continue;
            *walker = next < block->n ? walker_at(block, next++) : walkers[--n_walking];
        }
}

static void divide(float *sums, size_t n, uint32_t n_trees)
{
    for (size_t i = 0; i < n; i++) sums[i] /= (float)n_trees;
}

void forest_predict_rows(const struct forest *forest, const float *x, size_t n_rows, float *out)
{
    struct block block = {forest, x, NULL, n_rows, out};
    size_t n = n_rows * n_outputs(forest);
    memset(out, 0, n * sizeof *out);
    for (uint32_t t = 0; t < forest->n_trees; t++) add_tree(&block, &forest->trees[t], NULL, false);
    divide(out, n, forest->n_trees);
}

void quantised_predict_rows(const struct quantised *quantised, const float *x, size_t n_rows, uint16_t *codes,
                            float *out)
{
    const struct forest *forest = quantised->forest;
    struct block block = {forest, x, codes, n_rows, out};
    size_t n = n_rows * n_outputs(forest);
    const struct quantised_node *nodes = quantised->nodes;
    quantised_rows(quantised, x, n_rows, codes);
    memset(out, 0, n * sizeof *out);
    for (uint32_t t = 0; t < forest->n_trees; nodes += forest->trees[t++].n_nodes)
        add_tree(&block, &forest->trees[t], nodes, true);
    divide(out, n, forest->n_trees);
}
