#include "forest/tree_planes.h"

#include <math.h>
#include <string.h>

#include "forest/grow.h"

/* A node's bits in its byte of `kinds`. */
enum { KIND_BITS = 3, MISSING_LEFT_BIT = 4, PURE_BIT = 8 };

static size_t room_for(uint64_t *bytes, uint64_t n, uint32_t size)
{
    uint64_t begin = *bytes;
    *bytes += n * size;
    return (size_t)begin;
}

struct tree_planes tree_planes_of(uint32_t n_nodes, uint32_t n_sets, uint32_t n_values, uint32_t n_features,
                                  bool leaf_covers)
{
    struct tree_planes p = {.n_nodes = n_nodes,
                            .n_inner = n_nodes / 2,
                            .n_leaves = n_nodes / 2 + 1,
                            .n_sets = n_sets,
                            .n_values = n_values,
                            .n_features = n_features};
    p.n_covers = leaf_covers ? p.n_leaves : p.n_nodes;
    p.kinds = room_for(&p.bytes, n_nodes, 1);
    p.features = room_for(&p.bytes, p.n_inner, 4);
    p.inner_payloads = room_for(&p.bytes, p.n_inner, 4);
    p.leaf_payloads = room_for(&p.bytes, p.n_leaves, 4);
    p.covers = room_for(&p.bytes, p.n_covers, 4);
    p.sets = room_for(&p.bytes, n_sets, 32);
    p.values = room_for(&p.bytes, n_values, 4);
    p.importances = room_for(&p.bytes, n_features, 8);
    return p;
}

static float sum_of_covers(const struct tree *tree, uint32_t i)
{
    return (float)((double)tree->nodes[i + 1].cover + (double)tree->nodes[tree->nodes[i].right].cover);
}

bool tree_covers_add_up(const struct tree *tree)
{
    for (uint32_t i = 0; i < tree->n_nodes; i++)
        if (tree->nodes[i].kind != TREE_LEAF && tree->nodes[i].cover != sum_of_covers(tree, i)) return false;
    return true;
}

static void put(uint8_t *planes, size_t n, size_t i, uint32_t value)
{
    for (int byte = 0; byte < 4; byte++) planes[byte * n + i] = (uint8_t)(value >> 8 * byte);
}

static void put_float(uint8_t *planes, size_t n, size_t i, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put(planes, n, i, bits);
}

static uint32_t get(const uint8_t *planes, size_t n, size_t i)
{
    uint32_t value = 0;
    for (int byte = 0; byte < 4; byte++) value |= (uint32_t)planes[byte * n + i] << 8 * byte;
    return value;
}

static float get_float(const uint8_t *planes, size_t n, size_t i)
{
    uint32_t bits = get(planes, n, i);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Threshold, class or value; nothing where an index stands that follows from the node's place. */
static uint32_t payload_of(const struct tree_node *node, bool classify)
{
    uint32_t bits;
    memcpy(&bits, &node->threshold, sizeof bits);
    return node->kind == TREE_CATEGORY || (node->kind == TREE_LEAF && classify && !node->pure) ? 0 : bits;
}

static void write_nodes(const struct tree_planes *p, const struct tree *tree, uint8_t *bytes)
{
    uint32_t inner = 0, leaf = 0, cover = 0;
    /* Regression trees have no pure leaves; classification trees without shares have no others. */
    bool classify = tree->n_values > 0;
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        const struct tree_node *node = &tree->nodes[i];
        bytes[p->kinds + i] =
            (uint8_t)(node->kind | (node->missing_left ? MISSING_LEFT_BIT : 0) | (node->pure ? PURE_BIT : 0));
        if (node->kind == TREE_LEAF || p->n_covers == p->n_nodes)
            put_float(bytes + p->covers, p->n_covers, cover++, node->cover);
        if (node->kind == TREE_LEAF) {
            put(bytes + p->leaf_payloads, p->n_leaves, leaf++, payload_of(node, classify));
        } else {
            put(bytes + p->features, p->n_inner, inner, node->feature);
            put(bytes + p->inner_payloads, p->n_inner, inner++, payload_of(node, classify));
        }
    }
}

void tree_planes_write(const struct tree_planes *p, const struct tree *tree, const uint64_t *importances,
                       uint8_t *bytes)
{
    write_nodes(p, tree, bytes);
    for (uint32_t s = 0; s < p->n_sets; s++)
        for (uint32_t c = 0; c < 32; c++)
            bytes[p->sets + (size_t)s * 32 + c] = (uint8_t)(tree->sets[s].word[c / 4] >> c % 4 * 8);
    for (uint32_t v = 0; v < p->n_values; v++) put_float(bytes + p->values, p->n_values, v, tree->values[v]);
    uint8_t *low = bytes + p->importances, *high = low + (size_t)p->n_features * 4;
    for (uint32_t f = 0; f < p->n_features; f++) {
        put(low, p->n_features, f, (uint32_t)importances[f]);
        put(high, p->n_features, f, (uint32_t)(importances[f] >> 32));
    }
}

/* How many of each there were while reading. */
struct progress {
    uint32_t inner, leaves, covers, sets, values;
    uint32_t open; /* the inner node whose left subtree is being read; its `right` names the one around it */
};

