#include "model/ensemble_arrays.h"

#include <string.h>

static const Onnx__AttributeProto *find_attribute(const Onnx__NodeProto *node, const char *name)
{
    for (size_t a = 0; a < node->n_attribute; a++)
        if (node->attribute[a]->name && strcmp(node->attribute[a]->name, name) == 0)
            return node->attribute[a];
    return NULL;
}

static bool find_ints(const Onnx__NodeProto *node, const char *name, size_t n, const int64_t **out)
{
    const Onnx__AttributeProto *attribute = find_attribute(node, name);
    if (!attribute || attribute->n_ints != n) return false;
    *out = attribute->ints;
    return true;
}

static bool find_floats(const Onnx__NodeProto *node, const char *name, size_t n, const float **out)
{
    const Onnx__AttributeProto *attribute = find_attribute(node, name);
    if (!attribute || attribute->n_floats != n) return false;
    *out = attribute->floats;
    return true;
}

static bool find_node_arrays(struct ensemble_arrays *arrays, const Onnx__NodeProto *node)
{
    const Onnx__AttributeProto *mode = find_attribute(node, "nodes_modes");
    if (!mode || !mode->n_strings || mode->n_strings > INT32_MAX) return false;
    size_t n = arrays->n_nodes = mode->n_strings;
    arrays->mode = mode->strings;
    return find_ints(node, "nodes_featureids", n, &arrays->feature) &&
           find_ints(node, "nodes_truenodeids", n, &arrays->true_id) &&
           find_ints(node, "nodes_falsenodeids", n, &arrays->false_id) &&
           find_ints(node, "nodes_missing_value_tracks_true", n, &arrays->missing) &&
           find_ints(node, "nodes_nodeids", n, &arrays->node_id) &&
           find_ints(node, "nodes_treeids", n, &arrays->tree_id) &&
           find_floats(node, "nodes_hitrates", n, &arrays->hitrate) &&
           find_floats(node, "nodes_values", n, &arrays->key);
}

static bool find_entry_arrays(struct ensemble_arrays *arrays, const Onnx__NodeProto *node, bool regression)
{
    const Onnx__AttributeProto *weights =
        find_attribute(node, regression ? "target_weights" : "class_weights");
    if (!weights) return false;
    size_t n = arrays->n_entries = weights->n_floats;
    arrays->entry_weight = weights->floats;
    return find_ints(node, regression ? "target_ids" : "class_ids", n, &arrays->entry_class) &&
           find_ints(node, regression ? "target_nodeids" : "class_nodeids", n, &arrays->entry_node) &&
           find_ints(node, regression ? "target_treeids" : "class_treeids", n, &arrays->entry_tree);
}

bool ensemble_arrays_find(struct ensemble_arrays *arrays, const Onnx__NodeProto *node, bool regression)
{
    *arrays = (struct ensemble_arrays){0};
    return find_node_arrays(arrays, node) && find_entry_arrays(arrays, node, regression);
}
