/* Presets and the examples' layer lists: what they are made of, what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/figures.h"
#include "net/initialise.h"
#include "net/operator.h"
#include "net/presets.h"

static const struct layer_list_options images = {.input = {3, {28, 28, 1}}, .n_outputs = 10};

static uint32_t count(const struct net_graph *graph, const char *op)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < graph->n_nodes; i++) n += strcmp(graph->nodes[i].op->name, op) == 0;
    return n;
}

static void build(struct net_graph *graph, const char *name, const struct layer_list_options *options)
{
    bramble_error error = {0};
    if (preset_build(graph, name, options, &error)) fail_msg("%s: %s", name, error.message);
    assert_int_equal(graph->values[graph->output].size, options->n_outputs);
}

/* The numbers of weights are those of the same networks in PyTorch: sum(p.numel() for p in m.parameters()).
 */
static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t parameters, macs;
        uint32_t convolutions, norms, sums;
    } want[] = {
        {"linear", 7850, 7840, 0, 0, 0},
        {"mlp", 535818, 535040, 0, 0, 0},
        {"cnn", 421642, 28 * 28 * 9 * 32 + 14 * 14 * 9 * 32 * 64 + 3136 * 128 + 1280, 2, 0, 0},
        {"resnet20", 272186, 31021952, 21, 21, 9},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct net_graph graph;
        build(&graph, want[i].name, &images);
        struct net_figures figures = figures_of_net(&graph);
        assert_int_equal(figures.parameters, want[i].parameters);
        assert_int_equal(figures.macs, want[i].macs);
        assert_int_equal(count(&graph, "Conv"), want[i].convolutions);
        assert_int_equal(count(&graph, "BatchNormalization"), want[i].norms);
        assert_int_equal(count(&graph, "Add"), want[i].sums);
        uint64_t parameters = 0, bytes = 0, macs = 0;
        for (uint32_t n = 0; n < graph.n_nodes; n++) {
            struct layer_figures layer = figures_of_layer(&graph, n);
            parameters += layer.parameters;
            bytes += layer.activation_bytes;
            macs += layer.macs;
        }
        assert_int_equal(parameters, figures.parameters);
        assert_int_equal(bytes, figures.activation_bytes);
        assert_int_equal(macs, figures.macs);
        graph_fini(&graph);
    }
}

static void test_shapes_along_resnet20(void **state)
{
    (void)state;
    static const char *const names[] = {"conv1", "residual3.activation", "residual4.activation",
                                        "residual9.activation", "dense1"};
    static const char *const shapes[] = {"28 x 28 x 16", "28 x 28 x 16", "14 x 14 x 32", "7 x 7 x 64", "10"};
    struct net_graph graph;
    char text[64];
    build(&graph, "resnet20", &images);
    for (int i = 0; i < 5; i++) {
        uint32_t v = graph_find_value(&graph, names[i]);
        assert_int_not_equal(v, NET_NONE);
        assert_string_equal(shape_text(&graph.values[v].shape, text), shapes[i]);
    }
    uint32_t v = graph_find_value(&graph, "conv2.weight");
    assert_int_not_equal(v, NET_NONE);
    assert_true(graph.values[v].decays && graph.values[v].fan_in == 144);
    v = graph_find_value(&graph, "batchnorm1.weight");
    assert_int_not_equal(v, NET_NONE);
    assert_false(graph.values[v].decays);
    graph_fini(&graph);
}

static void test_tables(void **state)
{
    (void)state;
    const struct layer_list_options table = {.input = {1, {30}}, .n_outputs = 1};
    static const char *const fit[] = {"linear", "mlp", "mlp-small"};
    for (int i = 0; i < 3; i++) {
        struct net_graph graph;
        build(&graph, fit[i], &table);
        assert_int_equal(count(&graph, "Flatten"), 0);
        graph_fini(&graph);
    }
    static const char *const others[] = {"cnn", "resnet20"};
    for (int i = 0; i < 2; i++) {
        struct net_graph graph;
        bramble_error error = {0};
        assert_int_equal(preset_build(&graph, others[i], &table, &error), BRAMBLE_ERR_DATA);
        assert_non_null(
            strstr(error.message, "is for images, and this data's rows are 30 numbers; take mlp"));
    }
}

static void test_refusals(void **state)
{
    (void)state;
    struct net_graph graph;
    bramble_error error = {0};
    assert_int_equal(preset_build(&graph, "resnet", &images, &error), BRAMBLE_ERR_USAGE);
    assert_string_equal(error.message, "there is no network \"resnet\"; did you mean resnet20?");
    assert_int_equal(preset_build(&graph, "vgg", &images, &error), BRAMBLE_ERR_USAGE);
    assert_non_null(strstr(error.message, "there are linear, mlp, mlp-small, cnn, resnet20, or"));
    const struct layer_list_options small = {.input = {3, {3, 3, 1}}, .n_outputs = 10};
    assert_int_equal(preset_build(&graph, "cnn", &small, &error), BRAMBLE_ERR_DATA);
    assert_string_equal(error.message, "cnn:4: maxpool2 looks at 2 pixels at once, but the image that it "
                                       "gets is 1 x 1 by now; take a smaller kernel, a pad, or fewer pools "
                                       "and strides before it");
}

static void test_names(void **state)
{
    (void)state;
    uint32_t n = 0;
    for (; preset_name(n); n++) {
        assert_non_null(preset_summary(n));
        assert_non_null(preset_text(preset_name(n)));
    }
    assert_int_equal(n, 5);
    assert_null(preset_summary(n));
    assert_null(preset_text("nothing"));
}

/* The same file as a preset gives the same network; every example builds for what it says it is for. */
static void test_examples(void **state)
{
    (void)state;
    const char *source = getenv("BRAMBLE_SOURCE");
    static const char *const files[] = {"cnn", "table", "residual", "mobile", "rows", "attention"};
    if (!source) skip();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct net_graph graph;
        struct layer_list_options options = images;
        char path[4096];
        bramble_error error = {0};
        if (strcmp(files[i], "table") == 0) options.input = (struct net_shape){1, {30}};
        snprintf(path, sizeof path, "%s/examples/%s.layers", source, files[i]);
        if (layer_list_read(&graph, path, &options, &error)) fail_msg("%s", error.message);
        weights_draw(&graph, 1);
        if (strcmp(files[i], "cnn") == 0) {
            struct net_graph preset;
            char one[33], other[33];
            build(&preset, "cnn", &images);
            weights_draw(&preset, 1);
            graph_hash(&graph, one);
            graph_hash(&preset, other);
            assert_string_equal(one, other);
            graph_fini(&preset);
        }
        graph_fini(&graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),  cmocka_unit_test(test_shapes_along_resnet20),
        cmocka_unit_test(test_tables), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_names),  cmocka_unit_test(test_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
