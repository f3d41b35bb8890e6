/*
 * Model files: whatever loads can be used, and comes back the same from the file it is saved to.
 *
 * Half of the mutations are made inside the trees' arrays, where plain ones would mostly break the framing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bramble/model.h>

#include "model/bounded.h"
#include "model/model.h"
#include "model/onnx.pb-c.h"
#include "model/tree_print.h"
#include "net/step.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static void must(bool true_statement)
{
    if (!true_statement) abort();
}

/* Networks that take and give little are run. */
static void use_network(const struct bramble_model *model)
{
    size_t n_inputs = model->net->values[model->net->input].size;
    float *x = calloc(n_inputs, sizeof *x),
          *out = calloc(model->net->values[model->net->output].size, sizeof *out);
    if (x && out && n_inputs < 1 << 16 && model->net->n_weights < 1 << 20)
        net_run(model->net, x, 1, 1, out, NULL);
    free(x);
    free(out);
}

static void use(const struct bramble_model *model)
{
    if (!model->forest) {
        use_network(model);
        return;
    }
    uint32_t n_features = model->forest->n_features;
    float *x = calloc(n_features, sizeof *x);
    double out;
    for (uint32_t f = 0; f < n_features; f++) x[f] = f % 3 ? (float)f : __builtin_nanf("");
    must(bramble_model_predict_rows(model, x, 1, 1, &out, NULL) == BRAMBLE_OK);
    free(x);
    char *text;
    must(tree_print(&text, model, model->forest->n_trees - 1, BRAMBLE_TREE_TEXT, NULL) == BRAMBLE_OK);
    bramble_string_free(text);
}

static void save_and_load(const struct bramble_model *model)
{
    char path[64], before[33], after[33];
    bramble_model *again;
    snprintf(path, sizeof path, "%s/bramble-fuzz-%d", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm",
             getpid());
    must(model_save(model, path, NULL) == BRAMBLE_OK);
    must(model_load(&again, path, NULL) == BRAMBLE_OK);
    unlink(path);
    must(model->kind == again->kind);
    if (model->forest) {
        forest_hash(model->forest, before);
        forest_hash(again->forest, after);
    } else {
        graph_hash(model->net, before);
        graph_hash(again->net, after);
    }
    must(strcmp(before, after) == 0);
    model_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bramble_model *model;
    bramble_error error;
    if (model_decode(&model, data, size, "fuzz", &error)) {
        must(*error.message && !strchr(error.message, '\n'));
        return 0;
    }
    use(model);
    save_and_load(model);
    model_free(model);
    return 0;
}

/* Changes one number or text of one attribute of the first node. */
static void mutate_attribute(Onnx__ModelProto *file, unsigned int seed)
{
    if (!file->graph || !file->graph->n_node || !file->graph->node[0]->n_attribute) return;
    const Onnx__NodeProto *node = file->graph->node[0];
    Onnx__AttributeProto *attribute = node->attribute[seed % node->n_attribute];
    seed /= 17;
    if (attribute->n_ints) {
        int64_t *number = &attribute->ints[seed % attribute->n_ints];
        if (seed & 1 << 16)
            *number = (int64_t)((uint64_t)*number + (seed & 1 << 17 ? 1 : UINT64_MAX));
        else
            LLVMFuzzerMutate((uint8_t *)number, sizeof *number, sizeof *number);
    } else if (attribute->n_floats) {
        float *number = &attribute->floats[seed % attribute->n_floats];
        LLVMFuzzerMutate((uint8_t *)number, sizeof *number, sizeof *number);
    } else if (attribute->n_strings) {
        const ProtobufCBinaryData *from = &attribute->strings[seed % attribute->n_strings];
        ProtobufCBinaryData *to = &attribute->strings[seed / 31 % attribute->n_strings];
        if (from->len <= to->len) memcpy(to->data, from->data, to->len = from->len);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    struct bounded bounded;
    bounded_init(&bounded, size);
    Onnx__ModelProto *file = seed & 1 ? onnx__model_proto__unpack(&bounded.allocator, size, data) : NULL;
    if (!file) return LLVMFuzzerMutate(data, size, max_size);
    mutate_attribute(file, seed >> 1);
    if (onnx__model_proto__get_packed_size(file) <= max_size) size = onnx__model_proto__pack(file, data);
    onnx__model_proto__free_unpacked(file, &bounded.allocator);
    return size;
}
