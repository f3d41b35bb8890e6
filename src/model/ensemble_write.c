#include "model/ensemble_write.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "model/onnx.pb-c.h"

/* Field numbers of onnx.proto. */
enum { NODE_ATTRIBUTE = 5, ATTRIBUTE_NAME = 1, ATTRIBUTE_TYPE = 20 };
enum { ATTRIBUTE_FLOATS = 7, ATTRIBUTE_INTS = 8, ATTRIBUTE_STRINGS = 9 };

/* One node of the file, or one entry of a leaf. */
struct place {
    const struct tree *tree;
    const uint32_t *ids; /* file number of the first step of each node of the tree */
    uint32_t t, i;
    uint32_t step, steps; /* which of the nodes of a chain; 0 and 1 elsewhere */
    float key;            /* what x is compared with; 0 in a leaf */
    uint32_t class_id;    /* of a leaf's entry; 0 for regression */
    float weight;
};

typedef void put_fn(struct sink *sink, const struct place *place);

struct array {
    const char *name[2]; /* for a classifier, a regressor */
    uint32_t field;
    bool of_leaves; /* one value an entry of a leaf, else one a node */
    put_fn *put;
};

static const struct tree_node *place_node(const struct place *place)
{
    return &place->tree->nodes[place->i];
}

static void put_mode(struct sink *sink, const struct place *place)
{
    static const char *const names[] = {"LEAF", "BRANCH_LEQ", "BRANCH_EQ"};
    const char *name = names[place_node(place)->kind];
    size_t length = strlen(name);
    sink_field(sink, ATTRIBUTE_STRINGS, length);
    sink_put(sink, name, length);
}

static void put_feature(struct sink *sink, const struct place *place)
{
    sink_varint(sink, place_node(place)->kind == TREE_LEAF ? 0 : place_node(place)->feature);
}

static void put_true_id(struct sink *sink, const struct place *place)
{
    sink_varint(sink, place_node(place)->kind == TREE_LEAF ? 0 : place->ids[place->i + 1]);
}

static void put_false_id(struct sink *sink, const struct place *place)
{
    const struct tree_node *node = place_node(place);
    if (node->kind == TREE_LEAF)
        sink_varint(sink, 0);
    else if (place->step + 1 < place->steps)
        sink_varint(sink, place->ids[place->i] + place->step + 1);
    else
        sink_varint(sink, place->ids[node->right]);
}

static void put_missing(struct sink *sink, const struct place *place)
{
    const struct tree_node *node = place_node(place);
    sink_varint(sink, node->kind != TREE_LEAF && node->missing_left);
}

static void put_hitrate(struct sink *sink, const struct place *place)
{
    sink_float(sink, place_node(place)->cover);
}

static void put_key(struct sink *sink, const struct place *place)
{
    sink_float(sink, place->key);
}

static void put_node_id(struct sink *sink, const struct place *place)
{
    sink_varint(sink, place->ids[place->i] + place->step);
}

static void put_tree_id(struct sink *sink, const struct place *place)
{
    sink_varint(sink, place->t);
}

static void put_class(struct sink *sink, const struct place *place)
{
    sink_varint(sink, place->class_id);
}

static void put_weight(struct sink *sink, const struct place *place)
{
    sink_float(sink, place->weight);
}

/* The modes come first: reading them takes the most memory for a moment. */
static const struct array arrays[ENSEMBLE_ARRAYS] = {
    {{"nodes_modes", "nodes_modes"}, ATTRIBUTE_STRINGS, false, put_mode},
    {{"nodes_featureids", "nodes_featureids"}, ATTRIBUTE_INTS, false, put_feature},
    {{"nodes_falsenodeids", "nodes_falsenodeids"}, ATTRIBUTE_INTS, false, put_false_id},
    {{"nodes_hitrates", "nodes_hitrates"}, ATTRIBUTE_FLOATS, false, put_hitrate},
    {{"nodes_missing_value_tracks_true", "nodes_missing_value_tracks_true"},
     ATTRIBUTE_INTS,
     false,
     put_missing},
    {{"nodes_nodeids", "nodes_nodeids"}, ATTRIBUTE_INTS, false, put_node_id},
    {{"nodes_treeids", "nodes_treeids"}, ATTRIBUTE_INTS, false, put_tree_id},
    {{"nodes_truenodeids", "nodes_truenodeids"}, ATTRIBUTE_INTS, false, put_true_id},
    {{"nodes_values", "nodes_values"}, ATTRIBUTE_FLOATS, false, put_key},
    {{"class_ids", "target_ids"}, ATTRIBUTE_INTS, true, put_class},
    {{"class_nodeids", "target_nodeids"}, ATTRIBUTE_INTS, true, put_node_id},
    {{"class_treeids", "target_treeids"}, ATTRIBUTE_INTS, true, put_tree_id},
    {{"class_weights", "target_weights"}, ATTRIBUTE_FLOATS, true, put_weight},
};

static uint32_t set_count(const struct category_set *set)
{
    uint32_t n = 0;
    for (int w = 0; w < 8; w++) n += (uint32_t)__builtin_popcount(set->word[w]);
    return n;
}

