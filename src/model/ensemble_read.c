#include "model/ensemble_read.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "model/damaged.h"
#include "model/ensemble_arrays.h"
#include "model/ensemble_write.h"

struct reader {
    struct ensemble_arrays arrays;
    const struct bramble_schema *schema;
    struct forest *forest;
    const char *name;
    bramble_error *error;
    uint32_t t;        /* the tree at hand */
    size_t node;       /* its first node in the arrays */
    uint32_t n_nodes;  /* its nodes in the file */
    size_t entry;      /* the next leaf's first entry */
    uint32_t *pending; /* nodes whose right child is still to come, the innermost last */
    uint32_t n_pending;
};

static bramble_status refuse(const struct reader *r, uint32_t id, const char *what)
{
    return model_damaged(r->error, r->name, "tree %u, node %u: %s", r->t, id, what);
}

/* Trees are numbered 0, 1, ... and their nodes stand together. */
static bramble_status count_trees(struct reader *r)
{
    const struct ensemble_arrays *arrays = &r->arrays;
    uint32_t n_trees = 0;
    for (size_t i = 0; i < arrays->n_nodes; i++) {
        if (arrays->tree_id[i] == (int64_t)n_trees)
            n_trees++;
        else if (!i || arrays->tree_id[i] != arrays->tree_id[i - 1])
            return model_damaged(r->error, r->name, "its trees are not numbered in order");
    }
    r->forest->trees = mem_zalloc(n_trees, sizeof *r->forest->trees);
    if (!r->forest->trees) return error_memory(r->error, "a model's trees");
    r->forest->n_trees = n_trees;
    return BRAMBLE_OK;
}

/* The length of tree t's run of nodes, whose ids must count from 0. */
static bramble_status count_nodes(struct reader *r)
{
    const struct ensemble_arrays *arrays = &r->arrays;
    uint32_t n = 0;
    for (size_t i = r->node; i < arrays->n_nodes && arrays->tree_id[i] == r->t; i++, n++)
        if (arrays->node_id[i] != n) return refuse(r, n, "is not numbered in order");
    r->n_nodes = n;
    return BRAMBLE_OK;
}

static bool mode_is(const ProtobufCBinaryData *mode, const char *name)
{
    return mode->len == strlen(name) && memcmp(mode->data, name, mode->len) == 0;
}

static bramble_status read_kind(const struct reader *r, uint32_t id, enum tree_node_kind *kind)
{
    const ProtobufCBinaryData *mode = &r->arrays.mode[r->node + id];
    if (mode_is(mode, "LEAF"))
        *kind = TREE_LEAF;
    else if (mode_is(mode, "BRANCH_LEQ"))
        *kind = TREE_NUMERIC;
    else if (mode_is(mode, "BRANCH_EQ"))
        *kind = TREE_CATEGORY;
    else
        return refuse(r, id, "has a mode other than LEAF, BRANCH_LEQ and BRANCH_EQ");
    return BRAMBLE_OK;
}

/* Nodes from `id` to the one before its true child: the chain, or a single node. 0: no chain. */
static uint32_t chain_length(const struct reader *r, uint32_t id)
{
    const struct ensemble_arrays *arrays = &r->arrays;
    size_t i = r->node + id;
    int64_t end = arrays->true_id[i];
    if (end <= id || end >= r->n_nodes || end - id > 256) return 0;
    uint32_t n = (uint32_t)end - id;
    for (uint32_t k = 1; k < n; k++)
        if (!mode_is(&arrays->mode[i + k], "BRANCH_EQ") || arrays->true_id[i + k] != end ||
            arrays->false_id[i + k - 1] != id + k || arrays->feature[i + k] != arrays->feature[i] ||
            arrays->missing[i + k] != arrays->missing[i] || !(arrays->key[i + k] > arrays->key[i + k - 1]))
            return 0;
    return n;
}

static bramble_status read_set(const struct reader *r, uint32_t id, uint32_t n, struct category_set *set)
{
    const float *keys = r->arrays.key + r->node + id;
    *set = (struct category_set){0};
    if (n == 1 && keys[0] == ENSEMBLE_NO_CATEGORY) return BRAMBLE_OK;
    for (uint32_t k = 0; k < n; k++) {
        if (!(keys[k] >= 0 && keys[k] < 256) || keys[k] != floorf(keys[k]))
            return refuse(r, id + k, "compares with something that is no category");
        uint32_t c = (uint32_t)keys[k];
        set->word[c >> 5] |= (uint32_t)1 << (c & 31);
    }
    return BRAMBLE_OK;
}

/* Entries that follow r->entry and belong to leaf `id`. */
static size_t count_entries(const struct reader *r, uint32_t id)
{
    const struct ensemble_arrays *arrays = &r->arrays;
    size_t n = 0;
    for (size_t e = r->entry; e < arrays->n_entries; e++, n++)
        if (arrays->entry_tree[e] != r->t || arrays->entry_node[e] != id) break;
    return n;
}

