/* Graphs: what building gives, refuses and leaves as it was. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/operator.h"
#include "net/operators.h"

#define SHAPE(...) ((struct net_shape){sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), {__VA_ARGS__}})

static bramble_status try_value(struct net_graph *graph, enum net_kind kind, const char *name,
                                struct net_shape shape, uint32_t *out, bramble_error *error)
{
    float numbers[64];
    for (int i = 0; i < 64; i++) numbers[i] = (float)(i + (int)kind);
    struct net_value_new value = {.name = name,
                                  .kind = kind,
                                  .shape = shape,
                                  .numbers = kind == NET_INPUT || shape_size(&shape) > 64 ? NULL : numbers};
    return graph_add_value(graph, &value, out, error);
}

static uint32_t add_value(struct net_graph *graph, enum net_kind kind, const char *name,
                          struct net_shape shape)
{
    uint32_t out = NET_NONE;
    bramble_error error = {0};
    if (try_value(graph, kind, name, shape, &out, &error)) fail_msg("%s", error.message);
    return out;
}

static bramble_status try_node(struct net_graph *graph, const char *op, const char *name, uint32_t input,
                               uint32_t *out, bramble_error *error)
{
    struct net_node_new node = {.op = op,
                                .name = name,
                                .inputs = &input,
                                .n_inputs = 1,
                                .n_outputs = 1,
                                .attributes = NET_ATTRIBUTES_INIT};
    return graph_add_node(graph, &node, out, error);
}

static uint32_t add_relu(struct net_graph *graph, const char *name, uint32_t input)
{
    uint32_t out = NET_NONE;
    bramble_error error = {0};
    if (try_node(graph, "Relu", name, input, &out, &error)) fail_msg("%s", error.message);
    return out;
}

/* relu(relu(x)), relu(parameter), with a constant and a state that nothing reads. */
static void build(struct net_graph *graph)
{
    graph_init(graph);
    uint32_t input = add_value(graph, NET_INPUT, "x", SHAPE(4, 3));
    add_value(graph, NET_CONSTANT, "constant", SHAPE(5));
    add_value(graph, NET_STATE, "state", SHAPE(7));
    uint32_t first = add_relu(graph, NULL, input);
    uint32_t second = add_relu(graph, NULL, first);
    bramble_error error = {0};
    if (graph_finish(graph, second, &error)) fail_msg("%s", error.message);
}

static void test_shapes(void **state)
{
    (void)state;
    char text[64];
    struct net_shape one = {0}, huge = SHAPE(UINT32_MAX, UINT32_MAX, UINT32_MAX);
    struct net_shape widest = SHAPE(UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX);
    assert_int_equal(shape_size(&one), 1);
    assert_int_equal(shape_size(&SHAPE(28, 28, 3)), 2352);
    assert_true(shape_size(&huge) == SIZE_MAX);
    assert_string_equal(shape_text(&one, text), "1");
    assert_string_equal(shape_text(&SHAPE(28, 28, 1), text), "28 x 28 x 1");
    assert_string_equal(shape_text(&widest, text),
                        "4294967295 x 4294967295 x 4294967295 x 4294967295 x 4294967295");
    assert_true(shape_equal(&SHAPE(2, 3), &SHAPE(2, 3)));
    assert_false(shape_equal(&SHAPE(2, 3), &SHAPE(3, 2)));
    assert_false(shape_equal(&SHAPE(2, 3), &SHAPE(2, 3, 1)));
}

static void test_operators_are_in_order(void **state)
{
    (void)state;
    const char *const *names = operator_names();
    assert_non_null(names[0]);
    for (size_t i = 0; names[i]; i++) {
        const struct net_operator *op = operator_find(names[i]);
        assert_string_equal(op->name, names[i]);
        assert_true(i == 0 || strcmp(names[i - 1], names[i]) < 0);
        assert_true(op->infer && op->forward && op->backward);
        assert_true(op->max_inputs <= NET_INPUTS_MAX && op->max_outputs <= NET_OUTPUTS_MAX);
        assert_true(op->min_inputs >= 1 && op->min_inputs <= op->max_inputs && op->max_outputs >= 1);
    }
    assert_null(operator_find("NoSuchOperator"));
    assert_null(operator_find(""));
}

