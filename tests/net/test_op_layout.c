/* Concat, Split and Transpose: numbers only change places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "operator_check.h"

static size_t product(const struct net_shape *shape, uint32_t first, uint32_t end)
{
    size_t n = 1;
    for (uint32_t d = first; d < end; d++) n *= shape->dim[d];
    return n;
}

/* Whole and parts along the axis: number `i` of the part that begins at `from` of the axis. */
static size_t place(const struct net_shape *whole, const struct net_shape *part, uint32_t axis, size_t from,
                    size_t i)
{
    size_t width = product(part, axis, part->rank), all = product(whole, axis, whole->rank);
    return i / width * all + from * product(whole, axis + 1, whole->rank) + i % width;
}

static void concat_reference(const struct reference_call *call)
{
    uint32_t axis = call->what->attributes.axis, from = 0;
    for (uint32_t k = 0; k < call->what->n_inputs; k++) {
        const struct net_shape *x = &call->what->inputs[k].shape;
        for (size_t i = 0; i < call->samples * shape_size(x); i++)
            call->y[0][place(&call->y_shape[0], x, axis, from, i)] = call->x[k][i];
        from += x->dim[axis];
    }
}

static void split_reference(const struct reference_call *call)
{
    const struct net_shape *x = &call->what->inputs[0].shape;
    uint32_t axis = call->what->attributes.axis, from = 0;
    for (uint32_t o = 0; o < call->what->n_outputs; o++) {
        const struct net_shape *y = &call->y_shape[o];
        for (size_t i = 0; i < call->samples * shape_size(y); i++)
            call->y[o][i] = call->x[0][place(x, y, axis, from, i)];
        from += y->dim[axis];
    }
}

static void test_concat(void **state)
{
    (void)state;
    for (uint32_t axis = 0; axis < 3; axis++) {
        struct operator_case c = case_of("concat", operator_find("Concat"), concat_reference);
        for (uint32_t k = 0; k < 3; k++) {
            struct net_shape shape = SHAPE(4, 3, 5);
            shape.dim[axis] = 1 + 2 * k;
            case_input(&c, k == 1 ? NET_INPUT : NET_ACTIVATION, shape);
        }
        c.attributes.axis = axis;
        c.differences = 30;
        check_operator(&c);
        c.n_inputs = 1;
        check_operator(&c);
    }
}

static void test_split(void **state)
{
    (void)state;
    static const uint32_t lengths[3] = {2, 1, 6};
    for (uint32_t axis = 0; axis < 3; axis++) {
        struct operator_case c = case_of("split", operator_find("Split"), split_reference);
        struct net_shape shape = SHAPE(4, 3, 5);
        shape.dim[axis] = 9;
        case_input(&c, NET_ACTIVATION, shape);
        c.attributes.axis = axis;
        c.n_outputs = 3;
        c.differences = 30;
        check_operator(&c);
        memcpy(c.attributes.split, lengths, sizeof lengths);
        check_operator(&c);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    struct operator_case c = case_of("concat", operator_find("Concat"), concat_reference);
    case_input(&c, NET_ACTIVATION, SHAPE(4, 3));
    case_input(&c, NET_ACTIVATION, SHAPE(4, 2));
    check_refused(&c, "4 x 3 and 4 x 2 do not go behind each other along axis 0");
    c.attributes.axis = 2;
    check_refused(&c, "axis 2");
    struct operator_case s = case_of("split", operator_find("Split"), split_reference);
    case_input(&s, NET_ACTIVATION, SHAPE(4, 3));
    s.n_outputs = 3;
    check_refused(&s, "an axis of 4 cannot be cut into 3 equal parts");
    s.attributes.split[1] = 7;
    check_refused(&s, "7 long together, the axis is 4");
    s.attributes.axis = 2;
    check_refused(&s, "axis 2");
}

static void transpose_reference(const struct reference_call *call)
{
    const struct net_shape *x = &call->what->inputs[0].shape, *y = &call->y_shape[0];
    size_t size = shape_size(x);
    for (size_t i = 0; i < call->samples * size; i++) {
        size_t rest = i % size, at = i / size * size;
        for (uint32_t d = y->rank; d-- > 0;) {
            at += rest % y->dim[d] * product(x, call->what->attributes.perm[d] + 1, x->rank);
            rest /= y->dim[d];
        }
        call->y[0][i] = call->x[0][at];
    }
}

static void test_transpose(void **state)
{
    (void)state;
    static const uint32_t perms[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 0, 2, 3}, {2, 0, 3, 1}};
    for (size_t i = 0; i < sizeof perms / sizeof *perms; i++) {
        struct operator_case c = case_of("transpose", operator_find("Transpose"), transpose_reference);
        case_input(&c, NET_ACTIVATION, SHAPE(3, 4, 2, 5));
        memcpy(c.attributes.perm, perms[i], sizeof perms[i]);
        c.differences = 30;
        check_operator(&c);
    }
    struct operator_case c = case_of("transpose", operator_find("Transpose"), transpose_reference);
    case_input(&c, NET_ACTIVATION, SHAPE_OF_ONE);
    check_operator(&c);
    c.inputs[0].shape = SHAPE(3, 4);
    check_refused(&c, "each of the 2 axes once");
    c.attributes.perm[0] = 2;
    check_refused(&c, "each of the 2 axes once");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_concat),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_transpose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
