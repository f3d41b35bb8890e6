#include "forest/tree.h"

#include "base/mem.h"

void tree_fini(struct tree *tree)
{
    mem_free(tree->nodes);
    mem_free(tree->sets);
    mem_free(tree->values);
    *tree = (struct tree){0};
}

/* In preorder a node's depth is known before its children's: walked with the right edges still open. */
bool tree_measure(struct tree *tree)
{
    uint32_t *open = mem_alloc((size_t)tree->n_nodes + 1, 2 * sizeof *open), n_open = 0, depth = 0;
    if (!open) return false;
    tree->depth = 0;
    for (uint32_t i = 0; i < tree->n_nodes; i++) {
        if (n_open && open[2 * n_open - 2] == i) depth = open[2 * --n_open + 1];
        if (depth > tree->depth) tree->depth = depth;
        if (tree->nodes[i].kind == TREE_LEAF) continue;
        open[2 * n_open] = tree->nodes[i].right;
        open[2 * n_open++ + 1] = ++depth;
    }
    mem_free(open);
    return true;
}
