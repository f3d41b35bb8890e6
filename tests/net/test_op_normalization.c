/* BatchNormalization and LayerNormalization. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "operator_check.h"

enum { SCALE = 1, BIAS, MEAN, VARIANCE };

/* One channel: x and y are `stride` apart. */
static void normalise(const struct reference_call *call, const double *x, double *y, size_t n, size_t c,
                      size_t stride)
{
    const struct net_attributes *a = &call->what->attributes;
    double mean = 0, variance = 0;
    for (size_t i = 0; i < n; i++) mean += x[i * stride] / (double)n;
    for (size_t i = 0; i < n; i++) variance += (x[i * stride] - mean) * (x[i * stride] - mean) / (double)n;
    if (call->training && call->state[MEAN]) {
        double kept = (double)a->momentum,
               unbiased = n > 1 ? variance * (double)n / (double)(n - 1) : variance;
        call->state[MEAN][c] = kept * call->state[MEAN][c] + (1 - kept) * mean;
        call->state[VARIANCE][c] = kept * call->state[VARIANCE][c] + (1 - kept) * unbiased;
    }
    if (!call->training) mean = call->x[MEAN][c], variance = call->x[VARIANCE][c];
    for (size_t i = 0; i < n; i++) {
        double normal = (x[i * stride] - mean) / sqrt(variance + (double)a->epsilon);
        double number = normal * call->x[SCALE][c] + call->x[BIAS][c];
        y[i * stride] = a->relu ? fmax(number, 0) : number;
    }
}

static void batch_reference(const struct reference_call *call)
{
    size_t channels = shape_size(&call->what->inputs[SCALE].shape);
    size_t rows = call->samples * shape_size(&call->y_shape[0]) / channels;
    for (size_t c = 0; c < channels; c++) normalise(call, call->x[0] + c, call->y[0] + c, rows, c, channels);
}

static struct operator_case batch_case(struct net_shape shape, bool relu)
{
    struct operator_case c =
        case_of(relu ? "batch, relu" : "batch", operator_find("BatchNormalization"), batch_reference);
    struct net_shape channels = SHAPE(shape.dim[shape.rank - 1]);
    case_input(&c, NET_ACTIVATION, shape);
    case_input(&c, NET_PARAMETER, channels);
    case_input(&c, NET_PARAMETER, channels);
    case_input(&c, NET_STATE, channels);
    case_input(&c, NET_STATE, channels)->low = 0.2;
    c.attributes.relu = relu;
    c.attributes.momentum = 0.8f;
    c.differences = 40;
    return c;
}

static void test_batch(void **state)
{
    (void)state;
    static const struct net_shape shapes[] = {{3, {3, 5, 3}}, {3, {2, 3, 16}}, {3, {1, 2, 43}},
                                              {1, {7}},       {2, {5, 24}},    {1, {300}}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int relu = 0; relu < 2; relu++) {
            struct operator_case c = batch_case(shapes[i], relu);
            check_operator(&c);
            c.inputs[SCALE].kind = c.inputs[MEAN].kind = c.inputs[VARIANCE].kind = NET_CONSTANT;
            check_operator(&c);
            c.inputs[0].kind = NET_INPUT;
            check_operator(&c);
        }
}

/* A mean a hundred times the deviation: what single precision would lose. */
static void test_batch_far_from_0(void **state)
{
    (void)state;
    struct operator_case c = batch_case(SHAPE(3, 3, 5), true);
    c.inputs[0].low = 57;
    c.inputs[0].high = 58;
    c.tolerance = 1e-4;
    c.gradient_tolerance = 1e-3;
    check_operator(&c);
}

static void test_batch_of_one(void **state)
{
    (void)state;
    struct operator_case c = batch_case(SHAPE(4), false);
    c.samples = 1;
    c.no_gradients = true;
    check_operator(&c);
}

static void test_batch_refusals(void **state)
{
    (void)state;
    struct operator_case c = batch_case(SHAPE(3, 3, 5), true);
    c.inputs[BIAS].shape = SHAPE(4);
    check_refused(&c, "the bias, is 4 and has to have 5 numbers");
    c = batch_case(SHAPE(3, 3, 5), true);
    c.inputs[MEAN].kind = NET_ACTIVATION;
    check_refused(&c, "the running mean, has to be a weight");
    c = batch_case(SHAPE(3, 3, 5), true);
    c.attributes.epsilon = NAN;
    check_refused(&c, "epsilon");
    c = batch_case(SHAPE(1), true);
    c.inputs[0].shape = SHAPE_OF_ONE;
    check_refused(&c, "no channels");
}

static void layer_reference(const struct reference_call *call)
{
    size_t n = shape_size(&call->what->inputs[SCALE].shape);
    size_t rows = call->samples * shape_size(&call->y_shape[0]) / n;
    for (size_t r = 0; r < rows; r++) {
        const double *x = call->x[0] + r * n;
        double mean = 0, variance = 0;
        for (size_t i = 0; i < n; i++) mean += x[i] / (double)n;
        for (size_t i = 0; i < n; i++) variance += (x[i] - mean) * (x[i] - mean) / (double)n;
        double inverse = 1 / sqrt(variance + (double)call->what->attributes.epsilon);
        for (size_t i = 0; i < n; i++)
            call->y[0][r * n + i] =
                (x[i] - mean) * inverse * call->x[SCALE][i] + (call->x[BIAS] ? call->x[BIAS][i] : 0);
    }
}

static struct operator_case layer_case(struct net_shape shape, uint32_t axis)
{
    struct operator_case c = case_of("layer", operator_find("LayerNormalization"), layer_reference);
    struct net_shape behind = {.rank = shape.rank - axis};
    for (uint32_t d = 0; d < behind.rank; d++) behind.dim[d] = shape.dim[axis + d];
    case_input(&c, NET_ACTIVATION, shape);
    case_input(&c, NET_PARAMETER, behind);
    case_input(&c, NET_PARAMETER, behind);
    c.attributes.axis = axis;
    c.differences = 40;
    return c;
}

static void test_layer(void **state)
{
    (void)state;
    static const struct net_shape shapes[] = {{1, {19}}, {2, {3, 32}}, {3, {2, 3, 7}}, {2, {2, 300}}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (uint32_t axis = 0; axis < shapes[i].rank; axis++) {
            struct operator_case c = layer_case(shapes[i], axis);
            check_operator(&c);
            c.inputs[BIAS].absent = true;
            check_operator(&c);
            c.n_inputs = 2;
            c.inputs[SCALE].kind = NET_CONSTANT;
            check_operator(&c);
        }
}

static void test_layer_refusals(void **state)
{
    (void)state;
    struct operator_case c = layer_case(SHAPE(3, 5), 1);
    c.attributes.axis = 2;
    check_refused(&c, "axis 2: the input has 2 axes");
    c.attributes.axis = 0;
    check_refused(&c, "the scale, is 5 and has to have 15 numbers");
    c = layer_case(SHAPE(3, 5), 1);
    c.attributes.epsilon = -1;
    check_refused(&c, "epsilon");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch),        cmocka_unit_test(test_batch_far_from_0),
        cmocka_unit_test(test_batch_of_one), cmocka_unit_test(test_batch_refusals),
        cmocka_unit_test(test_layer),        cmocka_unit_test(test_layer_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