static const char *read_inner(const struct tree_planes *p, const uint8_t *bytes, struct progress *done,
                              struct tree_node *node)
{
    if (done->inner == p->n_inner) return "too few leaves";
    uint32_t feature = get(bytes + p->features, p->n_inner, done->inner);
    if (feature >= p->n_features) return "a feature that is not there";
    node->feature = feature & 0xfffffff;
    node->threshold = get_float(bytes + p->inner_payloads, p->n_inner, done->inner++);
    if (node->kind == TREE_NUMERIC) return isfinite(node->threshold) ? NULL : "a threshold that is no number";
    if (done->sets == p->n_sets) return "too few sets of categories";
    node->set = done->sets++;
    return NULL;
}

static const char *read_leaf(const struct tree_planes *p, const uint8_t *bytes, uint32_t n_classes,
                             struct progress *done, struct tree_node *node)
{
    if (done->leaves == p->n_leaves) return "too many leaves";
    node->class_id = get(bytes + p->leaf_payloads, p->n_leaves, done->leaves);
    done->leaves++;
    if (!n_classes) return isfinite(node->value) ? NULL : "a leaf whose value is no number";
    if (node->pure) return node->class_id < n_classes ? NULL : "a class that is not there";
    if (p->n_values - done->values < n_classes) return "too few class shares";
    node->values = done->values;
    done->values += n_classes;
    return NULL;
}

/* After a leaf comes the right child of the innermost open node. */
static const char *place_next(const struct tree_planes *p, struct tree *tree, uint32_t leaf,
                              struct progress *done)
{
    if (done->open == UINT32_MAX) return leaf + 1 == p->n_nodes ? NULL : "nodes beyond the last leaf";
    uint32_t around = tree->nodes[done->open].right;
    tree->nodes[done->open].right = leaf + 1;
    done->open = around;
    return leaf + 1 < p->n_nodes ? NULL : "a right child that is not there";
}

static const char *read_node(const struct tree_planes *p, const uint8_t *bytes, uint32_t n_classes,
                             struct tree *tree, uint32_t i, struct progress *done)
{
    struct tree_node *node = &tree->nodes[i];
    uint8_t kind = bytes[p->kinds + i];
    bool leaf = (kind & KIND_BITS) == TREE_LEAF;
    if (kind > PURE_BIT || (kind & KIND_BITS) > TREE_CATEGORY) return "a kind of node unknown";
    if (kind & (leaf ? MISSING_LEFT_BIT : PURE_BIT) || (!n_classes && kind & PURE_BIT))
        return "a kind of node unknown";
    *node = (struct tree_node){.kind = kind & KIND_BITS,
                               .missing_left = (kind & MISSING_LEFT_BIT) != 0,
                               .pure = (kind & PURE_BIT) != 0};
    const char *wrong = leaf ? read_leaf(p, bytes, n_classes, done, node) : read_inner(p, bytes, done, node);
    if (wrong) return wrong;
    if (leaf || p->n_covers == p->n_nodes) {
        node->cover = get_float(bytes + p->covers, p->n_covers, done->covers++);
        if (!(node->cover >= 0 && isfinite(node->cover))) return "a cover that is no weight";
    }
    if (leaf) return place_next(p, tree, i, done);
    node->right = done->open;
    done->open = i;
    return NULL;
}

static const char *read_rest(const struct tree_planes *p, const uint8_t *bytes, struct tree *tree,
                             uint64_t *importances)
{
    for (uint32_t s = 0; s < p->n_sets; s++) {
        memset(&tree->sets[s], 0, sizeof tree->sets[s]);
        for (uint32_t c = 0; c < 32; c++)
            tree->sets[s].word[c / 4] |= (uint32_t)bytes[p->sets + (size_t)s * 32 + c] << c % 4 * 8;
    }
    for (uint32_t v = 0; v < p->n_values; v++) {
        tree->values[v] = get_float(bytes + p->values, p->n_values, v);
        if (!(tree->values[v] >= 0 && tree->values[v] <= 1)) return "a class share that is none";
    }
    const uint8_t *low = bytes + p->importances, *high = low + (size_t)p->n_features * 4;
    for (uint32_t f = 0; f < p->n_features; f++) {
        importances[f] = get(low, p->n_features, f) | (uint64_t)get(high, p->n_features, f) << 32;
        if (importances[f] > UINT64_C(1) << IMPORTANCE_BITS) return "an importance above 1";
    }
    return NULL;
}

const char *tree_planes_read(const struct tree_planes *p, const uint8_t *bytes, uint32_t n_classes,
                             struct tree *tree, uint64_t *importances)
{
    struct progress done = {.open = UINT32_MAX};
    for (uint32_t i = 0; i < p->n_nodes; i++) {
        const char *wrong = read_node(p, bytes, n_classes, tree, i, &done);
        if (wrong) return wrong;
    }
    if (done.sets != p->n_sets || done.values != p->n_values) return "sets or shares without a node";
    for (uint32_t i = p->n_nodes; p->n_covers < p->n_nodes && i-- > 0;) {
        if (tree->nodes[i].kind != TREE_LEAF) tree->nodes[i].cover = sum_of_covers(tree, i);
        if (!isfinite(tree->nodes[i].cover)) return "a cover that is no weight";
    }
    return read_rest(p, bytes, tree, importances);
}
