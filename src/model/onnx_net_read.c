#include "model/onnx_net_read.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/net_read.h"
#include "model/net_read_input.h"
#include "model/onnx_file.h"
#include "model/onnx_net_load.h"
#include "net/operator.h"

static const char wanted[] = "name an ONNX file of a network";

static bramble_status read_initialisers(struct net_reader *r)
{
    if (r->proto->n_sparse_initializer)
        return reader_unsupported(r, "has sparse weights, which are not supported; export dense ones");
    for (size_t i = 0; i < r->proto->n_initializer; i++) {
        const Onnx__TensorProto *tensor = r->proto->initializer[i];
        struct known known;
        const char *name = tensor->name ? tensor->name : "", *wrong = known_from_proto(&known, tensor);
        if (wrong) return reader_refuse(r, "\"%.80s\" %s", name, wrong);
        known.trained = !known.integer;
        bramble_status status = reader_define(r, name, NULL, &known);
        if (status) return status;
    }
    return BRAMBLE_OK;
}

/* Checks what every node must have, and notes who makes which tensor. */
static bramble_status find_makers(struct net_reader *r)
{
    for (size_t i = 0; i < r->proto->n_node; i++) {
        const Onnx__NodeProto *node = r->proto->node[i];
        if (!node->op_type) return reader_refuse(r, "node %zu has no operator; export the network again", i);
        r->node = node;
        r->node_number = i;
        for (size_t o = 0; o < node->n_output; o++) {
            if (!*node->output[o]) continue;
            if (names_find(&r->makers, node->output[o]))
                return reader_refuse(r, "two tensors are called \"%.80s\"; export the network again",
                                     node->output[o]);
            if (!names_add(&r->makers, node->output[o], (uint32_t)i)) return reader_memory(r);
        }
    }
    r->node = NULL;
    return BRAMBLE_OK;
}

static void need(struct net_reader *r, const char *name)
{
    const struct name_entry *maker = names_find(&r->makers, name);
    if (maker) r->needed[maker->number] = true;
}

/* Marks the nodes that the output needs, and who reads which tensor. */
static bramble_status find_readers(struct net_reader *r, const char *output)
{
    uint32_t several = (uint32_t)r->proto->n_node;
    need(r, output);
    if (!names_add(&r->readers, output, several)) return reader_memory(r);
    for (size_t i = r->proto->n_node; i-- > 0;) {
        const Onnx__NodeProto *node = r->proto->node[i];
        for (size_t k = 0; r->needed[i] && k < node->n_input; k++) {
            need(r, node->input[k]);
            const struct name_entry *reader = names_find(&r->readers, node->input[k]);
            uint32_t number = !reader || reader->number == i ? (uint32_t)i : several;
            if (!names_set(&r->readers, node->input[k], number)) return reader_memory(r);
            struct named *named = reader_named(r, node->input[k]);
            if (named) named->uses++;
        }
    }
    return BRAMBLE_OK;
}

static bramble_status refuse_operator(struct net_reader *r)
{
    struct str list = {0};
    for (const char *const *name = operator_names(); *name; name++)
        str_printf(&list, "%s%s", list.length ? ", " : "", *name);
    bramble_status status = list.failed
                                ? reader_memory(r)
                                : reader_unsupported(r, "there is no such operator here; there are %s",
                                                     list.data ? list.data : "none");
    str_fini(&list);
    return status;
}

static bramble_status read_node(struct net_reader *r)
{
    bool folded = false, matched = false;
    const char *domain = r->node->domain;
    if (domain && *domain && strcmp(domain, "ai.onnx") != 0) return refuse_operator(r);
    bramble_status status = reader_fold(r, &folded);
    if (status || folded) return status;
    net_read_fn *read = reader_find(r->node->op_type);
    if (!read) return refuse_operator(r);
    if (!r->node->n_output) return reader_refuse(r, "has no output");
    status = reader_match(r, &matched);
    return status || matched ? status : read(r);
}

static bramble_status read_nodes(struct net_reader *r)
{
    for (size_t i = 0; i < r->proto->n_node; i++) {
        if (!r->needed[i] || r->done[i]) continue;
        r->node = r->proto->node[i];
        r->node_number = i;
        bramble_status status = read_node(r);
        if (status) return status;
    }
    r->node = NULL;
    return BRAMBLE_OK;
}

