#include "model/onnx_net_write.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "model/metadata.h"
#include "model/net_json.h"

enum { ONNX_IR = 8, ONNX_OPSET = 17, OWN_ENTRIES = 3 };

/* The metadata of a model file: our own entries, then the settings. */
struct entries {
    size_t n;
    Onnx__StringStringEntryProto *entry, **pointer;
    char *texts[OWN_ENTRIES];
};

static void entries_fini(struct entries *entries)
{
    for (int i = 0; i < OWN_ENTRIES; i++) mem_free(entries->texts[i]);
    mem_free(entries->entry);
    mem_free(entries->pointer);
}

static void add_entry(struct entries *entries, char *key, char *value)
{
    Onnx__StringStringEntryProto *entry = &entries->entry[entries->n];
    onnx__string_string_entry_proto__init(entry);
    entry->key = key;
    entry->value = value;
    entries->pointer[entries->n++] = entry;
}

static bramble_status entries_init(struct entries *entries, const struct bramble_model *model,
                                   bramble_error *error)
{
    static char *const keys[OWN_ENTRIES] = {METADATA_SCHEMA, METADATA_ENCODER, METADATA_NETWORK};
    size_t n = (size_t)model->n_settings + OWN_ENTRIES;
    *entries = (struct entries){.entry = mem_alloc(n, sizeof *entries->entry),
                                .pointer = mem_alloc(n, sizeof *entries->pointer)};
    bramble_status status =
        entries->entry && entries->pointer ? BRAMBLE_OK : error_memory(error, "a model's metadata");
    if (!status) status = schema_to_json(&entries->texts[0], &model->schema, error);
    if (!status) status = encoder_to_json(&entries->texts[1], &model->encoder, error);
    if (!status) status = net_to_json(&entries->texts[2], model->net, error);
    for (int i = 0; !status && i < OWN_ENTRIES; i++) add_entry(entries, keys[i], entries->texts[i]);
    for (uint32_t i = 0; !status && i < model->n_settings; i++)
        add_entry(entries, model->settings[i].key, model->settings[i].value);
    if (status) entries_fini(entries);
    return status;
}

/* protobuf-c's buffer that writes on. */
struct file_buffer {
    ProtobufCBuffer base;
    struct outfile *file;
};

static void append(ProtobufCBuffer *buffer, size_t n, const uint8_t *bytes)
{
    outfile_write(((struct file_buffer *)buffer)->file, bytes, n);
}

static bramble_status write_file(const Onnx__ModelProto *file, const char *path, bramble_error *error)
{
    struct file_buffer buffer = {.base = {append}};
    size_t bytes = onnx__model_proto__get_packed_size(file);
    if (bytes > INT32_MAX)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                         "%s: the model takes %.1f GB and ONNX files end at 2 GB; use a smaller network",
                         path, (double)bytes * 1e-9);
    bramble_status status = outfile_open(&buffer.file, path, error);
    if (status) return status;
    onnx__model_proto__pack_to_buffer(file, &buffer.base);
    return outfile_commit(buffer.file, error);
}

static char *find_version(const struct bramble_model *model)
{
    for (uint32_t i = 0; i < model->n_settings; i++)
        if (strcmp(model->settings[i].key, "bramble.version") == 0) return model->settings[i].value;
    return BRAMBLE_VERSION;
}

static bramble_status save(const struct bramble_model *model, struct net_file_graph *graph, const char *path,
                           bramble_error *error)
{
    struct entries entries;
    bramble_status status = entries_init(&entries, model, error);
    if (status) return status;
    Onnx__OperatorSetIdProto set = ONNX__OPERATOR_SET_ID_PROTO__INIT, *sets = &set;
    Onnx__ModelProto file = ONNX__MODEL_PROTO__INIT;
    set.domain = "";
    set.has_version = 1;
    set.version = ONNX_OPSET;
    file.has_ir_version = 1;
    file.ir_version = ONNX_IR;
    file.producer_name = "bramble";
    file.producer_version = find_version(model);
    file.n_opset_import = 1;
    file.opset_import = &sets;
    file.n_metadata_props = entries.n;
    file.metadata_props = entries.pointer;
    file.graph = &graph->builder.graph;
    status = write_file(&file, path, error);
    entries_fini(&entries);
    return status;
}

bramble_status onnx_net_save(const struct bramble_model *model, const char *path, bramble_error *error)
{
    struct net_file_graph graph;
    bramble_status status = net_file_graph_init(&graph, model, error);
    if (status) return status;
    status = save(model, &graph, path, error);
    net_file_graph_fini(&graph);
    return status;
}
