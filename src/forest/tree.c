#include "forest/tree.h"

#include "base/mem.h"

void tree_fini(struct tree *tree)
{
    mem_free(tree->nodes);
    mem_free(tree->sets);
    mem_free(tree->values);
    *tree = (struct tree){0};
}

/* In preorder a node's depth is known before its children: walked with the right edges still open. */
uint32_t tree_depth(const struct tree *tree)
{
    uint32_t deepest = 0, open = 0, capacity = 0;
    struct edge {
        uint32_t node, depth;
    } *edges = NULL;
    uint32_t depth = 0;
    for (uint32_t i = 0; i < tree->n_nodes; i++) {
        if (open && edges[open - 1].node == i) depth = edges[--open].depth;
        if (depth > deepest) deepest = depth;
        if (tree->nodes[i].kind == TREE_LEAF) continue;
        if (open == capacity) {
            capacity = capacity ? capacity * 2 : 64;
            struct edge *more = mem_resize(edges, capacity, sizeof *edges);
            if (!more) break;
            edges = more;
        }
        depth++;
        edges[open++] = (struct edge){tree->nodes[i].right, depth};
    }
    mem_free(edges);
    return deepest;
}
