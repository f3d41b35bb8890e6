/* Conv: every combination of stride, pad, dilation and groups that gave somebody trouble. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "operator_check.h"

/* One output number: pixel (oy, ox), channel o. */
static double pixel(const struct reference_call *call, const double *image, size_t oy, size_t ox, size_t o)
{
    const struct net_attributes *a = &call->what->attributes;
    const struct net_shape *x = &call->what->inputs[0].shape, *w = &call->what->inputs[1].shape;
    size_t channels = w->dim[2], first = o / (w->dim[3] / a->group) * channels;
    double sum = call->x[2] ? call->x[2][o] : 0;
    for (size_t ty = 0; ty < w->dim[0]; ty++)
        for (size_t tx = 0; tx < w->dim[1]; tx++) {
            long iy = (long)(oy * a->stride[0] + ty * a->dilation[0]) - (long)a->pad[0];
            long ix = (long)(ox * a->stride[1] + tx * a->dilation[1]) - (long)a->pad[1];
            if (iy < 0 || ix < 0 || iy >= (long)x->dim[0] || ix >= (long)x->dim[1]) continue;
            for (size_t i = 0; i < channels; i++)
                sum += image[((size_t)iy * x->dim[1] + (size_t)ix) * x->dim[2] + first + i] *
                       call->x[1][((ty * w->dim[1] + tx) * channels + i) * w->dim[3] + o];
        }
    return sum;
}

static void conv(const struct reference_call *call)
{
    const struct net_shape *y = &call->y_shape[0];
    size_t image = shape_size(&call->what->inputs[0].shape), n = 0;
    for (size_t s = 0; s < call->samples; s++)
        for (size_t oy = 0; oy < y->dim[0]; oy++)
            for (size_t ox = 0; ox < y->dim[1]; ox++)
                for (size_t o = 0; o < y->dim[2]; o++) {
                    double sum = pixel(call, call->x[0] + s * image, oy, ox, o);
                    call->y[0][n++] = call->what->attributes.relu && sum < 0 ? 0 : sum;
                }
}

struct geometry {
    const char *label;
    struct net_shape x, w;
    uint32_t stride[2], dilation[2], pad[4], group;
};

static struct operator_case layer(const struct geometry *g, bool bias)
{
    struct operator_case c = case_of(g->label, operator_find("Conv"), conv);
    case_input(&c, NET_ACTIVATION, g->x);
    case_input(&c, NET_PARAMETER, g->w);
    if (bias) case_input(&c, NET_PARAMETER, SHAPE(g->w.dim[3]));
    for (int axis = 0; axis < 2; axis++) {
        c.attributes.kernel[axis] = g->w.dim[axis];
        c.attributes.stride[axis] = g->stride[axis];
        c.attributes.dilation[axis] = g->dilation[axis];
    }
    for (int side = 0; side < 4; side++) c.attributes.pad[side] = g->pad[side];
    c.attributes.group = g->group;
    c.samples = 19;
    c.differences = 24;
    return c;
}

static const struct geometry geometries[] = {
    {"3 x 3", {3, {6, 7, 5}}, {4, {3, 3, 5, 4}}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1},
    {"3 x 3, one channel", {3, {7, 7, 1}}, {4, {3, 3, 1, 17}}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1},
    {"no pad", {3, {6, 5, 3}}, {4, {3, 2, 3, 33}}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1},
    {"1 x 1", {3, {4, 5, 20}}, {4, {1, 1, 20, 35}}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1},
    {"1 x 1, stride 2", {3, {7, 6, 4}}, {4, {1, 1, 4, 6}}, {2, 2}, {1, 1}, {0, 0, 0, 0}, 1},
    {"3 x 3, stride 2", {3, {7, 8, 4}}, {4, {3, 3, 4, 6}}, {2, 2}, {1, 1}, {1, 1, 1, 1}, 1},
    {"3 x 3, stride 2 on even, pad below",
     {3, {8, 8, 3}},
     {4, {3, 3, 3, 6}},
     {2, 2},
     {1, 1},
     {0, 0, 1, 1},
     1},
    {"7 x 7, stride 2", {3, {11, 12, 3}}, {4, {7, 7, 3, 4}}, {2, 2}, {1, 1}, {3, 3, 3, 3}, 1},
    {"2 x 2, stride 3: pixels nobody looks at",
     {3, {8, 9, 2}},
     {4, {2, 2, 2, 3}},
     {3, 3},
     {1, 1},
     {0, 0, 0, 0},
     1},
    {"strides that differ", {3, {9, 8, 2}}, {4, {3, 2, 2, 3}}, {3, 1}, {1, 1}, {1, 0, 2, 1}, 1},
    {"dilation 2", {3, {8, 9, 2}}, {4, {3, 3, 2, 3}}, {1, 1}, {2, 2}, {2, 2, 2, 2}, 1},
    {"dilation 2, stride 2", {3, {9, 8, 2}}, {4, {3, 3, 2, 3}}, {2, 2}, {2, 2}, {2, 2, 2, 2}, 1},
    {"dilation 2, stride 3", {3, {9, 10, 2}}, {4, {3, 3, 2, 3}}, {3, 3}, {2, 2}, {2, 1, 0, 2}, 1},
    {"dilation 3, stride 2", {3, {10, 9, 2}}, {4, {3, 3, 2, 3}}, {2, 2}, {3, 3}, {3, 3, 3, 3}, 1},
    {"pad beyond the kernel", {3, {3, 4, 2}}, {4, {2, 2, 2, 3}}, {1, 1}, {1, 1}, {3, 4, 3, 2}, 1},
    {"pads that differ", {3, {5, 5, 2}}, {4, {3, 3, 2, 3}}, {1, 1}, {1, 1}, {2, 0, 0, 1}, 1},
    {"stride beyond the image", {3, {3, 2, 2}}, {4, {1, 2, 2, 3}}, {5, 4}, {1, 1}, {0, 0, 0, 0}, 1},
    {"one pixel", {3, {1, 1, 9}}, {4, {3, 3, 9, 5}}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1},
    {"groups", {3, {5, 6, 6}}, {4, {3, 3, 2, 9}}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 3},
    {"groups, stride 2", {3, {6, 5, 8}}, {4, {3, 3, 4, 40}}, {2, 2}, {1, 1}, {1, 1, 1, 1}, 2},
    {"depthwise", {3, {6, 7, 19}}, {4, {3, 3, 1, 19}}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 19},
    {"depthwise, stride 2", {3, {7, 6, 66}}, {4, {3, 3, 1, 66}}, {2, 2}, {1, 1}, {1, 1, 1, 1}, 66},
    {"depthwise, dilation 2", {3, {6, 7, 4}}, {4, {3, 3, 1, 4}}, {1, 1}, {2, 2}, {2, 2, 2, 2}, 4},
    {"depthwise with two kernels a channel",
     {3, {5, 5, 3}},
     {4, {3, 3, 1, 6}},
     {1, 1},
     {1, 1},
     {1, 1, 1, 1},
     3},
    {"many channels", {3, {2, 2, 70}}, {4, {3, 3, 70, 40}}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1},
    {"many outputs", {3, {2, 2, 3}}, {4, {2, 2, 3, 1100}}, {1, 1}, {1, 1}, {0, 1, 1, 0}, 1},
};

