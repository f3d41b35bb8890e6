/* MaxPool, AveragePool, GlobalAveragePool and ReduceMean. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "operator_check.h"

/* A window's sum or greatest number, and how many count. */
static double window(const struct reference_call *call, const double *x, int64_t row, int64_t column,
                     uint32_t channel, bool max)
{
    const struct net_attributes *a = &call->what->attributes;
    const uint32_t *in = call->what->inputs[0].shape.dim;
    double result = max ? -INFINITY : 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < a->kernel[0]; i++)
        for (uint32_t j = 0; j < a->kernel[1]; j++) {
            int64_t h = row * a->stride[0] + (int64_t)i * a->dilation[0] - a->pad[0];
            int64_t w = column * a->stride[1] + (int64_t)j * a->dilation[1] - a->pad[1];
            bool inside = h >= 0 && w >= 0 && h < in[0] && w < in[1];
            bool padded = h < in[0] + (int64_t)a->pad[2] && w < in[1] + (int64_t)a->pad[3];
            count += a->count_include_pad ? padded : inside;
            if (!inside) continue;
            double number = x[(h * in[1] + w) * in[2] + channel];
            result = max ? fmax(result, number) : result + number;
        }
    return max ? result : result / count;
}

static void pool_reference(const struct reference_call *call)
{
    const uint32_t *out = call->y_shape[0].dim;
    bool max = strcmp(call->what->op->name, "MaxPool") == 0;
    size_t size = shape_size(&call->y_shape[0]), in = shape_size(&call->what->inputs[0].shape);
    for (size_t s = 0; s < call->samples; s++)
        for (size_t i = 0; i < size; i++)
            call->y[0][s * size + i] = window(call, call->x[0] + s * in, (int64_t)(i / out[2] / out[1]),
                                              (int64_t)(i / out[2] % out[1]), (uint32_t)(i % out[2]), max);
}

static const struct window_row {
    uint32_t in[3], kernel[2], stride[2], dilation[2], pad[4];
    bool ceil_mode;
    uint32_t out[2];
} windows[] = {
    {{8, 6, 5}, {2, 2}, {2, 2}, {1, 1}, {0}, false, {4, 3}},
    {{7, 5, 33}, {2, 2}, {2, 2}, {1, 1}, {0}, false, {3, 2}},
    {{7, 5, 3}, {2, 2}, {2, 2}, {1, 1}, {0}, true, {4, 3}},
    {{9, 7, 4}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, false, {5, 4}},
    {{6, 11, 3}, {3, 2}, {1, 3}, {1, 1}, {1, 0, 2, 1}, false, {7, 4}},
    {{6, 6, 2}, {3, 3}, {2, 2}, {1, 1}, {0, 1, 0, 1}, true, {3, 4}},
    {{5, 5, 1}, {2, 2}, {3, 3}, {1, 1}, {1, 1, 1, 1}, true, {2, 2}},
    {{5, 3, 18}, {5, 3}, {1, 1}, {1, 1}, {0}, false, {1, 1}},
};

static struct operator_case case_of_window(const char *op, const struct window_row *row)
{
    struct operator_case c = case_of(op, operator_find(op), pool_reference);
    case_input(&c, NET_ACTIVATION, SHAPE(row->in[0], row->in[1], row->in[2]));
    memcpy(c.attributes.kernel, row->kernel, sizeof row->kernel);
    memcpy(c.attributes.stride, row->stride, sizeof row->stride);
    memcpy(c.attributes.dilation, row->dilation, sizeof row->dilation);
    memcpy(c.attributes.pad, row->pad, sizeof row->pad);
    c.attributes.ceil_mode = row->ceil_mode;
    c.differences = 60;
    return c;
}

static void test_max(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        struct operator_case c = case_of_window("MaxPool", &windows[i]);
        check_shapes(&c, &SHAPE(windows[i].out[0], windows[i].out[1], windows[i].in[2]));
        check_operator(&c);
    }
}

static void test_max_dilated(void **state)
{
    (void)state;
    static const struct window_row row = {{9, 11, 3}, {3, 2}, {2, 1}, {2, 3}, {2, 1, 2, 0}, false, {5, 9}};
    struct operator_case c = case_of_window("MaxPool", &row);
    check_shapes(&c, &SHAPE(5, 9, 3));
    check_operator(&c);
}

static void test_average(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        struct operator_case c = case_of_window("AveragePool", &windows[i]);
        check_operator(&c);
        c.attributes.count_include_pad = true;
        check_operator(&c);
    }
}