/* Nodes of the file that node i becomes. */
static uint32_t node_steps(const struct tree *tree, uint32_t i)
{
    const struct tree_node *node = &tree->nodes[i];
    if (node->kind != TREE_CATEGORY) return 1;
    uint32_t n = set_count(&tree->sets[node->set]);
    return n ? n : 1;
}

static void number_nodes(const struct tree *tree, uint32_t *ids)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < tree->n_nodes; i++) {
        ids[i] = next;
        next += node_steps(tree, i);
    }
}

static void put_chain(struct sink *sink, struct place *place, put_fn *put)
{
    const struct category_set *set = &place->tree->sets[place_node(place)->set];
    place->steps = node_steps(place->tree, place->i);
    place->key = ENSEMBLE_NO_CATEGORY;
    if (!set_count(set)) put(sink, place);
    for (uint32_t c = 0; c < 256; c++) {
        if (!(set->word[c >> 5] >> (c & 31) & 1)) continue;
        place->key = (float)c;
        put(sink, place);
        place->step++;
    }
}

static void put_node(struct sink *sink, struct place *place, put_fn *put)
{
    const struct tree_node *node = place_node(place);
    place->step = 0;
    place->steps = 1;
    place->key = node->kind == TREE_NUMERIC ? node->threshold : 0;
    if (node->kind == TREE_CATEGORY)
        put_chain(sink, place, put);
    else
        put(sink, place);
}

/*
 * One entry a class with a share. With two classes both get one: ONNX Runtime needs a weight for the second
 * to take the first's for a probability.
 */
static void put_leaf(struct sink *sink, struct place *place, const struct forest *forest, put_fn *put)
{
    const struct tree_node *node = place_node(place);
    place->step = 0;
    if (forest->task == BRAMBLE_TASK_REGRESSION) {
        place->weight = node->value;
        put(sink, place);
        return;
    }
    const float *shares = node->pure ? NULL : place->tree->values + node->values;
    uint32_t first = node->pure && forest->n_classes != 2 ? node->class_id : 0;
    uint32_t end = node->pure && forest->n_classes != 2 ? first + 1 : forest->n_classes;
    for (uint32_t c = first; c < end; c++) {
        place->class_id = c;
        place->weight = shares ? shares[c] : c == node->class_id;
        if (place->weight > 0 || forest->n_classes == 2) put(sink, place);
    }
}

static void put_array(struct sink *sink, const struct ensemble *ensemble, const struct array *array)
{
    const struct forest *forest = ensemble->forest;
    for (uint32_t t = 0; t < forest->n_trees; t++) {
        struct place place = {.tree = &forest->trees[t], .ids = ensemble->ids, .t = t};
        number_nodes(place.tree, ensemble->ids);
        for (place.i = 0; place.i < place.tree->n_nodes; place.i++) {
            if (!array->of_leaves)
                put_node(sink, &place, array->put);
            else if (place_node(&place)->kind == TREE_LEAF)
                put_leaf(sink, &place, forest, array->put);
        }
    }
}

static void put_head(struct sink *sink, const struct array *array, const struct forest *forest,
                     uint64_t array_bytes)
{
    const char *name = array->name[forest->task == BRAMBLE_TASK_REGRESSION];
    sink_field(sink, ATTRIBUTE_NAME, strlen(name));
    sink_put(sink, name, strlen(name));
    sink_varint(sink, ATTRIBUTE_TYPE << 3);
    sink_varint(sink, array->field == ATTRIBUTE_FLOATS ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS
                      : array->field == ATTRIBUTE_INTS ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS
                                                       : ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS);
    if (array->field != ATTRIBUTE_STRINGS) sink_field(sink, array->field, array_bytes);
}

static uint64_t attribute_bytes(const struct ensemble *ensemble, int a)
{
    struct sink counter = {0};
    put_head(&counter, &arrays[a], ensemble->forest, ensemble->array_bytes[a]);
    return counter.bytes + ensemble->array_bytes[a];
}

bramble_status ensemble_init(struct ensemble *ensemble, const struct forest *forest, bramble_error *error)
{
    uint32_t largest = 1;
    for (uint32_t t = 0; t < forest->n_trees; t++)
        if (forest->trees[t].n_nodes > largest) largest = forest->trees[t].n_nodes;
    *ensemble = (struct ensemble){.forest = forest, .ids = mem_alloc(largest, sizeof(uint32_t))};
    if (!ensemble->ids) return error_memory(error, "a model file");
    for (int a = 0; a < ENSEMBLE_ARRAYS; a++) {
        struct sink counter = {0};
        put_array(&counter, ensemble, &arrays[a]);
        ensemble->array_bytes[a] = counter.bytes;
        ensemble->bytes += sink_field_bytes(NODE_ATTRIBUTE, attribute_bytes(ensemble, a));
    }
    return BRAMBLE_OK;
}

void ensemble_write(const struct ensemble *ensemble, struct sink *sink)
{
    for (int a = 0; a < ENSEMBLE_ARRAYS; a++) {
        sink_field(sink, NODE_ATTRIBUTE, attribute_bytes(ensemble, a));
        put_head(sink, &arrays[a], ensemble->forest, ensemble->array_bytes[a]);
        put_array(sink, ensemble, &arrays[a]);
    }
}

void ensemble_fini(struct ensemble *ensemble)
{
    mem_free(ensemble->ids);
    ensemble->ids = NULL;
}