/* The entries of a leaf: how many there are, and the one class when that has all. */
struct leaf {
    size_t n;
    bool pure;
    uint32_t class_id;
};

static bramble_status check_shares(const struct reader *r, uint32_t id, struct leaf *leaf)
{
    const int64_t *classes = r->arrays.entry_class + r->entry;
    const float *weights = r->arrays.entry_weight + r->entry;
    size_t n_positive = 0;
    for (size_t e = 0; e < leaf->n; e++) {
        if (classes[e] < 0 || classes[e] >= r->forest->n_classes || (e && classes[e] <= classes[e - 1]))
            return refuse(r, id, "has a class that is not there, twice or out of order");
        if (!(weights[e] >= 0 && weights[e] <= 1)) return refuse(r, id, "has a share outside 0 to 1");
        n_positive += weights[e] > 0;
        if (weights[e] == 1) leaf->class_id = (uint32_t)classes[e];
        leaf->pure |= weights[e] == 1;
    }
    if (!n_positive) return refuse(r, id, "has no class");
    leaf->pure &= n_positive == 1;
    return BRAMBLE_OK;
}

/* The leaf `id`, whose entries begin at r->entry; checked. */
static bramble_status find_leaf(const struct reader *r, uint32_t id, struct leaf *leaf)
{
    *leaf = (struct leaf){.n = count_entries(r, id)};
    if (r->forest->task == BRAMBLE_TASK_CLASSIFICATION) return check_shares(r, id, leaf);
    if (leaf->n != 1 || r->arrays.entry_class[r->entry] != 0 || !isfinite(r->arrays.entry_weight[r->entry]))
        return refuse(r, id, "is a leaf without one finite value");
    return BRAMBLE_OK;
}

/* How much room the tree needs. Checks chains and leaves on the way; leaves r->entry as it was. */
static bramble_status measure_tree(struct reader *r, struct tree *tree)
{
    size_t first_entry = r->entry;
    uint64_t n_values = 0;
    for (uint32_t id = 0, steps; id < r->n_nodes; id += steps, tree->n_nodes++) {
        enum tree_node_kind kind = TREE_LEAF;
        bramble_status status = read_kind(r, id, &kind);
        steps = 1;
        if (!status && kind == TREE_CATEGORY) {
            steps = chain_length(r, id);
            if (!steps) status = refuse(r, id, "begins no chain of categories");
            tree->n_sets++;
        } else if (!status && kind == TREE_LEAF) {
            struct leaf leaf;
            status = find_leaf(r, id, &leaf);
            if (r->forest->n_classes && !leaf.pure) n_values += r->forest->n_classes;
            r->entry += leaf.n;
        }
        if (status) return status;
    }
    r->entry = first_entry;
    if (n_values > UINT32_MAX) return refuse(r, 0, "is the root of a tree with more than 2^32 shares");
    tree->n_values = (uint32_t)n_values;
    return BRAMBLE_OK;
}

static bramble_status allocate_tree(struct reader *r, struct tree *tree)
{
    tree->nodes = mem_zalloc(tree->n_nodes, sizeof *tree->nodes);
    if (tree->n_sets) tree->sets = mem_alloc(tree->n_sets, sizeof *tree->sets);
    if (tree->n_values) tree->values = mem_zalloc(tree->n_values, sizeof *tree->values);
    if (tree->nodes && (tree->sets || !tree->n_sets) && (tree->values || !tree->n_values)) return BRAMBLE_OK;
    return error_memory(r->error, "a model's trees");
}

/* What both kinds of branch share. Its right child keeps its number in the file until it is met. */
static bramble_status read_branch(struct reader *r, struct tree *tree, uint32_t m, uint32_t id,
                                  uint32_t steps)
{
    const struct ensemble_arrays *arrays = &r->arrays;
    struct tree_node *node = &tree->nodes[m];
    size_t i = r->node + id;
    if (arrays->feature[i] < 0 || arrays->feature[i] >= r->forest->n_features)
        return refuse(r, id, "asks for a feature that is not there");
    node->feature = (uint32_t)arrays->feature[i];
    bool category = r->schema->features[node->feature].type == BRAMBLE_FEATURE_CATEGORY;
    if (category != (node->kind == TREE_CATEGORY))
        return refuse(r, id, "asks a category for its size or a number for its name");
    if (arrays->missing[i] != 0 && arrays->missing[i] != 1)
        return refuse(r, id, "sends missing values neither left nor right");
    node->missing_left = (uint32_t)arrays->missing[i];
    int64_t right = arrays->false_id[i + steps - 1];
    if (arrays->true_id[i] != (int64_t)id + steps || right <= (int64_t)id + steps || right >= r->n_nodes)
        return refuse(r, id, "has children that are not there");
    node->right = (uint32_t)right;
    r->pending[r->n_pending++] = m;
    return BRAMBLE_OK;
}