static void test_building(void **state)
{
    (void)state;
    struct net_graph graph;
    build(&graph);
    assert_int_equal(graph.n_nodes, 2);
    assert_int_equal(graph.n_values, 5);
    struct net_value *output = &graph.values[graph.output];
    assert_int_equal(output->producer, 1);
    assert_int_equal(output->size, 12);
    assert_string_equal(graph.values[3].name, "Relu");
    assert_string_equal(graph.nodes[0].name, "Relu");
    assert_string_not_equal(output->name, "Relu"); /* taken */
    assert_string_equal(output->name, graph.nodes[1].name);
    assert_int_equal(graph_find_value(&graph, output->name), graph.output);
    assert_int_equal(graph_find_value(&graph, "nothing"), NET_NONE);
    graph_fini(&graph);
    graph_fini(&graph);
}

static void test_where_weights_lie(void **state)
{
    (void)state;
    struct net_graph graph;
    graph_init(&graph);
    uint32_t constant = add_value(&graph, NET_CONSTANT, "c", SHAPE(17));
    uint32_t running = add_value(&graph, NET_STATE, "s", SHAPE(3));
    uint32_t input = add_value(&graph, NET_INPUT, "x", SHAPE(2));
    assert_true(graph_numbers(&graph, constant)[16] == 16.0f + NET_CONSTANT);
    uint32_t output = add_relu(&graph, "y", input);
    assert_int_equal(graph_finish(&graph, output, NULL), BRAMBLE_OK);
    assert_int_equal(graph.n_parameters, 0);
    assert_int_equal(graph.n_states, 16);
    assert_int_equal(graph.n_weights, 16 + 32);
    assert_int_equal(graph.values[running].offset, 0);
    assert_int_equal(graph.values[constant].offset, 16);
    assert_true(graph_numbers(&graph, running)[2] == 2.0f + NET_STATE);
    assert_true(graph_numbers(&graph, constant)[16] == 16.0f + NET_CONSTANT);
    assert_true(graph.weights[3] == 0.0f && graph.weights[15] == 0.0f);
    assert_int_equal((uintptr_t)graph.weights % 64, 0);
    graph_fini(&graph);
}

static void test_many_names_are_unique(void **state)
{
    (void)state;
    struct net_graph graph;
    graph_init(&graph);
    uint32_t value = add_value(&graph, NET_INPUT, "same", SHAPE(1));
    for (int i = 0; i < 3000; i++) value = add_relu(&graph, i % 3 ? "same" : "same_17", value);
    for (uint32_t v = 0; v < graph.n_values; v++)
        assert_int_equal(graph_find_value(&graph, graph.values[v].name), v);
    graph_fini(&graph);
}

struct refusal {
    bramble_status status;
    const char *part;
};

static void refused(bramble_status status, const bramble_error *error, struct refusal wanted)
{
    if (status != wanted.status || !strstr(error->message, wanted.part))
        fail_msg("status %d, wanted %d and \"%s\": %s", (int)status, (int)wanted.status, wanted.part,
                 error->message);
}

static void test_refusals(void **state)
{
    (void)state;
    struct net_graph graph;
    uint32_t out = 77;
    bramble_error e = {0};
    build(&graph);
    uint32_t n_values = graph.n_values, n_nodes = graph.n_nodes;
    size_t n_weights = graph.n_weights;
    refused(try_node(&graph, "Einsum", "layer", 0, &out, &e), &e,
            (struct refusal){BRAMBLE_ERR_UNSUPPORTED, "there is no operator Einsum"});
    assert_non_null(strstr(e.message, "Relu"));
    refused(try_node(&graph, "Relu", "layer", 99, &out, &e), &e,
            (struct refusal){BRAMBLE_ERR_DATA, "layer (Relu): input 0 is missing"});
    refused(try_node(&graph, "Relu", "layer", NET_NONE, &out, &e), &e,
            (struct refusal){BRAMBLE_ERR_DATA, "input 0 is missing"});
    struct net_node_new two = {.op = "Relu", .inputs = (uint32_t[]){0, 0}, .n_inputs = 2, .n_outputs = 1};
    refused(graph_add_node(&graph, &two, &out, &e), &e, (struct refusal){BRAMBLE_ERR_DATA, "has 2 inputs"});
    two.n_inputs = 1;
    two.n_outputs = 0;
    refused(graph_add_node(&graph, &two, &out, &e), &e, (struct refusal){BRAMBLE_ERR_DATA, "has 0 outputs"});
    refused(try_value(&graph, NET_INPUT, "z", SHAPE(1), &out, &e), &e,
            (struct refusal){BRAMBLE_ERR_UNSUPPORTED, "second input"});
    refused(try_value(&graph, NET_PARAMETER, "z", SHAPE(3, 0), &out, &e), &e,
            (struct refusal){BRAMBLE_ERR_DATA, "none at all"});
    refused(try_value(&graph, NET_PARAMETER, "z", SHAPE(UINT32_MAX, UINT32_MAX, 9), &out, &e), &e,
            (struct refusal){BRAMBLE_ERR_DATA, "more than any memory"});
    refused(try_value(&graph, NET_CONSTANT, "z", SHAPE(65), &out, &e), &e,
            (struct refusal){BRAMBLE_ERR_DATA, "no numbers"});
    refused(graph_finish(&graph, 0, &e), &e, (struct refusal){BRAMBLE_ERR_DATA, "not made by any"});
    add_value(&graph, NET_PARAMETER, "useless", SHAPE(3));
    refused(graph_finish(&graph, graph.output, &e), &e,
            (struct refusal){BRAMBLE_ERR_DATA, "parameter useless"});
    assert_int_equal(out, 77);
    assert_int_equal(graph.n_values, n_values + 1);
    assert_int_equal(graph.n_nodes, n_nodes);
    assert_int_equal(graph.n_weights, n_weights + 16);
    graph_fini(&graph);
}

