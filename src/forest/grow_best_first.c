#include <string.h>

#include "base/mem.h"
#include "forest/grow_node.h"

/* Best-first growth (max_leaf_nodes): always the leaf whose split gains most, the older one on a tie. */

static bool before(const struct open_node *a, const struct open_node *b)
{
    return a->gain > b->gain || (a->gain == b->gain && a->index < b->index);
}

/* The grower's stack as a binary heap: puts its last node where it belongs. */
static void sift_up(struct open_node *heap, size_t at)
{
    while (at && before(&heap[at], &heap[(at - 1) / 2])) {
        struct open_node swap = heap[at];
        heap[at] = heap[(at - 1) / 2];
        heap[(at - 1) / 2] = swap;
        at = (at - 1) / 2;
    }
}

void grower_push_best(struct grower *g, const struct open_node *node)
{
    if (grower_push(g, node)) sift_up(g->stack, g->n_open - 1);
}

struct open_node grower_pop_best(struct grower *g)
{
    struct open_node *heap = g->stack, best = heap[0], last = heap[--g->n_open];
    size_t at = 0, child;
    while ((child = 2 * at + 1) < g->n_open) {
        if (child + 1 < g->n_open && before(&heap[child + 1], &heap[child])) child++;
        if (!before(&heap[child], &last)) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return best;
}

/* Looks at a node; it waits on the heap if it can be split, and is a leaf at once if not. */
static void admit(struct grower *g, struct open_node *node)
{
    grow_node_look(g, node);
    if (g->tree.failed) return;
    if (!node->splits)
        grow_node_close(g, node, false);
    else
        grower_push_best(g, node);
}

void grow_best_first(struct grower *g, const struct open_node *root)
{
    struct open_node node = *root, left, right;
    admit(g, &node);
    for (uint32_t leaves = 1; leaves < g->job->rules->max_leaf_nodes && g->n_open && !g->tree.failed;
         leaves++) {
        node = grower_pop_best(g);
        grow_node_split(g, &node, &left, &right);
        admit(g, &left);
        admit(g, &right);
    }
    while (g->n_open && !g->tree.failed) grow_node_close(g, &g->stack[--g->n_open], true);
    if (!g->tree.failed) growing_tree_renumber(&g->tree, g->job->rules->n_classes);
}
