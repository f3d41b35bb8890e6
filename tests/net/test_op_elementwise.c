/* Operators that make another number of each: against their definitions in double precision. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "operator_check.h"

typedef double function(double x, const struct operator_case *c);

static void each(const struct reference_call *call, function *f)
{
    size_t n = call->samples * shape_size(&call->y_shape[0]);
    for (size_t i = 0; i < n; i++) call->y[0][i] = f(call->x[0][i], call->what);
}

#define REFERENCE(name, result)                                                                              \
    static double name##_of(double x, const struct operator_case *c)                                         \
    {                                                                                                        \
        (void)c;                                                                                             \
        return result;                                                                                       \
    }                                                                                                        \
    static void name##_reference(const struct reference_call *call)                                          \
    {                                                                                                        \
        each(call, name##_of);                                                                               \
    }

REFERENCE(relu, x > 0 ? x : 0)
REFERENCE(leaky_relu, x > 0 ? x : c->attributes.alpha * x)
REFERENCE(sigmoid, 1 / (1 + exp(-x)))
REFERENCE(tanh, tanh(x))
REFERENCE(exp, exp(x))
REFERENCE(sqrt, sqrt(x))
REFERENCE(same, x)
REFERENCE(gelu, x / 2 * (1 + erf(x / sqrt(2))))
REFERENCE(gelu_by_tanh, x / 2 * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))))
REFERENCE(hard_swish, x *fmin(fmax(x / 6 + 0.5, 0), 1))
REFERENCE(hard_sigmoid, fmin(fmax(c->attributes.alpha *x + c->attributes.beta, 0), 1))
REFERENCE(power, pow(x, c->inputs[1].numbers[0]))
REFERENCE(clip, fmin(fmax(x, c->inputs[1].absent ? -INFINITY : c->inputs[1].numbers[0]),
                     c->n_inputs < 3 ? INFINITY : c->inputs[2].numbers[0]))

static const struct case_row {
    const char *name;
    void (*reference)(const struct reference_call *call);
    double low, high, alpha, beta;
} rows[] = {
    {"Relu", relu_reference, -1, 1, 0, 0},
    {"LeakyRelu", leaky_relu_reference, -1, 1, 0.2, 0},
    {"LeakyRelu", leaky_relu_reference, -1, 1, -0.5, 0},
    {"Sigmoid", sigmoid_reference, -9, 9, 0, 0},
    {"Tanh", tanh_reference, -4, 4, 0, 0},
    {"Exp", exp_reference, -3, 3, 0, 0},
    {"Sqrt", sqrt_reference, 0.1, 5, 0, 0},
    {"Identity", same_reference, -1, 1, 0, 0},
    {"Flatten", same_reference, -1, 1, 0, 0},
    {"Gelu", gelu_reference, -5, 5, 0, 0},
    {"HardSwish", hard_swish_reference, -5, 5, 0, 0},
    {"HardSigmoid", hard_sigmoid_reference, -5, 5, 0.2, 0.5},
    {"HardSigmoid", hard_sigmoid_reference, -5, 5, 1.0 / 6, 0.5},
};

static struct operator_case case_of_row(const struct case_row *row, struct net_shape shape,
                                        enum net_kind kind)
{
    struct operator_case c = case_of(row->name, operator_find(row->name), row->reference);
    struct check_input *x = case_input(&c, kind, shape);
    x->low = row->low;
    x->high = row->high;
    c.attributes.alpha = (float)row->alpha;
    c.attributes.beta = (float)row->beta;
    return c;
}

static void test_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct operator_case odd = case_of_row(&rows[i], SHAPE(7, 5, 3), NET_ACTIVATION);
        check_operator(&odd);
        struct operator_case one = case_of_row(&rows[i], SHAPE_OF_ONE, NET_ACTIVATION);
        one.samples = 1;
        check_operator(&one);
        struct operator_case data = case_of_row(&rows[i], SHAPE(33), NET_INPUT);
        data.samples = 16;
        check_operator(&data);
    }
}

static void test_gelu_by_tanh(void **state)
{
    (void)state;
    struct operator_case c = case_of("by tanh", operator_find("Gelu"), gelu_by_tanh_reference);
    struct check_input *x = case_input(&c, NET_ACTIVATION, SHAPE(11));
    x->low = -5;
    x->high = 5;
    c.attributes.approximate = true;
    check_operator(&c);
}

static void test_pow(void **state)
{
    (void)state;
    static const float powers[] = {1, 2, 3, 8}, wrong[] = {0, 9, 2.5f, -1, NAN};
    for (size_t i = 0; i < 4; i++) {
        struct operator_case c = case_of("pow", operator_find("Pow"), power_reference);
        case_input(&c, NET_ACTIVATION, SHAPE(9, 3));
        case_input(&c, NET_CONSTANT, SHAPE_OF_ONE)->numbers = &powers[i];
        check_operator(&c);
    }
    for (size_t i = 0; i < 5; i++) {
        struct operator_case c = case_of("pow", operator_find("Pow"), power_reference);
        case_input(&c, NET_ACTIVATION, SHAPE(9, 3));
        case_input(&c, NET_CONSTANT, SHAPE_OF_ONE)->numbers = &wrong[i];
        check_refused(&c, "whole numbers from 1 to 8");
    }
}

static void test_clip(void **state)
{
    (void)state;
    static const float low = 0, high = 6;
    struct operator_case c = case_of("relu6", operator_find("Clip"), clip_reference);
    struct check_input *x = case_input(&c, NET_ACTIVATION, SHAPE(5, 5, 3));
    x->low = -4;
    x->high = 10;
    struct check_input *least = case_input(&c, NET_CONSTANT, SHAPE_OF_ONE);
    least->numbers = &low;
    case_input(&c, NET_CONSTANT, SHAPE(1))->numbers = &high;
    check_operator(&c);
    least->absent = true;
    check_operator(&c);
    least->absent = false;
    c.n_inputs = 2;
    check_operator(&c);
    least->kind = NET_ACTIVATION;
    check_refused(&c, "constant number");
}

static void test_reshape(void **state)
{
    (void)state;
    struct operator_case c = case_of("reshape", operator_find("Reshape"), same_reference);
    case_input(&c, NET_ACTIVATION, SHAPE(4, 3, 5));
    c.attributes.shape = SHAPE(6, 10);
    check_shapes(&c, &SHAPE(6, 10));
    check_operator(&c);
    c.attributes.shape = SHAPE(7, 10);
    check_refused(&c, "4 x 3 x 5 cannot become 7 x 10");
    c.inputs[0].kind = NET_PARAMETER;
    check_refused(&c, "is a weight");
}

static void test_flatten(void **state)
{
    (void)state;
    struct operator_case c = case_of("flatten", operator_find("Flatten"), same_reference);
    case_input(&c, NET_ACTIVATION, SHAPE(4, 3, 5));
    check_shapes(&c, &SHAPE(60));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),  cmocka_unit_test(test_gelu_by_tanh), cmocka_unit_test(test_pow),
        cmocka_unit_test(test_clip), cmocka_unit_test(test_reshape),      cmocka_unit_test(test_flatten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