static void test_output_without_input(void **state)
{
    (void)state;
    struct net_graph graph;
    bramble_error e = {0};
    graph_init(&graph);
    uint32_t constant = add_value(&graph, NET_CONSTANT, "c", SHAPE(3)), out;
    if (!try_node(&graph, "Relu", "y", constant, &out, &e)) {
        refused(graph_finish(&graph, out, &e), &e, (struct refusal){BRAMBLE_ERR_DATA, "no input"});
        add_value(&graph, NET_INPUT, "x", SHAPE(3));
        refused(graph_finish(&graph, out, &e), &e,
                (struct refusal){BRAMBLE_ERR_DATA, "does not depend on input x"});
    }
    graph_fini(&graph);
}

static void test_copy_and_hash(void **state)
{
    (void)state;
    struct net_graph graph, copy;
    char before[33], after[33];
    build(&graph);
    assert_int_equal(graph_copy(&copy, &graph, NULL), BRAMBLE_OK);
    graph_hash(&graph, before);
    graph_hash(&copy, after);
    assert_int_equal(strlen(before), 32);
    assert_string_equal(before, after);
    assert_ptr_not_equal(graph.weights, copy.weights);
    assert_memory_equal(graph.weights, copy.weights, graph.n_weights * sizeof(float));
    add_relu(&copy, "another", copy.output); /* a copy grows as the first does */
    assert_int_equal(graph.n_values + 1, copy.n_values);
    assert_int_equal(graph_find_value(&copy, "another"), graph.n_values);
    graph_fini(&copy);
    graph_fini(&graph);
}

static bramble_status build_with_faults(struct net_graph *copy, bramble_error *error)
{
    struct net_graph graph;
    uint32_t v = 0;
    graph_init(&graph);
    bramble_status status = try_value(&graph, NET_INPUT, "x", SHAPE(2, 2), &v, error);
    if (!status) status = try_value(&graph, NET_STATE, "s", SHAPE(60), &(uint32_t){0}, error);
    for (int i = 0; i < 20 && !status; i++) status = try_node(&graph, "Relu", "y", v, &v, error);
    if (!status) status = graph_finish(&graph, v, error);
    if (!status) status = graph_copy(copy, &graph, error);
    graph_fini(&graph);
    return status;
}

static void test_every_allocation(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    for (size_t n = 1;; n++) {
        struct net_graph copy;
        bramble_error error = {0};
        graph_init(&copy);
        mem_fail_at(n, 0);
        bramble_status status = build_with_faults(&copy, &error);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        graph_fini(&copy);
        if (status != (reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK))
            fail_msg("allocation %zu: %d %s", n, (int)status, error.message);
        if (!reached) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_operators_are_in_order),
        cmocka_unit_test(test_building),
        cmocka_unit_test(test_where_weights_lie),
        cmocka_unit_test(test_many_names_are_unique),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_output_without_input),
        cmocka_unit_test(test_copy_and_hash),
        cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
