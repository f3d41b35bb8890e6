#include "forest/growing_tree.h"

#include <string.h>

#include "base/mem.h"

/* Makes room for `more` beyond `used`; false (and failed) when there is none. */
static bool stretch(struct growing_tree *tree, void **array, uint32_t *capacity, uint32_t used, uint32_t more,
                    size_t size)
{
    if (tree->failed) return false;
    if (*capacity - used >= more) return true;
    uint64_t wanted =
        (uint64_t)*capacity * 2 > (uint64_t)used + more ? (uint64_t)*capacity * 2 : (uint64_t)used + more;
    if (wanted < 256) wanted = 256;
    void *bigger = wanted > UINT32_MAX ? NULL : mem_resize(*array, (size_t)wanted, size);
    if (!bigger) {
        tree->failed = true;
        return false;
    }
    *array = bigger;
    *capacity = (uint32_t)wanted;
    return true;
}

uint32_t growing_tree_add_node(struct growing_tree *tree)
{
    uint32_t gain_capacity = tree->node_capacity;
    if (!stretch(tree, (void **)&tree->gains, &gain_capacity, tree->n_nodes, 1, sizeof *tree->gains))
        return 0;
    if (!stretch(tree, (void **)&tree->nodes, &tree->node_capacity, tree->n_nodes, 1, sizeof *tree->nodes))
        return 0;
    tree->gains[tree->n_nodes] = 0;
    tree->nodes[tree->n_nodes] = (struct tree_node){0};
    return tree->n_nodes++;
}

uint32_t growing_tree_add_set(struct growing_tree *tree, const uint32_t word[8])
{
    if (!stretch(tree, (void **)&tree->sets, &tree->set_capacity, tree->n_sets, 1, sizeof *tree->sets))
        return 0;
    memcpy(tree->sets[tree->n_sets].word, word, sizeof tree->sets->word);
    return tree->n_sets++;
}

uint32_t growing_tree_add_values(struct growing_tree *tree, uint32_t n)
{
    if (!stretch(tree, (void **)&tree->values, &tree->value_capacity, tree->n_values, n,
                 sizeof *tree->values))
        return 0;
    tree->n_values += n;
    return tree->n_values - n;
}

void growing_tree_clear(struct growing_tree *tree)
{
    tree->n_nodes = tree->n_sets = tree->n_values = 0;
    tree->failed = false;
}

void growing_tree_fini(struct growing_tree *tree)
{
    mem_free(tree->nodes);
    mem_free(tree->gains);
    mem_free(tree->sets);
    mem_free(tree->values);
    *tree = (struct growing_tree){0};
}

static void *copy_of(const void *array, uint32_t n, size_t size)
{
    void *copy = mem_alloc(n, size);
    if (copy && n) memcpy(copy, array, n * size);
    return copy;
}

bool growing_tree_finish(const struct growing_tree *tree, struct tree *out)
{
    if (tree->failed) return false;
    struct tree exact = {
        .n_nodes = tree->n_nodes,
        .n_sets = tree->n_sets,
        .n_values = tree->n_values,
        .nodes = copy_of(tree->nodes, tree->n_nodes, sizeof *tree->nodes),
        .sets = copy_of(tree->sets, tree->n_sets, sizeof *tree->sets),
        .values = copy_of(tree->values, tree->n_values, sizeof *tree->values),
    };
    if (!exact.nodes || !exact.sets || !exact.values || !tree_measure(&exact)) {
        tree_fini(&exact);
        return false;
    }
    *out = exact;
    return true;
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

void growing_tree_renumber(struct growing_tree *tree, uint32_t n_classes)
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
