#include <string.h>

#include "base/threads.h"
#include "forest/forest.h"

enum {
    BLOCK_ROWS = 128, /* rows that go through a tree while it is in cache */
    LANES = 8,        /* rows that walk a tree side by side, so that their waits for memory overlap */
};

struct prediction {
    const struct forest *forest;
    const float *x;
    size_t n_rows;
    float *out;
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

/* Walks n <= LANES rows down a tree, a level a turn. */
static void walk(const struct tree *tree, const float *x, size_t width, size_t n, uint32_t at[LANES])
{
    memset(at, 0, LANES * sizeof *at);
    bool moving = true;
    while (moving) {
        moving = false;
        for (size_t r = 0; r < n; r++) {
            const struct tree_node *node = &tree->nodes[at[r]];
            if (node->kind == TREE_LEAF) continue;
            at[r] = tree_child(tree, at[r], x[r * width + node->feature]);
            moving = true;
        }
    }
}

static void predict_block(void *context, uint32_t thread, uint64_t block)
{
    (void)thread;
    const struct prediction *p = context;
    const struct forest *forest = p->forest;
    size_t begin = block * BLOCK_ROWS, end = begin + BLOCK_ROWS < p->n_rows ? begin + BLOCK_ROWS : p->n_rows;
    size_t width = forest->n_features, outputs = forest->n_classes ? forest->n_classes : 1;
    memset(p->out + begin * outputs, 0, (end - begin) * outputs * sizeof *p->out);
    for (uint32_t t = 0; t < forest->n_trees; t++)
        for (size_t r = begin; r < end; r += LANES) {
            uint32_t at[LANES];
            size_t n = end - r < LANES ? end - r : LANES;
            walk(&forest->trees[t], p->x + r * width, width, n, at);
            for (size_t i = 0; i < n; i++)
                add_leaf(forest, &forest->trees[t], at[i], p->out + (r + i) * outputs);
        }
    for (size_t i = begin * outputs; i < end * outputs; i++) p->out[i] /= (float)forest->n_trees;
}

void forest_predict_rows(const struct forest *forest, const float *x, size_t n_rows, uint32_t threads,
                         float *out)
{
    struct prediction p = {forest, x, n_rows, out};
    threads_run(threads, (n_rows + BLOCK_ROWS - 1) / BLOCK_ROWS, predict_block, &p);
}
