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

static struct open_node pop_best(struct grower *g)
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
    else if (grower_push(g, node))
        sift_up(g->stack, g->n_open - 1);
}

/* Copies node `from` of a tree to the end of another, with the set or the shares it refers to. */
static uint32_t copy_node(struct growing_tree *out, const struct growing_tree *tree, uint32_t from,
                          uint32_t n_classes)
{
    uint32_t to = growing_tree_add_node(out), at = 0;
    const struct tree_node *node = &tree->nodes[from];
    bool shares = node->kind == TREE_LEAF && n_classes && !node->pure;
    if (node->kind == TREE_CATEGORY) at = growing_tree_add_set(out, tree->sets[node->set].word);
    if (shares) at = growing_tree_add_values(out, n_classes);
    if (out->failed) return 0;
    out->nodes[to] = *node;
    out->gains[to] = tree->gains[from];
    if (node->kind == TREE_CATEGORY) out->nodes[to].set = at;
    if (shares) {
        memcpy(out->values + at, tree->values + node->values, n_classes * sizeof *out->values);
        out->nodes[to].values = at;
    }
    return to;
}

/* Rewrites nodes, sets and shares from the order they were made in to preorder. Both children of a split were
 * made together. */
static void renumber(struct growing_tree *tree, uint32_t n_classes)
{
    struct growing_tree ordered = {0};
    uint32_t *stack = mem_alloc((size_t)tree->n_nodes + 1, 2 * sizeof *stack), n = 0;
    if (!stack) {
        tree->failed = true;
        return;
    }
    stack[n++] = 0;
    stack[n++] = UINT32_MAX;
    while (n && !ordered.failed) {
        uint32_t parent = stack[--n], from = stack[--n], to = copy_node(&ordered, tree, from, n_classes);
        if (ordered.failed) break;
        if (parent != UINT32_MAX) ordered.nodes[parent].right = to;
        if (tree->nodes[from].kind == TREE_LEAF) continue;
        stack[n++] = tree->nodes[from].right;
        stack[n++] = to;
        stack[n++] = tree->nodes[from].right - 1;
        stack[n++] = UINT32_MAX;
    }
    mem_free(stack);
    growing_tree_fini(tree);
    *tree = ordered;
}

void grow_best_first(struct grower *g, const struct open_node *root)
{
    struct open_node node = *root, left, right;
    admit(g, &node);
    for (uint32_t leaves = 1; leaves < g->job->rules->max_leaf_nodes && g->n_open && !g->tree.failed;
         leaves++) {
        node = pop_best(g);
        grow_node_split(g, &node, &left, &right);
        admit(g, &left);
        admit(g, &right);
    }
    while (g->n_open && !g->tree.failed) grow_node_close(g, &g->stack[--g->n_open], true);
    if (!g->tree.failed) renumber(&g->tree, g->job->rules->n_classes);
}
