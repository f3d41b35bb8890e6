#include "model/onnx_net_write.h"

#include "base/error.h"
#include "base/outfile.h"
#include "model/metadata.h"
#include "model/metadata_entries.h"
#include "model/net_json.h"

enum { ONNX_OPSET = 17 };

static bramble_status entries_init(struct metadata_entries *entries, const struct bramble_model *model,
                                   bramble_error *error)
{
    static char *const keys[METADATA_TEXTS_MAX] = {METADATA_SCHEMA, METADATA_ENCODER, METADATA_NETWORK};
    bramble_status status = metadata_entries_init(entries, model, error);
    if (status) return status;
    status = schema_to_json(&entries->texts[0], &model->schema, error);
    if (!status) status = encoder_to_json(&entries->texts[1], &model->encoder, error);
    if (!status) status = net_to_json(&entries->texts[2], model->net, error);
    if (status)
        metadata_entries_fini(entries);
    else
        metadata_entries_put(entries, model, keys);
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

static bramble_status save(const struct bramble_model *model, struct net_file_graph *graph, const char *path,
                           bramble_error *error)
{
    struct metadata_entries entries;
    bramble_status status = entries_init(&entries, model, error);
    if (status) return status;
    Onnx__OperatorSetIdProto set = ONNX__OPERATOR_SET_ID_PROTO__INIT, *sets = &set;
    Onnx__ModelProto file = ONNX__MODEL_PROTO__INIT;
    set.domain = "";
    set.has_version = 1;
    set.version = ONNX_OPSET;
    file.n_opset_import = 1;
    file.opset_import = &sets;
    metadata_entries_sign(&entries, model, &file);
    file.graph = &graph->builder.graph;
    status = write_file(&file, path, error);
    metadata_entries_fini(&entries);
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
