#include "forest/grow.h"

#include <string.h>

#include "base/mem.h"
#include "forest/grow_node.h"

/* A subtree's rows are copied together when they fit what a shared cache leaves to one processor. */
enum { BLOCK_BYTES = 2 << 20, BLOCK_ROWS_MIN = 256, BLOCK_ROWS_MAX = 1 << 16 };

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
    if (g->block_rows < BLOCK_ROWS_MIN) g->block_rows = BLOCK_ROWS_MIN;
    if (g->block_rows > capacity) g->block_rows = capacity;
    g->counts = mem_alloc(job->table->n_rows, sizeof *g->counts);
    g->class_scratch = mem_alloc(job->rules->n_classes, 2 * sizeof *g->class_scratch);
    g->block = mem_alloc_aligned(g->block_rows, width);
    g->search = node_search_new(job, capacity);
    if (g->counts && g->class_scratch && g->block && g->search &&
        sample_init(&g->rows[0], capacity, classify) && sample_init(&g->rows[1], capacity, classify))
        return g;
    grower_free(g);
    return NULL;
}

void grower_free(struct grower *g)
{
    if (!g) return;
    sample_fini(&g->rows[0]);
    sample_fini(&g->rows[1]);
    mem_free(g->counts);
    mem_free(g->class_scratch);
    mem_free(g->block);
    node_search_free(g->search);
    growing_tree_fini(&g->tree);
    mem_free(g->stack);
    mem_free(g);
}

const uint16_t *grower_counts(const struct grower *g)
{
    return g->counts;
}

/* Left first, so that nodes are made in preorder; a subtree that fits the block is grown from a copy. */
static void grow_depth_first(struct grower *g, const struct open_node *root)
{
    grower_push(g, root);
    while (g->n_open && !g->tree.failed) {
        struct open_node node = g->stack[--g->n_open], left, right;
        if (!node.in_block && node.end - node.begin <= g->block_rows) grow_node_enter_block(g, &node);
        grow_node_look(g, &node);
        if (g->tree.failed) return;
        if (!node.splits) {
            grow_node_close(g, &node, false);
            continue;
        }
        grow_node_split(g, &node, &left, &right);
        if (grower_push(g, &right)) grower_push(g, &left);
    }
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

struct open_node grower_begin(struct grower *g, uint32_t tree)
{
    growing_tree_clear(&g->tree);
    g->n_open = 0;
    sample_draw(&g->rows[0], g->job->rules, g->job->table, tree, g->counts, g->class_scratch);
    g->root_weight = 0;
    for (size_t i = 0; i < g->rows[0].n; i++) g->root_weight += g->rows[0].weight[i];
    return (struct open_node){.end = g->rows[0].n, .parent_key = tree, .side = NODE_ROOT};
}

bool grower_finish(struct grower *g, struct tree *out, uint64_t *importances)
{
    uint32_t n_features = g->job->codes->binned->n_features;
    double *own = mem_alloc(n_features, sizeof *own);
    bool done = own && growing_tree_finish(&g->tree, out);
    if (done) add_importances(&g->tree, n_features, importances, own);
    mem_free(own);
    return done;
}

bool grow_tree(struct grower *g, uint32_t tree, struct tree *out, uint64_t *importances)
{
    struct open_node root = grower_begin(g, tree);
    if (g->job->rules->max_leaf_nodes == UINT32_MAX)
        grow_depth_first(g, &root);
    else
        grow_best_first(g, &root);
    return grower_finish(g, out, importances);
}
