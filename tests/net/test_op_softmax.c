/* Softmax and LogSoftmax along each axis. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "operator_check.h"

static void reference(const struct reference_call *call)
{
    const struct net_shape *x = &call->what->inputs[0].shape;
    uint32_t axis = call->what->attributes.axis;
    bool logarithm = strcmp(call->what->op->name, "LogSoftmax") == 0;
    size_t n = x->dim[axis], step = 1, size = call->samples * shape_size(x);
    for (uint32_t d = axis + 1; d < x->rank; d++) step *= x->dim[d];
    for (size_t i = 0; i < size; i++) {
        size_t begin = i / (n * step) * n * step + i % step;
        double greatest = -INFINITY, sum = 0;
        for (size_t k = 0; k < n; k++) greatest = fmax(greatest, call->x[0][begin + k * step]);
        for (size_t k = 0; k < n; k++) sum += exp(call->x[0][begin + k * step] - greatest);
        double y = call->x[0][i] - greatest - log(sum);
        call->y[0][i] = logarithm ? y : exp(y);
    }
}

static void check_axes(const char *name, struct net_shape shape)
{
    for (uint32_t axis = 0; axis < shape.rank; axis++) {
        struct operator_case c = case_of(name, operator_find(name), reference);
        struct check_input *x = case_input(&c, NET_ACTIVATION, shape);
        x->low = -10;
        x->high = 10;
        c.attributes.axis = axis;
        c.differences = 12;
        check_operator(&c);
    }
}

static void test_axes(void **state)
{
    (void)state;
    static const char *const names[] = {"Softmax", "LogSoftmax"};
    for (int i = 0; i < 2; i++) {
        check_axes(names[i], SHAPE(10));
        check_axes(names[i], SHAPE(1));
        check_axes(names[i], SHAPE(3, 4, 5));
        check_axes(names[i], SHAPE(2, 33));
    }
}

static void test_refusal(void **state)
{
    (void)state;
    struct operator_case c = case_of("axis", operator_find("Softmax"), reference);
    case_input(&c, NET_ACTIVATION, SHAPE(3));
    c.attributes.axis = 1;
    check_refused(&c, "axis 1: the input has 1 axes");
}

/* Great and infinite numbers, and one that is none. */
static void test_extremes(void **state)
{
    (void)state;
    struct net_value values[2] = {{.kind = NET_ACTIVATION, .shape = SHAPE(4), .size = 4},
                                  {.kind = NET_ACTIVATION, .shape = SHAPE(4), .size = 4}};
    struct net_graph graph = {.n_values = 2, .values = values};
    struct net_node node = {.n_inputs = 1, .n_outputs = 1, .outputs = {1}};
    const float x[3][4] = {{1e30f, 1e30f, -1e30f, 0}, {-INFINITY, 1, 1, -INFINITY}, {0, NAN, 0, 0}};
    float y[3][4];
    struct net_call call = {.graph = &graph, .node = &node, .samples = 3, .x = {x[0]}, .y = {y[0]}};
    operator_find("Softmax")->forward(&call);
    assert_true(y[0][0] == 0.5f && y[0][1] == 0.5f && y[0][2] == 0 && y[0][3] == 0);
    assert_true(y[1][0] == 0 && y[1][1] == 0.5f);
    for (int i = 0; i < 4; i++) assert_true(isnan(y[2][i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_axes),
        cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
