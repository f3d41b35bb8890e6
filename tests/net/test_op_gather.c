/* Gather: embeddings, their gradients, and indices that name no row. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "operator_check.h"

static void reference(const struct reference_call *call)
{
    const struct net_shape *table = &call->what->inputs[0].shape;
    size_t length = shape_size(table) / table->dim[0], n = call->samples * shape_size(&call->y_shape[0]);
    for (size_t i = 0; i < n; i++)
        call->y[0][i] = call->x[0][(size_t)call->x[1][i / length] * length + i % length];
}

static struct operator_case gather_case(struct net_shape table, struct net_shape indices, enum net_kind kind)
{
    struct operator_case c = case_of("gather", operator_find("Gather"), reference);
    case_input(&c, kind, table);
    struct check_input *index = case_input(&c, NET_INPUT, indices);
    index->low = 0;
    index->high = table.dim[0];
    index->whole = true;
    c.differences = 40;
    return c;
}

static void test_tables(void **state)
{
    (void)state;
    static const struct net_shape tables[] = {
        {2, {13, 5}}, {1, {9}}, {3, {4, 3, 2}}, {2, {3, 5000}}, {2, {900, 7}}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        struct operator_case c = gather_case(tables[i], SHAPE(3), NET_PARAMETER);
        check_operator(&c);
        c = gather_case(tables[i], SHAPE_OF_ONE, NET_PARAMETER);
        check_operator(&c);
        c = gather_case(tables[i], SHAPE(2, 2), NET_CONSTANT);
        c.inputs[1].kind = NET_ACTIVATION;
        check_operator(&c);
    }
    struct operator_case c = gather_case(SHAPE(13, 5), SHAPE(7), NET_PARAMETER);
    check_shapes(&c, &SHAPE(7, 5));
}

static void test_no_such_row(void **state)
{
    (void)state;
    struct net_value values[3] = {{.kind = NET_PARAMETER, .shape = SHAPE(2, 1), .size = 2},
                                  {.kind = NET_INPUT, .shape = SHAPE(6), .size = 6},
                                  {.kind = NET_ACTIVATION, .shape = SHAPE(6, 1), .size = 6}};
    struct net_graph graph = {.n_values = 3, .values = values};
    struct net_node node = {.n_inputs = 2, .inputs = {0, 1}, .n_outputs = 1, .outputs = {2}};
    static const float table[2] = {3, 4}, indices[6] = {1, 2, -1, 0.5f, NAN, 1e30f};
    float y[6];
    struct net_call call = {.graph = &graph, .node = &node, .samples = 1, .x = {table, indices}, .y = {y}};
    operator_find("Gather")->forward(&call);
    assert_true(y[0] == 4);
    for (int i = 1; i < 6; i++) assert_true(isnan(y[i]));
}

static void test_refusals(void **state)
{
    (void)state;
    struct operator_case c = gather_case(SHAPE(13, 5), SHAPE(7), NET_ACTIVATION);
    check_refused(&c, "a table of rows");
    c = gather_case(SHAPE(13, 5), SHAPE(7), NET_PARAMETER);
    c.inputs[1].kind = NET_CONSTANT;
    check_refused(&c, "is a weight");
    c = gather_case(SHAPE(2, 2, 2, 2), SHAPE(2, 2, 2), NET_PARAMETER);
    check_refused(&c, "6 dimensions");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_no_such_row),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
