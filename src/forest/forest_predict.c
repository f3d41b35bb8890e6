#include <string.h>

#include "base/threads.h"
#include "forest/forest.h"

enum {
    BLOCK_BYTES = 6 << 20, /* of rows that go down a tree before the next: trees miss caches more than rows */
    BLOCK_ROWS_MIN = 64,
    BLOCK_ROWS_MAX = 8192,
    WALKERS = 12, /* rows that walk a tree side by side, so that their waits for memory overlap */
};

struct prediction {
    const struct forest *forest;
    const void *x; /* N x F floats, or bytes */
    bool bytes;
    size_t n_rows, block_rows;
    float *out;
};

/* A row on its way down a tree. */
struct walker {
    const void *x;
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
static inline uint32_t step(const struct tree *tree, uint32_t i, const void *x, bool bytes)
{
    const struct tree_node *node = &tree->nodes[i];
    float value = bytes ? (float)((const uint8_t *)x)[node->feature] : ((const float *)x)[node->feature];
    if (__builtin_expect(node->kind != TREE_NUMERIC || value != value, 0)) return tree_child(tree, i, value);
    uint32_t left = -(uint32_t)(value <= node->threshold);
    return node->right ^ ((node->right ^ (i + 1)) & left);
}

/* Sends n rows of `stride` bytes down a tree; whoever reaches a leaf makes room for the next row. */
static inline __attribute__((always_inline)) void add_tree(const struct forest *forest,
                                                           const struct tree *tree, const char *x,
                                                           size_t stride, bool bytes, size_t n, float *sums)
{
    size_t outputs = forest->n_classes ? forest->n_classes : 1;
    struct walker walkers[WALKERS];
    size_t n_walking = n < WALKERS ? n : WALKERS, next = n_walking;
    for (size_t w = 0; w < n_walking; w++)
        walkers[w] = (struct walker){x + w * stride, sums + w * outputs, 0};
    while (n_walking)
        for (size_t w = 0; w < n_walking; w++) {
            struct walker *walker = &walkers[w];
            if (tree->nodes[walker->at].kind != TREE_LEAF) {
                walker->at = step(tree, walker->at, walker->x, bytes);
                continue;
            }
            add_leaf(forest, tree, walker->at, walker->sums);
            if (next < n) {
                *walker = (struct walker){x + next * stride, sums + next * outputs, 0};
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
    size_t stride = forest->n_features * (p->bytes ? sizeof(uint8_t) : sizeof(float));
    const char *x = (const char *)p->x + begin * stride;
    for (uint32_t t = 0; t < forest->n_trees; t++) {
        if (p->bytes)
            add_tree(forest, &forest->trees[t], x, stride, true, n, sums);
        else
            add_tree(forest, &forest->trees[t], x, stride, false, n, sums);
    }
    for (size_t i = 0; i < n * outputs; i++) sums[i] /= (float)forest->n_trees;
}

size_t forest_predict_block_rows(const struct forest *forest, bool bytes)
{
    size_t rows = BLOCK_BYTES / (forest->n_features * (bytes ? sizeof(uint8_t) : sizeof(float)));
    if (rows > BLOCK_ROWS_MAX) return BLOCK_ROWS_MAX;
    return rows > BLOCK_ROWS_MIN ? rows : BLOCK_ROWS_MIN;
}

static void predict(const struct forest *forest, const void *x, bool bytes, size_t n_rows, uint32_t threads,
                    float *out)
{
    if (!threads) threads = threads_available();
    size_t block_rows = forest_predict_block_rows(forest, bytes), share = n_rows / threads + 1;
    if (block_rows > share) block_rows = share > BLOCK_ROWS_MIN ? share : BLOCK_ROWS_MIN;
    struct prediction p = {forest, x, bytes, n_rows, block_rows, out};
    threads_run(threads, (n_rows + block_rows - 1) / block_rows, predict_block, &p);
}

void forest_predict_rows(const struct forest *forest, const float *x, size_t n_rows, uint32_t threads,
                         float *out)
{
    predict(forest, x, false, n_rows, threads, out);
}

void forest_predict_bytes(const struct forest *forest, const uint8_t *x, size_t n_rows, uint32_t threads,
                          float *out)
{
    predict(forest, x, true, n_rows, threads, out);
}