/* The name of the tensor that the network is to end with. */
static const char *find_output(struct net_reader *r, bool logits, enum net_ending *ending)
{
    static const char *const endings[] = {NULL, "Softmax", "LogSoftmax", "Sigmoid"};
    const char *name = r->proto->output[0]->name;
    const struct name_entry *maker = names_find(&r->makers, name);
    *ending = NET_ENDING_NONE;
    if (!maker || !logits) return name;
    const Onnx__NodeProto *node = r->proto->node[maker->number];
    for (int e = NET_ENDING_SOFTMAX; e <= NET_ENDING_SIGMOID; e++)
        if (reader_is(node, endings[e]) && node->n_input == 1) {
            *ending = (enum net_ending)e;
            return node->input[0];
        }
    return name;
}

static bramble_status read_graph(struct net_reader *r, bool logits, enum net_ending *ending)
{
    uint32_t value;
    bramble_status status = read_initialisers(r);
    if (!status) status = find_makers(r);
    if (status) return status;
    if (r->proto->n_output != 1 || !r->proto->output[0]->name)
        return reader_unsupported(r, "has %zu outputs; a network that is trained here has one",
                                  r->proto->n_output);
    const char *output = find_output(r, logits, ending);
    status = find_readers(r, output);
    if (!status) status = read_input(r);
    if (!status) status = read_nodes(r);
    if (!status) status = read_output(r, output, &value);
    if (status) return status;
    bramble_error inner = {0};
    status = graph_finish(r->graph, value, &inner);
    if (status == BRAMBLE_ERR_MEMORY) return reader_memory(r);
    return status ? error_set(r->error, status, "%s: %s", r->file, inner.message) : BRAMBLE_OK;
}

static void reader_fini(struct net_reader *r)
{
    for (size_t i = 0; i < r->n_named; i++) known_fini(&r->named[i].known);
    mem_free(r->named);
    mem_free(r->needed);
    mem_free(r->done);
    names_fini(&r->names);
    names_fini(&r->makers);
    names_fini(&r->readers);
}

static bool reader_init(struct net_reader *r)
{
    size_t n = r->proto->n_node;
    r->fold_left = READER_FOLD_MAX;
    r->needed = mem_zalloc(n, sizeof *r->needed);
    r->done = mem_zalloc(n, sizeof *r->done);
    return names_init(&r->names, 2 * (r->proto->n_initializer + n)) && names_init(&r->makers, n) &&
           names_init(&r->readers, n) && r->needed && r->done;
}

static int64_t find_opset(const Onnx__ModelProto *model)
{
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const char *domain = model->opset_import[i]->domain;
        if (!domain || !*domain || strcmp(domain, "ai.onnx") == 0) return model->opset_import[i]->version;
    }
    return 1;
}

static bramble_status read_model(struct net_graph *graph, enum net_ending *ending, bool logits,
                                 const Onnx__ModelProto *model, const char *name, bramble_error *error)
{
    struct net_reader r = {.file = name, .error = error, .proto = model->graph, .graph = graph};
    if (!model->graph || !model->graph->n_node)
        return error_set(error, BRAMBLE_ERR_DATA, "%s: an ONNX file without a network; %s", name, wanted);
    if (model->graph->n_node > READER_NODES_MAX)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED, "%s: a network of %zu nodes, more than %d", name,
                         model->graph->n_node, READER_NODES_MAX);
    r.opset = find_opset(model);
    bramble_status status = reader_init(&r) ? read_graph(&r, logits, ending) : reader_memory(&r);
    reader_fini(&r);
    return status;
}

static bramble_status read_file(struct net_graph **out, enum net_ending *ending, bool logits,
                                const Onnx__ModelProto *model, const char *name, bramble_error *error)
{
    enum net_ending found = NET_ENDING_NONE;
    struct net_graph *graph = mem_alloc(1, sizeof *graph);
    if (!graph) return error_memory(error, "a network");
    graph_init(graph);
    bramble_status status = onnx_net_is_ours(model) ? onnx_net_graph(graph, model, name, error)
                                                    : read_model(graph, &found, logits, model, name, error);
    if (status) {
        graph_fini(graph);
        mem_free(graph);
        return status;
    }
    *out = graph;
    if (ending) *ending = found;
    return BRAMBLE_OK;
}

bramble_status onnx_net_decode(struct net_graph **out, enum net_ending *ending, bool logits,
                               const void *bytes, size_t size, const char *name, bramble_error *error)
{
    struct onnx_file file;
    bramble_status status = onnx_file_decode(&file, bytes, size, name, wanted, error);
    if (status) return status;
    status = read_file(out, ending, logits, file.model, name, error);
    onnx_file_fini(&file);
    return status;
}

bramble_status onnx_net_read(struct net_graph **out, enum net_ending *ending, bool logits, const char *path,
                             bramble_error *error)
{
    struct onnx_file file;
    bramble_status status = onnx_file_load(&file, path, wanted, error);
    if (status) return status;
    status = read_file(out, ending, logits, file.model, path, error);
    onnx_file_fini(&file);
    return status;
}