/* Of equal numbers the first gets the gradient, and NaN is never passed over. */
static void test_max_of_equals(void **state)
{
    (void)state;
    static const struct window_row row = {{2, 4, 1}, {2, 2}, {2, 2}, {1, 1}, {0}, false, {1, 2}};
    struct operator_case c = case_of_window("MaxPool", &row);
    struct net_value values[2] = {{.kind = NET_ACTIVATION, .shape = SHAPE(2, 4, 1), .size = 8},
                                  {.kind = NET_ACTIVATION, .shape = SHAPE(1, 2, 1), .size = 2}};
    struct net_graph graph = {.n_values = 2, .values = values};
    struct net_node node = {
        .op = c.op, .n_inputs = 1, .n_outputs = 1, .outputs = {1}, .attributes = c.attributes};
    static const float x[8] = {3, 3, 5, NAN, 3, 3, 9, 1};
    static const float want[8] = {1, 0, 0, 2};
    float y[2], dx[8], dy[2] = {1, 2};
    uint8_t kept[2];
    struct net_call call = {.graph = &graph, .node = &node, .samples = 1, .x = {x}, .y = {y}, .kept = kept};
    c.op->forward(&call);
    assert_true(y[0] == 3 && isnan(y[1]));
    call.dy[0] = dy;
    call.dx[0] = dx;
    c.op->backward(&call);
    assert_memory_equal(dx, want, sizeof want);
}

static void global_reference(const struct reference_call *call)
{
    size_t channels = shape_size(&call->y_shape[0]), in = shape_size(&call->what->inputs[0].shape);
    memset(call->y[0], 0, call->samples * channels * sizeof(double));
    for (size_t i = 0; i < call->samples * in; i++)
        call->y[0][i / in * channels + i % channels] += call->x[0][i] * (double)channels / (double)in;
}

static void test_global(void **state)
{
    (void)state;
    struct operator_case c = case_of("global", operator_find("GlobalAveragePool"), global_reference);
    case_input(&c, NET_ACTIVATION, SHAPE(5, 7, 19));
    check_shapes(&c, &SHAPE(1, 1, 19));
    check_operator(&c);
    c.inputs[0].shape = SHAPE(9, 1);
    check_operator(&c);
    c.inputs[0].shape = SHAPE(9);
    check_refused(&c, "no axes to average over");
}

static void mean_reference(const struct reference_call *call)
{
    const struct net_shape *x = &call->what->inputs[0].shape;
    const struct net_attributes *a = &call->what->attributes;
    size_t length = 1, inner = 1, n = call->samples * shape_size(x);
    for (uint32_t d = a->axis; d < x->rank; d++) *(d < a->axis + a->n_axes ? &length : &inner) *= x->dim[d];
    memset(call->y[0], 0, n / length * sizeof(double));
    for (size_t i = 0; i < n; i++)
        call->y[0][i / inner / length * inner + i % inner] += call->x[0][i] / (double)length;
}

static void test_mean(void **state)
{
    (void)state;
    struct operator_case c = case_of("mean", operator_find("ReduceMean"), mean_reference);
    case_input(&c, NET_ACTIVATION, SHAPE(5, 4, 3, 6));
    for (uint32_t axis = 0; axis < 4; axis++)
        for (uint32_t n = 1; axis + n <= 4; n++) {
            c.attributes.axis = axis;
            c.attributes.n_axes = n;
            c.differences = 20;
            check_operator(&c);
        }
    check_shapes(&c, &SHAPE(5, 4, 3));
    c.attributes.n_axes = 2;
    check_refused(&c, "2 axes from axis 3");
    c.attributes.n_axes = 0;
    check_refused(&c, "0 axes");
}

static void test_refusals(void **state)
{
    (void)state;
    struct operator_case c = case_of_window("MaxPool", &windows[0]);
    c.attributes.pad[0] = 2;
    check_refused(&c, "padding is as large");
    c = case_of_window("MaxPool", &windows[0]);
    c.attributes.stride[1] = 0;
    check_refused(&c, "at least 1");
    c = case_of_window("MaxPool", &windows[0]);
    c.attributes.kernel[0] = 9;
    check_refused(&c, "larger than the padded image");
    c.attributes.kernel[0] = c.attributes.kernel[1] = UINT32_MAX;
    check_refused(&c, "positions");
    c = case_of_window("AveragePool", &windows[0]);
    c.attributes.dilation[0] = 2;
    check_refused(&c, "without dilation");
    c = case_of_window("AveragePool", &windows[0]);
    c.inputs[0].shape = SHAPE(48);
    check_refused(&c, "has to be an image");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_max),           cmocka_unit_test(test_max_dilated),
        cmocka_unit_test(test_max_of_equals), cmocka_unit_test(test_average),
        cmocka_unit_test(test_global),        cmocka_unit_test(test_mean),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