static void test_geometries(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof geometries / sizeof *geometries; i++) {
        struct operator_case c = layer(&geometries[i], i % 3 != 1);
        check_operator(&c);
    }
}

/* Few numbers: differences must not reach over the bend. */
static void test_relu(void **state)
{
    (void)state;
    const struct geometry some[] = {
        {"relu", {3, {4, 3, 2}}, {4, {3, 3, 2, 3}}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1},
        {"relu, 1 x 1", {3, {2, 3, 4}}, {4, {1, 1, 4, 5}}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1},
        {"relu, depthwise", {3, {3, 4, 5}}, {4, {3, 3, 1, 5}}, {2, 2}, {1, 1}, {1, 1, 1, 1}, 5},
    };
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        struct operator_case c = layer(&some[i], true);
        c.attributes.relu = true;
        check_operator(&c);
    }
}

static void test_first_layer(void **state)
{
    (void)state;
    struct operator_case c = layer(&geometries[1], true);
    c.inputs[0].kind = NET_INPUT;
    check_operator(&c);
}

static void test_frozen(void **state)
{
    (void)state;
    struct operator_case c = layer(&geometries[0], true);
    c.inputs[1].kind = NET_CONSTANT;
    check_operator(&c);
    c.inputs[1].kind = NET_PARAMETER;
    c.inputs[2].kind = NET_CONSTANT;
    check_operator(&c);
}

static void test_infers(void **state)
{
    (void)state;
    struct operator_case c = layer(&geometries[7], false);
    check_shapes(&c, &SHAPE(6, 6, 4));
    c = layer(&geometries[9], false);
    check_shapes(&c, &SHAPE(4, 8, 3));
}

static void test_refuses(void **state)
{
    (void)state;
    struct operator_case c = layer(&geometries[0], true);
    c.inputs[0].shape = SHAPE(6, 7, 4);
    check_refused(&c, "4 channels a group, the weight takes 5");
    c.inputs[0].shape = SHAPE(42, 5);
    check_refused(&c, "height x width x channels");
    c = layer(&geometries[0], true);
    c.inputs[1].shape = SHAPE(3, 5, 4);
    check_refused(&c, "3 x 5 x 4");
    c = layer(&geometries[0], true);
    c.inputs[2].shape = SHAPE(5);
    check_refused(&c, "bias must be a weight of 4");
    c = layer(&geometries[0], true);
    c.attributes.stride[1] = 0;
    check_refused(&c, "stride");
    c = layer(&geometries[0], true);
    c.attributes.group = 2;
    check_refused(&c, "groups");
    c.attributes.group = 0;
    check_refused(&c, "0 groups");
    c = layer(&geometries[0], true);
    c.attributes.dilation[0] = 4;
    check_refused(&c, "does not fit into");
    c = layer(&geometries[0], true);
    c.attributes.kernel[0] = 5;
    check_refused(&c, "said to be 5 x 3");
    c = layer(&geometries[0], true);
    c.attributes.pad[0] = c.attributes.pad[3] = 1 << 20;
    check_refused(&c, "too many");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_geometries), cmocka_unit_test(test_relu),   cmocka_unit_test(test_first_layer),
        cmocka_unit_test(test_frozen),     cmocka_unit_test(test_infers), cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
