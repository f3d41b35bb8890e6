/* A network that went through its file is the network it was; files that are not sound are refused. */
#include "hand_net.h"
#include "scratch.h"

#include "model/metadata.h"
#include "model/onnx.pb-c.h"
#include "model/onnx_net_read.h"

enum { ROWS = 37 };

static struct bramble_model *load(const char *path)
{
    struct bramble_model *model;
    bramble_error error = {0};
    if (model_load(&model, path, &error)) fail_msg("%s", error.message);
    return model;
}

static void assert_same_graph(const struct net_graph *a, const struct net_graph *b)
{
    char p[33], q[33];
    graph_hash(a, p);
    graph_hash(b, q);
    assert_string_equal(p, q);
    assert_int_equal(a->n_values, b->n_values);
    assert_int_equal(a->n_nodes, b->n_nodes);
    assert_int_equal(a->output, b->output);
    assert_int_equal(a->n_weights, b->n_weights);
    assert_memory_equal(a->weights, b->weights, a->n_weights * sizeof *a->weights);
    for (uint32_t v = 0; v < a->n_values; v++) {
        assert_string_equal(a->values[v].name, b->values[v].name);
        assert_int_equal(a->values[v].kind, b->values[v].kind);
        assert_int_equal(a->values[v].offset, b->values[v].offset);
        assert_int_equal(a->values[v].filler, b->values[v].filler);
        assert_int_equal(a->values[v].fan_in, b->values[v].fan_in);
        assert_int_equal(a->values[v].decays, b->values[v].decays);
    }
    for (uint32_t n = 0; n < a->n_nodes; n++) {
        assert_ptr_equal(a->nodes[n].op, b->nodes[n].op);
        assert_string_equal(a->nodes[n].name, b->nodes[n].name);
        assert_memory_equal(&a->nodes[n].attributes, &b->nodes[n].attributes, sizeof a->nodes[n].attributes);
    }
}

static void check_round_trip(enum hand_net kind, bool regression)
{
    struct scratch scratch = scratch_new();
    struct bramble_model *model = hand_net_model(kind, regression, kind + 1);
    bramble_error error = {0};
    char first[400], second[400];
    strcpy(first, scratch_path(&scratch, "first.onnx"));
    strcpy(second, scratch_path(&scratch, "second.onnx"));
    if (model_save(model, first, &error)) fail_msg("%s: %s", hand_net_names[kind], error.message);
    struct bramble_model *again = load(first);
    assert_int_equal(again->kind, MODEL_NET);
    assert_null(again->forest);
    assert_same_graph(model->net, again->net);
    assert_int_equal(again->encoder.one_vs_rest, model->encoder.one_vs_rest);
    assert_int_equal(again->n_settings, model->n_settings);
    assert_string_equal(again->settings[1].value, "17");
    assert_int_equal(model_save(again, second, &error), BRAMBLE_OK);
    size_t n, m;
    uint8_t *bytes = scratch_slurp(first, &n), *others = scratch_slurp(second, &m);
    assert_int_equal(n, m);
    assert_memory_equal(bytes, others, n);
    float *x = hand_net_rows(model, ROWS, 5);
    float *said = hand_net_run(model, x, ROWS), *repeated = hand_net_run(again, x, ROWS);
    assert_memory_equal(said, repeated, ROWS * model->encoder.n_outputs * sizeof *said);
    free(said);
    free(repeated);
    free(x);
    free(bytes);
    free(others);
    model_free(again);
    model_free(model);
    scratch_remove(&scratch);
}

static void test_round_trips(void **state)
{
    (void)state;
    for (int kind = 0; kind < HAND_NETS; kind++)
        for (int regression = 0; regression < 2; regression++)
            check_round_trip((enum hand_net)kind, regression);
}

/* The network alone, for training on. */
static void test_network_of_a_model(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    struct bramble_model *model = hand_net_model(HAND_MLP, false, 3);
    struct net_graph *graph;
    enum net_ending ending = NET_ENDING_SIGMOID;
    const char *path = scratch_path(&scratch, "m.onnx");
    assert_int_equal(model_save(model, path, NULL), BRAMBLE_OK);
    assert_int_equal(onnx_net_read(&graph, &ending, true, path, NULL), BRAMBLE_OK);
    assert_int_equal(ending, NET_ENDING_NONE);
    assert_same_graph(model->net, graph);
    graph_fini(graph);
    mem_free(graph);
    model_free(model);
    scratch_remove(&scratch);
}

/* Changes one thing in a file; the bytes are the caller's. */
typedef void change_fn(Onnx__ModelProto *file);

static uint8_t *changed(const uint8_t *bytes, size_t n, change_fn *change, size_t *size)
{
    Onnx__ModelProto *file = onnx__model_proto__unpack(NULL, n, bytes);
    assert_non_null(file);
    change(file);
    *size = onnx__model_proto__get_packed_size(file);
    uint8_t *packed = malloc(*size);
    onnx__model_proto__pack(file, packed);
    onnx__model_proto__free_unpacked(file, NULL);
    return packed;
}

static void drop_metadata(Onnx__ModelProto *file, const char *key)
{
    for (size_t i = 0; i < file->n_metadata_props; i++)
        if (strcmp(file->metadata_props[i]->key, key) == 0) strcpy(file->metadata_props[i]->key, "x");
}

