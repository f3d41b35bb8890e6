/* Gemm, and MatMul with a weight: net/dense.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "operator_check.h"

static void dense(const struct reference_call *call)
{
    const struct operator_case *c = call->what;
    bool turned = c->attributes.transpose_b;
    const struct net_shape *w = &c->inputs[1].shape;
    size_t k = w->dim[turned], n = w->dim[!turned];
    size_t rows = call->samples * shape_size(&c->inputs[0].shape) / k;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = call->x[2] ? call->x[2][j] : 0;
            for (size_t l = 0; l < k; l++)
                sum += call->x[0][i * k + l] * call->x[1][turned ? j * k + l : l * n + j];
            call->y[0][i * n + j] = c->attributes.relu && sum < 0 ? 0 : sum;
        }
}

static struct operator_case layer(const char *op, struct net_shape x, struct net_shape w, uint32_t bias)
{
    struct operator_case c = case_of(op, operator_find(op), dense);
    case_input(&c, NET_ACTIVATION, x);
    case_input(&c, NET_PARAMETER, w);
    if (bias) case_input(&c, NET_PARAMETER, SHAPE(bias));
    return c;
}

static void test_shapes_of_every_oddness(void **state)
{
    (void)state;
    struct operator_case cases[] = {
        layer("Gemm", SHAPE(7), SHAPE(7, 5), 5),       layer("Gemm", SHAPE(1), SHAPE(1, 1), 1),
        layer("Gemm", SHAPE(40), SHAPE(40, 33), 0),    layer("Gemm", SHAPE(16), SHAPE(16, 100), 100),
        layer("Gemm", SHAPE(3, 5), SHAPE(5, 17), 17),  layer("MatMul", SHAPE(2, 3, 4), SHAPE(4, 6), 0),
        layer("MatMul", SHAPE(90), SHAPE(90, 520), 0),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_operator(&cases[i]);
}

static void test_one_sample(void **state)
{
    (void)state;
    struct operator_case c = layer("Gemm", SHAPE(9), SHAPE(9, 20), 20);
    c.samples = 1;
    check_operator(&c);
}

static void test_many_microbatches(void **state)
{
    (void)state;
    struct operator_case c = layer("Gemm", SHAPE(11), SHAPE(11, 6), 6);
    c.samples = 16 * 13 + 3;
    check_operator(&c);
}

static void test_transposed(void **state)
{
    (void)state;
    struct operator_case c = layer("Gemm", SHAPE(13), SHAPE(34, 13), 34);
    c.attributes.transpose_b = true;
    check_operator(&c);
}

/* Few numbers: differences must not reach over the bend. */
static void test_relu(void **state)
{
    (void)state;
    struct operator_case c = layer("Gemm", SHAPE(9), SHAPE(9, 18), 18);
    c.attributes.relu = true;
    c.samples = 21;
    c.differences = 40;
    check_operator(&c);
}

static void test_first_layer(void **state)
{
    (void)state;
    struct operator_case c = layer("Gemm", SHAPE(9), SHAPE(9, 4), 4);
    c.inputs[0].kind = NET_INPUT;
    check_operator(&c);
}

static void test_frozen(void **state)
{
    (void)state;
    struct operator_case c = layer("Gemm", SHAPE(9), SHAPE(9, 4), 4);
    c.inputs[1].kind = NET_CONSTANT;
    check_operator(&c);
    c.inputs[1].kind = NET_PARAMETER;
    c.inputs[2].kind = NET_CONSTANT;
    check_operator(&c);
}

static void test_infers(void **state)
{
    (void)state;
    struct operator_case c = layer("Gemm", SHAPE(3, 5), SHAPE(5, 17), 17);
    check_shapes(&c, &SHAPE(3, 17));
    c = layer("MatMul", SHAPE(5), SHAPE(5, 2), 0);
    check_shapes(&c, &SHAPE(2));
}

static void test_refuses(void **state)
{
    (void)state;
    struct operator_case c = layer("Gemm", SHAPE(4), SHAPE(5, 3), 3);
    check_refused(&c, "last axis has 4");
    c = layer("Gemm", SHAPE(5), SHAPE(5, 3), 4);
    check_refused(&c, "bias must be a weight of 3");
    c = layer("Gemm", SHAPE(5), SHAPE(1, 5, 3), 0);
    check_refused(&c, "1 x 5 x 3");
    c = layer("Gemm", SHAPE(5), SHAPE(5, 3), 0);
    c.inputs[1].kind = NET_ACTIVATION;
    check_refused(&c, "weight");
    c = layer("Gemm", SHAPE(2, 70000, 2), SHAPE(2, 2000), 0);
    check_refused(&c, "too many");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes_of_every_oddness),
        cmocka_unit_test(test_one_sample),
        cmocka_unit_test(test_many_microbatches),
        cmocka_unit_test(test_transposed),
        cmocka_unit_test(test_relu),
        cmocka_unit_test(test_first_layer),
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_infers),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
