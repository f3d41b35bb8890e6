#include "model/onnx_net_load.h"

#include <stdio.h>
#include <string.h>

#include <xxhash.h>

#include "base/error.h"
#include "base/mem.h"
#include "model/damaged.h"
#include "model/metadata.h"
#include "model/net_json.h"
#include "model/net_known.h"
#include "model/net_names.h"
#include "model/net_writer.h"
#include "model/onnx_file.h"
#include "model/onnx_net_write.h"

struct initialisers {
    const Onnx__GraphProto *graph;
    struct net_names names;
};

bool onnx_net_is_ours(const Onnx__ModelProto *file)
{
    return onnx_file_entry(file, METADATA_NETWORK) != NULL;
}

/* Numbers as they lie in the file; kernels are turned once the network is whole. */
static bramble_status find_numbers(void *context, const char *name, const struct net_shape *shape,
                                   float *numbers)
{
    const struct initialisers *initialisers = context;
    struct known known;
    size_t length = strlen(name) + 5;
    char *full = mem_alloc(length, 1);
    if (!full) return BRAMBLE_ERR_MEMORY;
    snprintf(full, length, "net.%s", name);
    const struct name_entry *entry = names_find(&initialisers->names, full);
    mem_free(full);
    if (!entry || known_from_proto(&known, initialisers->graph->initializer[entry->number]))
        return BRAMBLE_ERR_DATA;
    if (known.n != shape_size(shape) || known.integer) return BRAMBLE_ERR_DATA;
    for (size_t i = 0; i < known.n; i++) numbers[i] = (float)known_number(&known, i);
    return BRAMBLE_OK;
}

static bool turn_kernel(struct net_graph *graph, uint32_t v)
{
    const struct net_value *value = &graph->values[v];
    float *numbers = graph_numbers(graph, v), *read = mem_alloc(value->size, sizeof *read);
    if (!read) return false;
    memcpy(read, numbers, value->size * sizeof *read);
    for (size_t i = 0; i < value->size; i++) numbers[writer_kernel_place(&value->shape, i)] = read[i];
    mem_free(read);
    return true;
}

static bool turn_kernels(struct net_graph *graph)
{
    for (uint32_t v = 0; v < graph->n_values; v++)
        if (graph->values[v].kind != NET_ACTIVATION && graph->values[v].kind != NET_INPUT &&
            writer_is_kernel(graph, v) && !turn_kernel(graph, v))
            return false;
    return true;
}

static bool name_initialisers(struct initialisers *initialisers, const Onnx__GraphProto *graph)
{
    initialisers->graph = graph;
    if (!names_init(&initialisers->names, graph->n_initializer)) return false;
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (graph->initializer[i]->name &&
            !names_set(&initialisers->names, graph->initializer[i]->name, (uint32_t)i))
            return false;
    return true;
}

bramble_status onnx_net_graph(struct net_graph *out, const Onnx__ModelProto *file, const char *name,
                              bramble_error *error)
{
    struct initialisers initialisers = {0};
    const char *json = onnx_file_entry(file, METADATA_NETWORK);
    if (!file->graph) return model_damaged(error, name, "it has no graph");
    bramble_status status = name_initialisers(&initialisers, file->graph)
                                ? net_from_json(out, json, find_numbers, &initialisers, name, error)
                                : error_memory(error, "a network");
    names_fini(&initialisers.names);
    if (status || turn_kernels(out)) return status;
    graph_fini(out);
    return error_memory(error, "a network");
}

/* protobuf-c's buffer that keeps nothing but a hash. */
struct hash_buffer {
    ProtobufCBuffer base;
    XXH3_state_t *state;
};

static void append(ProtobufCBuffer *buffer, size_t n, const uint8_t *bytes)
{
    XXH3_128bits_update(((struct hash_buffer *)buffer)->state, bytes, n);
}

static bool hash_graph(const Onnx__GraphProto *graph, XXH128_hash_t *hash)
{
    struct hash_buffer buffer = {.base = {append}, .state = XXH3_createState()};
    if (!buffer.state) return false;
    XXH3_128bits_reset(buffer.state);
    protobuf_c_message_pack_to_buffer(&graph->base, &buffer.base);
    *hash = XXH3_128bits_digest(buffer.state);
    XXH3_freeState(buffer.state);
    return true;
}

/* The graph must be the very one that bramble writes for this network, so that other programs compute what
 * bramble does. */
static bramble_status check_graph(const struct bramble_model *model, const Onnx__GraphProto *graph,
                                  const char *name, bramble_error *error)
{
    struct net_file_graph expected;
    XXH128_hash_t hashes[2];
    bramble_error inner = {0};
    bramble_status status = net_file_graph_init(&expected, model, &inner);
    if (status == BRAMBLE_ERR_MEMORY) return error_memory(error, "a model's description");
    if (status) return model_damaged(error, name, "%s", inner.message);
    bool done = hash_graph(&expected.builder.graph, &hashes[0]) && hash_graph(graph, &hashes[1]);
    net_file_graph_fini(&expected);
    if (!done) return error_memory(error, "a model's description");
    return XXH128_isEqual(hashes[0], hashes[1])
               ? BRAMBLE_OK
               : model_damaged(error, name, "its graph is not as bramble writes it");
}

bramble_status onnx_net_load(struct bramble_model *model, const Onnx__ModelProto *file, const char *name,
                             bramble_error *error)
{
    const char *json = onnx_file_entry(file, METADATA_ENCODER);
    model->kind = MODEL_NET;
    if (!json) return model_damaged(error, name, "its metadata lack the encoder");
    bramble_status status = encoder_from_json(&model->encoder, json, name, &model->schema, error);
    if (status) return status;
    model->net = mem_alloc(1, sizeof *model->net);
    if (!model->net) return error_memory(error, "a network");
    graph_init(model->net);
    status = onnx_net_graph(model->net, file, name, error);
    return status ? status : check_graph(model, file->graph, name, error);
}
