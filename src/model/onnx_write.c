#include "base/error.h"
#include "model/ensemble_write.h"
#include "model/metadata.h"
#include "model/metadata_entries.h"
#include "model/onnx_graph.h"
#include "model/onnx_net_write.h"

/* Field numbers of onnx.proto. */
enum { MODEL_GRAPH = 7, GRAPH_NODE = 1 };
enum { ONNX_OPSET = 15, ONNX_ML_OPSET = 3 };
/* Programs based on protocol buffers read no file of 2 GiB or more. */
static const uint64_t file_bytes_max = INT32_MAX;

static bramble_status entries_init(struct metadata_entries *entries, const struct bramble_model *model,
                                   bramble_error *error)
{
    static char *const keys[METADATA_TEXTS_MAX] = {METADATA_SCHEMA, METADATA_IMPORTANCES, METADATA_OOB_SCORE};
    const struct forest *forest = model->forest;
    bool has_oob = forest->oob_score == forest->oob_score;
    bramble_status status = metadata_entries_init(entries, model, error);
    if (status) return status;
    status = schema_to_json(&entries->texts[0], &model->schema, error);
    if (!status) status = numbers_to_json(&entries->texts[1], forest->importances, forest->n_features, error);
    if (!status && has_oob) status = numbers_to_json(&entries->texts[2], &forest->oob_score, 1, error);
    if (status)
        metadata_entries_fini(entries);
    else
        metadata_entries_put(entries, model, keys);
    return status;
}

/* Everything but the graph. */
static bramble_status put_header(struct sink *sink, const struct bramble_model *model, bramble_error *error)
{
    Onnx__OperatorSetIdProto sets[2] = {ONNX__OPERATOR_SET_ID_PROTO__INIT, ONNX__OPERATOR_SET_ID_PROTO__INIT};
    Onnx__OperatorSetIdProto *set_pointers[2] = {&sets[0], &sets[1]};
    sets[0].domain = "";
    sets[0].version = ONNX_OPSET;
    sets[1].domain = "ai.onnx.ml";
    sets[1].version = ONNX_ML_OPSET;
    sets[0].has_version = sets[1].has_version = 1;
    struct metadata_entries entries;
    bramble_status status = entries_init(&entries, model, error);
    if (status) return status;
    Onnx__ModelProto header = ONNX__MODEL_PROTO__INIT;
    header.n_opset_import = 2;
    header.opset_import = set_pointers;
    metadata_entries_sign(&entries, model, &header);
    status = sink_message(sink, &header.base, error);
    metadata_entries_fini(&entries);
    return status;
}

/* Parts of a message that stand one after another are one message: small parts come from protobuf-c, the
 * trees from the ensemble. */
static bramble_status put_graph(struct sink *sink, const struct onnx_graph *graph,
                                const struct ensemble *ensemble, bramble_error *error)
{
    const ProtobufCMessage *node = &graph->node[0]->base;
    uint64_t node_bytes = protobuf_c_message_get_packed_size(node) + ensemble->bytes;
    uint64_t rest_bytes = protobuf_c_message_get_packed_size(&graph->graph.base);
    sink_field(sink, MODEL_GRAPH, sink_field_bytes(GRAPH_NODE, node_bytes) + rest_bytes);
    sink_field(sink, GRAPH_NODE, node_bytes);
    bramble_status status = sink_message(sink, node, error);
    if (status) return status;
    ensemble_write(ensemble, sink);
    return sink_message(sink, &graph->graph.base, error);
}

static bramble_status write_file(const struct bramble_model *model, const struct onnx_graph *graph,
                                 const struct ensemble *ensemble, const char *path, bramble_error *error)
{
    struct sink sink = {0};
    bramble_status status = outfile_open(&sink.file, path, error);
    if (status) return status;
    status = put_header(&sink, model, error);
    if (!status) status = put_graph(&sink, graph, ensemble, error);
    if (!status && sink.bytes > file_bytes_max)
        status =
            error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                      "%s: the model takes %.1f GB and ONNX files end at 2 GB; grow fewer trees or limit "
                      "them (max_depth, max_leaf_nodes, min_samples_leaf)",
                      path, (double)sink.bytes * 1e-9);
    if (!status) return outfile_commit(sink.file, error);
    outfile_abandon(sink.file);
    return status;
}

bramble_status model_save(const struct bramble_model *model, const char *path, bramble_error *error)
{
    if (model->kind == MODEL_NET) return onnx_net_save(model, path, error);
    struct onnx_graph graph;
    bramble_status status = onnx_graph_init(&graph, model, error);
    if (status) return status;
    struct ensemble ensemble;
    status = ensemble_init(&ensemble, model->forest, error);
    if (!status) {
        status = write_file(model, &graph, &ensemble, path, error);
        ensemble_fini(&ensemble);
    }
    onnx_graph_fini(&graph);
    return status;
}
