#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "model/damaged.h"
#include "model/ensemble_read.h"
#include "model/ensemble_write.h"
#include "model/metadata.h"
#include "model/onnx_file.h"
#include "model/onnx_graph.h"
#include "model/onnx_net_load.h"

static const char wanted[] = "name a model that bramble wrote";

static bool is_setting(const Onnx__StringStringEntryProto *entry)
{
    static const char *const own[] = {METADATA_SCHEMA, METADATA_IMPORTANCES, METADATA_OOB_SCORE,
                                      METADATA_ENCODER, METADATA_NETWORK};
    if (!entry->key || !entry->value) return false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(entry->key, own[i]) == 0) return false;
    return true;
}

static bramble_status read_settings(struct bramble_model *model, const Onnx__ModelProto *file,
                                    bramble_error *error)
{
    model->settings = mem_zalloc(file->n_metadata_props, sizeof *model->settings);
    if (!model->settings) return error_memory(error, "a model's settings");
    for (size_t i = 0; i < file->n_metadata_props; i++) {
        if (!is_setting(file->metadata_props[i])) continue;
        struct setting *setting = &model->settings[model->n_settings++];
        setting->key = mem_strdup(file->metadata_props[i]->key);
        setting->value = mem_strdup(file->metadata_props[i]->value);
        if (!setting->key || !setting->value) return error_memory(error, "a model's settings");
    }
    return BRAMBLE_OK;
}

static bramble_status read_numbers(struct forest *forest, const Onnx__ModelProto *file, const char *name,
                                   bramble_error *error)
{
    const char *importances = onnx_file_entry(file, METADATA_IMPORTANCES);
    const char *oob_score = onnx_file_entry(file, METADATA_OOB_SCORE);
    if (!importances) return model_damaged(error, name, "its metadata lack the importances");
    forest->importances = mem_alloc(forest->n_features, sizeof *forest->importances);
    if (!forest->importances) return error_memory(error, "a model's importances");
    forest->oob_score = NAN;
    bramble_status status =
        numbers_from_json(forest->importances, forest->n_features, importances, name, error);
    if (!status && oob_score) status = numbers_from_json(&forest->oob_score, 1, oob_score, name, error);
    return status;
}

static bool same_message(const ProtobufCMessage *a, const ProtobufCMessage *b, bool *same)
{
    size_t n = protobuf_c_message_get_packed_size(a);
    *same = n == protobuf_c_message_get_packed_size(b);
    if (!*same) return true;
    uint8_t *bytes = mem_alloc(n, 2);
    if (!bytes) return false;
    protobuf_c_message_pack(a, bytes);
    protobuf_c_message_pack(b, bytes + n);
    *same = memcmp(bytes, bytes + n, n) == 0;
    mem_free(bytes);
    return true;
}

/*
 * The graph but for the trees must be the very one that bramble writes for this schema, so that other
 * programs compute what bramble does. Cuts the ensemble out of `file`, for a moment.
 */
static bramble_status check_graph(const struct bramble_model *model, Onnx__ModelProto *file, const char *name,
                                  bramble_error *error)
{
    struct onnx_graph expected;
    bramble_status status = onnx_graph_init(&expected, model, error);
    if (status) return status;
    Onnx__NodeProto *node = file->graph->node[0];
    size_t n_attributes = node->n_attribute;
    bool same = n_attributes == expected.nodes[0].node.n_attribute + ENSEMBLE_ARRAYS, done = true;
    if (same) {
        node->n_attribute -= ENSEMBLE_ARRAYS;
        done = same_message(&node->base, &expected.nodes[0].node.base, &same);
        node->n_attribute = n_attributes;
    }
    if (done && same) {
        file->graph->n_node--;
        file->graph->node++;
        done = same_message(&file->graph->base, &expected.graph.base, &same);
        file->graph->node--;
        file->graph->n_node++;
    }
    onnx_graph_fini(&expected);
    if (!done) return error_memory(error, "a model's description");
    return same ? BRAMBLE_OK : model_damaged(error, name, "its graph is not as bramble writes it");
}

static bramble_status read_forest(struct bramble_model *model, Onnx__ModelProto *file, const char *name,
                                  bramble_error *error)
{
    struct forest *forest = model->forest = mem_zalloc(1, sizeof *forest);
    if (!forest) return error_memory(error, "a model");
    forest->task = model->schema.task;
    forest->n_features = model->schema.n_features;
    forest->n_classes = model->schema.n_classes;
    bramble_status status = read_numbers(forest, file, name, error);
    if (!status) status = ensemble_read(forest, file->graph->node[0], &model->schema, name, error);
    if (!status) status = check_graph(model, file, name, error);
    return status;
}

static bramble_status read_model(struct bramble_model *model, Onnx__ModelProto *file, const char *name,
                                 bramble_error *error)
{
    bramble_status status =
        schema_from_json(&model->schema, onnx_file_entry(file, METADATA_SCHEMA), name, error);
    if (!status) status = read_settings(model, file, error);
    if (status) return status;
    return onnx_net_is_ours(file) ? onnx_net_load(model, file, name, error)
                                  : read_forest(model, file, name, error);
}

static bramble_status read_file(struct bramble_model **out, Onnx__ModelProto *file, const char *name,
                                bramble_error *error)
{
    if (!onnx_file_entry(file, METADATA_SCHEMA) || !file->graph || !file->graph->n_node)
        return error_set(
            error, BRAMBLE_ERR_DATA,
            "%s: no model of bramble's (its metadata have no \"%s\"); name one that bramble wrote", name,
            METADATA_SCHEMA);
    struct bramble_model *model = mem_zalloc(1, sizeof *model);
    if (!model) return error_memory(error, "a model");
    bramble_status status = read_model(model, file, name, error);
    if (status)
        model_free(model);
    else
        *out = model;
    return status;
}

bramble_status model_decode(struct bramble_model **out, const void *bytes, size_t size, const char *name,
                            bramble_error *error)
{
    struct onnx_file file;
    bramble_status status = onnx_file_decode(&file, bytes, size, name, wanted, error);
    if (status) return status;
    status = read_file(out, file.model, name, error);
    onnx_file_fini(&file);
    return status;
}

bramble_status model_load(struct bramble_model **out, const char *path, bramble_error *error)
{
    struct onnx_file file;
    bramble_status status = onnx_file_load(&file, path, wanted, error);
    if (status) return status;
    status = read_file(out, file.model, path, error);
    onnx_file_fini(&file);
    return status;
}
