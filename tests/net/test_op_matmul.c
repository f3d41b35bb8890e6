/* MatMul of two activations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "operator_check.h"

static void matmul(const struct reference_call *call)
{
    const struct operator_case *c = call->what;
    const struct net_shape *a = &c->inputs[0].shape, *b = &c->inputs[1].shape;
    bool turned = c->attributes.transpose_b;
    size_t m = a->dim[a->rank - 2], k = a->dim[a->rank - 1], n = b->dim[b->rank - 1 - turned];
    size_t matrices = call->samples * shape_size(a) / (m * k);
    for (size_t i = 0; i < matrices; i++)
        for (size_t r = 0; r < m; r++)
            for (size_t j = 0; j < n; j++) {
                double sum = 0;
                for (size_t l = 0; l < k; l++)
                    sum += call->x[0][(i * m + r) * k + l] *
                           call->x[1][i * k * n + (turned ? j * k + l : l * n + j)];
                call->y[0][(i * m + r) * n + j] = sum;
            }
}

static struct operator_case product(struct net_shape a, struct net_shape b, bool turned)
{
    struct operator_case c = case_of("MatMul", operator_find("MatMul"), matmul);
    case_input(&c, NET_ACTIVATION, a);
    case_input(&c, NET_ACTIVATION, b);
    c.attributes.transpose_b = turned;
    return c;
}

static void test_matrices(void **state)
{
    (void)state;
    struct operator_case cases[] = {
        product(SHAPE(3, 4), SHAPE(4, 5), false),         product(SHAPE(3, 4), SHAPE(5, 4), true),
        product(SHAPE(2, 17, 3), SHAPE(2, 3, 33), false), product(SHAPE(2, 3, 7, 5), SHAPE(2, 3, 6, 5), true),
        product(SHAPE(1, 1), SHAPE(1, 1), false),         product(SHAPE(13, 20), SHAPE(17, 20), true),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_operator(&cases[i]);
}

static void test_infers(void **state)
{
    (void)state;
    struct operator_case c = product(SHAPE(2, 7, 3), SHAPE(2, 3, 4), false);
    check_shapes(&c, &SHAPE(2, 7, 4));
    c = product(SHAPE(2, 7, 3), SHAPE(2, 4, 3), true);
    check_shapes(&c, &SHAPE(2, 7, 4));
}

static void test_refuses(void **state)
{
    (void)state;
    struct operator_case c = product(SHAPE(2, 7, 3), SHAPE(2, 4, 3), false);
    check_refused(&c, "2 x 7 x 3 cannot be multiplied with 2 x 4 x 3");
    c = product(SHAPE(2, 7, 3), SHAPE(3, 3, 4), false);
    check_refused(&c, "cannot be multiplied");
    c = product(SHAPE(3), SHAPE(3), false);
    check_refused(&c, "cannot be multiplied");
    c = product(SHAPE(2, 3), SHAPE(3, 4), false);
    c.inputs[0].kind = NET_PARAMETER;
    check_refused(&c, "second");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrices),
        cmocka_unit_test(test_infers),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