static bramble_status read_leaf(struct reader *r, struct tree *tree, uint32_t m, uint32_t id,
                                uint32_t *n_values)
{
    struct tree_node *node = &tree->nodes[m];
    struct leaf leaf;
    bramble_status status = find_leaf(r, id, &leaf);
    if (status) return status;
    const int64_t *classes = r->arrays.entry_class + r->entry;
    const float *weights = r->arrays.entry_weight + r->entry;
    r->entry += leaf.n;
    node->pure = leaf.pure;
    if (r->forest->task == BRAMBLE_TASK_REGRESSION) {
        node->value = weights[0];
    } else if (leaf.pure) {
        node->class_id = leaf.class_id;
    } else {
        node->values = *n_values;
        *n_values += r->forest->n_classes;
        for (size_t e = 0; e < leaf.n; e++) tree->values[node->values + (size_t)classes[e]] = weights[e];
    }
    return BRAMBLE_OK;
}

/* Node `id` of the file as node m of the tree; *steps nodes of the file make it. */
static bramble_status read_node(struct reader *r, struct tree *tree, uint32_t m, uint32_t id, uint32_t *steps,
                                struct tree *used)
{
    struct tree_node *node = &tree->nodes[m];
    enum tree_node_kind kind = TREE_LEAF;
    bramble_status status = read_kind(r, id, &kind);
    if (status) return status;
    node->kind = kind;
    node->cover = r->arrays.hitrate[r->node + id];
    if (!isfinite(node->cover) || node->cover < 0) return refuse(r, id, "has a hitrate that is no weight");
    *steps = 1;
    if (kind == TREE_LEAF) return read_leaf(r, tree, m, id, &used->n_values);
    if (kind == TREE_CATEGORY) {
        *steps = chain_length(r, id);
        node->set = used->n_sets++;
        status = read_set(r, id, *steps, &tree->sets[node->set]);
        if (status) return status;
    } else {
        node->threshold = r->arrays.key[r->node + id];
        if (!isfinite(node->threshold)) return refuse(r, id, "has a threshold that is not finite");
    }
    return read_branch(r, tree, m, id, *steps);
}

/*
 * In preorder what follows a leaf is the right child of the innermost node that still lacks one. Where that
 * holds throughout, and nothing is left over, every node but the root is the child of exactly one.
 */
static bramble_status fill_tree(struct reader *r, struct tree *tree)
{
    struct tree used = {0};
    uint32_t id = 0, steps = 1;
    for (uint32_t m = 0; m < tree->n_nodes; m++, id += steps) {
        if (m && tree->nodes[m - 1].kind == TREE_LEAF) {
            struct tree_node *parent = r->n_pending ? &tree->nodes[r->pending[--r->n_pending]] : NULL;
            if (!parent || parent->right != id) return refuse(r, id, "is not where its parent looks for it");
            parent->right = m;
        }
        bramble_status status = read_node(r, tree, m, id, &steps, &used);
        if (status) return status;
    }
    if (r->n_pending) return refuse(r, id - 1, "is the last, but others still lack a child");
    return BRAMBLE_OK;
}

static bramble_status read_tree(struct reader *r)
{
    struct tree *tree = &r->forest->trees[r->t];
    bramble_status status = count_nodes(r);
    if (!status) status = measure_tree(r, tree);
    if (!status) status = allocate_tree(r, tree);
    if (status) return status;
    r->pending = mem_alloc(tree->n_nodes, sizeof *r->pending);
    r->n_pending = 0;
    status = r->pending ? fill_tree(r, tree) : error_memory(r->error, "a model's trees");
    mem_free(r->pending);
    if (!status && !tree_measure(tree)) status = error_memory(r->error, "a model's trees");
    r->node += r->n_nodes;
    return status;
}

bramble_status ensemble_read(struct forest *forest, const Onnx__NodeProto *node,
                             const struct bramble_schema *schema, const char *name, bramble_error *error)
{
    struct reader r = {.schema = schema, .forest = forest, .name = name, .error = error};
    if (!ensemble_arrays_find(&r.arrays, node, forest->task == BRAMBLE_TASK_REGRESSION))
        return model_damaged(error, name, "its trees lack a property, or have one too short or too long");
    bramble_status status = count_trees(&r);
    for (; !status && r.t < forest->n_trees; r.t++) status = read_tree(&r);
    if (!status && r.entry != r.arrays.n_entries)
        return model_damaged(error, name, "it has values of leaves that are not there");
    return status;
}