static void drop_encoder(Onnx__ModelProto *file)
{
    drop_metadata(file, METADATA_ENCODER);
}

static Onnx__TensorProto *find_weight(Onnx__ModelProto *file)
{
    for (size_t i = 0; i < file->graph->n_initializer; i++)
        if (strncmp(file->graph->initializer[i]->name, "net.", 4) == 0) return file->graph->initializer[i];
    fail();
    return NULL;
}

static void rename_weight(Onnx__ModelProto *file)
{
    find_weight(file)->name[4] = 'W';
}

static void change_operator(Onnx__ModelProto *file)
{
    for (size_t i = 0; i < file->graph->n_node; i++)
        if (strcmp(file->graph->node[i]->op_type, "Tanh") == 0) strcpy(file->graph->node[i]->op_type, "Relu");
}

/* A number that rows are scaled by. */
static void change_scaling(Onnx__ModelProto *file)
{
    for (size_t i = 0; i < file->graph->n_initializer; i++) {
        Onnx__TensorProto *tensor = file->graph->initializer[i];
        if (strncmp(tensor->name, "c.", 2) != 0 || !tensor->has_raw_data) continue;
        tensor->raw_data.data[1] ^= 1;
        return;
    }
    fail();
}

static void shorten_weight(Onnx__ModelProto *file)
{
    find_weight(file)->raw_data.len -= 4;
}

static void break_network(Onnx__ModelProto *file)
{
    for (size_t i = 0; i < file->n_metadata_props; i++)
        if (strcmp(file->metadata_props[i]->key, METADATA_NETWORK) == 0) {
            char *place = strstr(file->metadata_props[i]->value, "\"Gemm\"");
            assert_non_null(place);
            memcpy(place, "\"Fish\"", 6);
        }
}

static void test_damage(void **state)
{
    static const struct {
        change_fn *change;
        const char *said;
    } cases[] = {{drop_encoder, "lack the encoder"},         {rename_weight, "not there as described"},
                 {change_operator, "not as bramble"},        {change_scaling, "not as bramble"},
                 {shorten_weight, "not there as described"}, {break_network, "Fish"}};
    (void)state;
    struct scratch scratch = scratch_new();
    struct bramble_model *model = hand_net_model(HAND_MLP, false, 3), *again;
    size_t n, size;
    const char *path = scratch_path(&scratch, "m.onnx");
    assert_int_equal(model_save(model, path, NULL), BRAMBLE_OK);
    uint8_t *bytes = scratch_slurp(path, &n);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        uint8_t *packed = changed(bytes, n, cases[c].change, &size);
        bramble_error error = {0};
        assert_int_equal(model_decode(&again, packed, size, "m.onnx", &error), BRAMBLE_ERR_DATA);
        assert_non_null(strstr(error.message, "m.onnx: damaged model: "));
        if (!strstr(error.message, cases[c].said)) fail_msg("%s instead of %s", error.message, cases[c].said);
        free(packed);
    }
    free(bytes);
    model_free(model);
    scratch_remove(&scratch);
}

/* Any byte of a file may be another one: it loads or it is refused in one line. */
static void test_any_byte(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    struct bramble_model *model = hand_net_model(HAND_MLP, true, 4), *again;
    size_t n;
    const char *path = scratch_path(&scratch, "m.onnx");
    assert_int_equal(model_save(model, path, NULL), BRAMBLE_OK);
    uint8_t *bytes = scratch_slurp(path, &n);
    for (size_t i = 0; i < n; i += 7) {
        bramble_error error = {0};
        uint8_t kept = bytes[i];
        bytes[i] ^= (uint8_t)(1u << i % 8);
        if (model_decode(&again, bytes, n, "m.onnx", &error) == BRAMBLE_OK)
            model_free(again);
        else
            assert_true(*error.message && !strchr(error.message, '\n'));
        bytes[i] = kept;
    }
    free(bytes);
    model_free(model);
    scratch_remove(&scratch);
}

/* Saving and loading with the n-th allocation failing: an error, nothing leaked, nothing changed. */
static void check_faults(enum hand_net kind)
{
    struct scratch scratch = scratch_new();
    struct bramble_model *model = hand_net_model(kind, false, 3), *again;
    const char *path = scratch_path(&scratch, "m.onnx");
    bramble_status status = BRAMBLE_ERR_MEMORY;
    for (size_t n = 1; status; n++) {
        bramble_error error = {0};
        mem_fail_at(n, 0);
        status = model_save(model, path, &error);
        mem_fail_at(0, 0);
        if (status) assert_int_equal(status, BRAMBLE_ERR_MEMORY);
    }
    status = BRAMBLE_ERR_MEMORY;
    for (size_t n = 1; status; n++) {
        bramble_error error = {0};
        again = NULL;
        mem_fail_at(n, 0);
        status = model_load(&again, path, &error);
        mem_fail_at(0, 0);
        if (status) assert_null(again);
        if (status) assert_true(*error.message);
    }
    model_free(again);
    model_free(model);
    scratch_remove(&scratch);
}

static void test_faults(void **state)
{
    (void)state;
    check_faults(HAND_MLP);
    check_faults(HAND_CNN);
    check_faults(HAND_LSTM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_network_of_a_model),
        cmocka_unit_test(test_damage),      cmocka_unit_test(test_any_byte),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
