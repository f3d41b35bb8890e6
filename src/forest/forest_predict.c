#include <string.h>

#include "base/threads.h"
#include "forest/forest.h"

enum {
    BLOCK_BYTES = 768 << 10, /* of rows that go through a tree while it is in cache */
    BLOCK_ROWS_MIN = 64,
    BLOCK_ROWS_MAX = 4096,
    WALKERS = 16, /* rows that walk a tree side by side, so that their waits for memory overlap */
};

struct prediction {
    const struct forest *forest;
    const float *x;
    size_t n_rows, block_rows;
    float *out;
};

/* A row on its way down a tree. */
struct walker {
    const float *x;
    float *sums;
    uint32_t at;
};

static void add_leaf(const struct forest *forest, const struct tree *tree, uint32_t i, float *sums)
{
    const struct tree_node *leaf = &tree->nodes[i];
    if (!forest->n_classes)
        sums[0] += leaf->value;
    else if (leaf->pure)
        sums[leaf->class_id] += 1;
    else
        for (uint32_t c = 0; c < forest->n_classes; c++) sums[c] += tree->values[leaf->values + c];
}

/* One step down; the choice is arithmetic, since a branch on it would be guessed wrong every other time. */
static inline uint32_t step(const struct tree *tree, uint32_t i, const float *x)
{
    const struct tree_node *node = &tree->nodes[i];
    float value = x[node->feature];
    if (__builtin_expect(node->kind != TREE_NUMERIC || value != value, 0)) return tree_child(tree, i, value);
    uint32_t left = -(uint32_t)(value <= node->threshold);
    return node->right ^ ((node->right ^ (i + 1)) & left);
}

/* Sends n rows down a tree; whoever reaches a leaf makes room for the next row. */
static void add_tree(const struct forest *forest, const struct tree *tree, const float *x, size_t n,
                     float *sums)
{
    size_t width = forest->n_features, outputs = forest->n_classes ? forest->n_classes : 1;
    struct walker walkers[WALKERS];
    size_t n_walking = n < WALKERS ? n : WALKERS, next = n_walking;
    for (size_t w = 0; w < n_walking; w++) walkers[w] = (struct walker){x + w * width, sums + w * outputs, 0};
    while (n_walking)
        for (size_t w = 0; w < n_walking; w++) {
            struct walker *walker = &walkers[w];
            if (tree->nodes[walker->at].kind != TREE_LEAF) {
                walker->at = step(tree, walker->at, walker->x);
                continue;
            }
            add_leaf(forest, tree, walker->at, walker->sums);
            if (next < n) {
                *walker = (struct walker){x + next * width, sums + next * outputs, 0};
                next++;
            } else {
                *walker = walkers[--n_walking];
            }
        }
}

static void predict_block(void *context, uint32_t thread, uint64_t block)
{
    (void)thread;
    const struct prediction *p = context;
    const struct forest *forest = p->forest;
    size_t begin = block * p->block_rows, left = p->n_rows - begin;
    size_t n = left < p->block_rows ? left : p->block_rows;
    size_t outputs = forest->n_classes ? forest->n_classes : 1;
    float *sums = p->out + begin * outputs;
    memset(sums, 0, n * outputs * sizeof *sums);
    for (uint32_t t = 0; t < forest->n_trees; t++)
        add_tree(forest, &forest->trees[t], p->x + begin * forest->n_features, n, sums);
    for (size_t i = 0; i < n * outputs; i++) sums[i] /= (float)forest->n_trees;
}

/* Rows that fit the cache beside a tree, but enough blocks for every thread. */
static size_t rows_per_block(uint32_t n_features, size_t n_rows, uint32_t threads)
{
    size_t rows = BLOCK_BYTES / sizeof(float) / n_features, share = n_rows / threads + 1;
    if (rows > share) rows = share;
    if (rows > BLOCK_ROWS_MAX) rows = BLOCK_ROWS_MAX;
    return rows > BLOCK_ROWS_MIN ? rows : BLOCK_ROWS_MIN;
}

void forest_predict_rows(const struct forest *forest, const float *x, size_t n_rows, uint32_t threads,
                         float *out)
{
    if (!threads) threads = threads_available();
    size_t block_rows = rows_per_block(forest->n_features, n_rows, threads);
    struct prediction p = {forest, x, n_rows, block_rows, out};
    threads_run(threads, (n_rows + block_rows - 1) / block_rows, predict_block, &p);
}
