/* Add, Sub, Mul and Div, with operands of equal and of other shapes, activations and weights. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "operator_check.h"

/* Where operand k has the number that goes to number i of y. */
static double at(const struct reference_call *call, uint32_t k, size_t i)
{
    const struct net_shape *y = &call->y_shape[0], *x = &call->what->inputs[k].shape;
    size_t place = 0, step = 1, sample = i / shape_size(y);
    bool weight = call->what->inputs[k].kind != NET_ACTIVATION && call->what->inputs[k].kind != NET_INPUT;
    for (uint32_t d = 0; d < y->rank; d++) {
        uint32_t axis = y->rank - 1 - d, dim = d < x->rank ? x->dim[x->rank - 1 - d] : 1;
        if (dim > 1) place += i % y->dim[axis] * step;
        i /= y->dim[axis];
        step *= dim;
    }
    return call->x[k][place + (weight ? 0 : sample * shape_size(x))];
}

static void reference(const struct reference_call *call)
{
    size_t n = call->samples * shape_size(&call->y_shape[0]);
    const char *name = call->what->op->name;
    for (size_t i = 0; i < n; i++) {
        double a = at(call, 0, i), b = at(call, 1, i);
        double y = !strcmp(name, "Add")   ? a + b
                   : !strcmp(name, "Sub") ? a - b
                   : !strcmp(name, "Mul") ? a * b
                                          : a / b;
        call->y[0][i] = call->what->attributes.relu ? fmax(y, 0) : y;
    }
}

static const struct pair {
    struct net_shape a, b;
} pairs[] = {
    {{3, {7, 5, 3}}, {3, {7, 5, 3}}}, {{1, {1100}}, {1, {1100}}},
    {{3, {7, 5, 3}}, {3, {1, 1, 3}}}, {{3, {7, 5, 3}}, {1, {3}}},
    {{3, {7, 5, 3}}, {3, {7, 5, 1}}}, {{3, {7, 1, 3}}, {3, {1, 5, 1}}},
    {{2, {5, 3}}, {0, {0}}},          {{0, {0}}, {0, {0}}},
    {{1, {3}}, {3, {2, 5, 3}}},       {{5, {2, 1, 3, 1, 2}}, {5, {1, 4, 3, 2, 2}}},
    {{2, {3, 1300}}, {2, {3, 1}}},
};

static struct operator_case case_of_pair(const char *op, const struct pair *pair, enum net_kind a,
                                         enum net_kind b)
{
    struct operator_case c = case_of(op, operator_find(op), reference);
    case_input(&c, a, pair->a);
    struct check_input *right = case_input(&c, b, pair->b);
    if (strcmp(op, "Div") == 0) right->low = 0.5;
    c.differences = shape_size(&pair->a) > 1000 ? 8 : 24;
    c.tolerance = 1e-6;
    return c;
}

static void check_kinds(const char *op, const struct pair *pair, enum net_kind a, enum net_kind b)
{
    struct operator_case c = case_of_pair(op, pair, a, b);
    check_operator(&c);
}

static void test_shapes_and_kinds(void **state)
{
    (void)state;
    static const char *const ops[] = {"Add", "Sub", "Mul", "Div"};
    for (size_t o = 0; o < 4; o++)
        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
            check_kinds(ops[o], &pairs[i], NET_ACTIVATION, NET_ACTIVATION);
            check_kinds(ops[o], &pairs[i], NET_ACTIVATION, NET_PARAMETER);
            check_kinds(ops[o], &pairs[i], NET_PARAMETER, NET_ACTIVATION);
            check_kinds(ops[o], &pairs[i], NET_ACTIVATION, NET_CONSTANT);
            check_kinds(ops[o], &pairs[i], NET_INPUT, NET_ACTIVATION);
        }
}

static void test_relu(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct operator_case c = case_of_pair("Add", &pairs[i], NET_ACTIVATION, NET_ACTIVATION);
        c.attributes.relu = true;
        check_operator(&c);
        c.inputs[1].kind = NET_PARAMETER;
        check_operator(&c);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    struct pair apart = {{2, {5, 3}}, {2, {5, 2}}};
    struct operator_case c = case_of_pair("Add", &apart, NET_ACTIVATION, NET_ACTIVATION);
    check_refused(&c, "5 x 3 and 5 x 2 do not go together");
    c = case_of_pair("Mul", &pairs[0], NET_PARAMETER, NET_CONSTANT);
    check_refused(&c, "both inputs are weights");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes_and_kinds),
        cmocka_unit_test(test_relu),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
