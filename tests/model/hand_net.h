/* Networks made by hand for tests of model files: every operator that files are written for is in one. */
#ifndef TESTS_MODEL_HAND_NET_H
#define TESTS_MODEL_HAND_NET_H

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/model.h"
#include "net/operator.h"
#include "net/step.h"

enum hand_net {
    HAND_MLP,
    HAND_CNN,
    HAND_RESNET,
    HAND_LSTM,
    HAND_GRU,
    HAND_ATTENTION,
    HAND_WORDS,
    HAND_SHAPES,
    HAND_NETS,
};

static const char *const hand_net_names[HAND_NETS] = {"mlp", "cnn",       "resnet", "lstm",
                                                      "gru", "attention", "words",  "shapes"};

struct hand {
    struct net_graph *graph;
    uint32_t seed, n_weights;
};

static inline float hand_number(struct hand *hand, uint32_t i, float scale)
{
    uint32_t bits = (hand->seed * 2654435761u) ^ (hand->n_weights * 40503u + i) * 2246822519u;
    bits ^= bits >> 15;
    bits *= 3266489917u;
    bits ^= bits >> 13;
    return ((float)(bits >> 8) / 16777216.0f - 0.5f) * 2 * scale;
}

static inline uint32_t hand_weight(struct hand *hand, enum net_kind kind, struct net_shape shape, float scale,
                                   float offset)
{
    char name[32];
    uint32_t v;
    size_t n = shape_size(&shape);
    float *numbers = malloc(n * sizeof *numbers);
    assert_non_null(numbers);
    snprintf(name, sizeof name, "weight%u", hand->n_weights++);
    for (size_t i = 0; i < n; i++) numbers[i] = offset + hand_number(hand, (uint32_t)i, scale);
    struct net_value_new value = {.name = name,
                                  .kind = kind,
                                  .shape = shape,
                                  .numbers = numbers,
                                  .filler = NET_FILL_KAIMING,
                                  .fan_in = shape.dim[0],
                                  .decays = shape.rank > 1};
    bramble_status status = graph_add_value(hand->graph, &value, &v, NULL);
    free(numbers);
    assert_int_equal(status, BRAMBLE_OK);
    return v;
}

static inline uint32_t hand_parameter(struct hand *hand, struct net_shape shape, float scale)
{
    return hand_weight(hand, NET_PARAMETER, shape, scale, 0);
}

static inline uint32_t hand_node(struct hand *hand, const char *op, const uint32_t *inputs, uint32_t n,
                                 uint32_t n_outputs, const struct net_attributes *attributes)
{
    uint32_t first;
    bramble_error error = {0};
    struct net_node_new node = {.op = op,
                                .inputs = inputs,
                                .n_inputs = n,
                                .n_outputs = n_outputs,
                                .attributes =
                                    attributes ? *attributes : (struct net_attributes)NET_ATTRIBUTES_INIT};
    if (graph_add_node(hand->graph, &node, &first, &error)) fail_msg("%s", error.message);
    return first;
}

static inline uint32_t hand_unary(struct hand *hand, const char *op, uint32_t x)
{
    return hand_node(hand, op, &x, 1, 1, NULL);
}

static inline uint32_t hand_dense(struct hand *hand, uint32_t x, uint32_t outputs, bool turned, bool relu)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    const struct net_shape *shape = &hand->graph->values[x].shape;
    uint32_t inputs = shape->dim[shape->rank - 1];
    uint32_t all[3] = {
        x,
        hand_parameter(hand, (struct net_shape){2, {turned ? outputs : inputs, turned ? inputs : outputs}},
                       0.3f),
        hand_parameter(hand, (struct net_shape){1, {outputs}}, 0.1f)};
    attributes.transpose_b = turned;
    attributes.relu = relu;
    return hand_node(hand, "Gemm", all, 3, 1, &attributes);
}

static inline uint32_t hand_conv(struct hand *hand, uint32_t x, uint32_t outputs, uint32_t size,
                                 uint32_t stride, uint32_t group, bool relu)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    uint32_t channels = hand->graph->values[x].shape.dim[2];
    uint32_t all[3] = {
        x, hand_parameter(hand, (struct net_shape){4, {size, size, channels / group, outputs}}, 0.4f),
        hand_parameter(hand, (struct net_shape){1, {outputs}}, 0.1f)};
    attributes.kernel[0] = attributes.kernel[1] = size;
    attributes.stride[0] = attributes.stride[1] = stride;
    for (int d = 0; d < 4; d++) attributes.pad[d] = size / 2;
    attributes.pad[3] += stride - 1;
    attributes.group = group;
    attributes.relu = relu;
    return hand_node(hand, "Conv", all, 3, 1, &attributes);
}

static inline uint32_t hand_norm(struct hand *hand, uint32_t x, bool relu)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    const struct net_shape *shape = &hand->graph->values[x].shape;
    struct net_shape channels = {1, {shape->dim[shape->rank - 1]}};
    attributes.relu = relu;
    uint32_t all[5] = {x, hand_weight(hand, NET_PARAMETER, channels, 0.3f, 1),
                       hand_parameter(hand, channels, 0.3f), hand_weight(hand, NET_STATE, channels, 0.3f, 0),
                       hand_weight(hand, NET_STATE, channels, 0.3f, 1)};
    return hand_node(hand, "BatchNormalization", all, 5, 1, &attributes);
}

static inline uint32_t hand_pool(struct hand *hand, const char *op, uint32_t x, uint32_t size,
                                 uint32_t stride)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.kernel[0] = attributes.kernel[1] = size;
    attributes.stride[0] = attributes.stride[1] = stride;
    return hand_node(hand, op, &x, 1, 1, &attributes);
}

static inline uint32_t hand_reshape(struct hand *hand, uint32_t x, struct net_shape shape)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.shape = shape;
    return hand_node(hand, "Reshape", &x, 1, 1, &attributes);
}

static inline uint32_t hand_pair(struct hand *hand, const char *op, uint32_t a, uint32_t b)
{
    uint32_t inputs[2] = {a, b};
    return hand_node(hand, op, inputs, 2, 1, NULL);
}

static inline uint32_t hand_mlp(struct hand *hand, uint32_t x)
{
    struct net_attributes leaky = NET_ATTRIBUTES_INIT;
    leaky.alpha = 0.2f;
    x = hand_dense(hand, x, 12, true, true);
    x = hand_dense(hand, x, 8, false, false);
    x = hand_node(hand, "LeakyRelu", &x, 1, 1, &leaky);
    x = hand_unary(hand, "Gelu", hand_dense(hand, x, 8, false, false));
    return hand_unary(hand, "Tanh", x);
}

static inline uint32_t hand_cnn(struct hand *hand, uint32_t x)
{
    x = hand_conv(hand, x, 6, 3, 1, 1, true);
    x = hand_pool(hand, "MaxPool", x, 2, 2);
    x = hand_conv(hand, x, 8, 3, 1, 2, false);
    x = hand_unary(hand, "HardSwish", x);
    x = hand_pool(hand, "AveragePool", x, 3, 1);
    return hand_dense(hand, hand_unary(hand, "Flatten", x), 10, false, true);
}

static inline uint32_t hand_resnet(struct hand *hand, uint32_t x)
{
    x = hand_norm(hand, hand_conv(hand, x, 8, 3, 1, 1, false), true);
    uint32_t y = hand_norm(hand, hand_conv(hand, x, 8, 3, 1, 8, false), true);
    struct net_attributes relu = NET_ATTRIBUTES_INIT;
    uint32_t both[2] = {x, hand_norm(hand, hand_conv(hand, y, 8, 3, 1, 1, false), false)};
    relu.relu = true;
    x = hand_node(hand, "Add", both, 2, 1, &relu);
    y = hand_conv(hand, x, 12, 3, 2, 1, false);
    x = hand_unary(hand, "Relu", hand_pair(hand, "Add", y, hand_conv(hand, x, 12, 1, 2, 1, false)));
    x = hand_unary(hand, "GlobalAveragePool", x);
    return x;
}

static inline uint32_t hand_recurrent(struct hand *hand, uint32_t x, bool lstm)
{
    const uint32_t inputs = 4, hidden = 5, gates = lstm ? 4 : 3;
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.hidden = hidden;
    attributes.bidirectional = lstm;
    attributes.linear_before_reset = true;
    uint32_t directions = lstm ? 2 : 1;
    x = hand_reshape(hand, x,
                     (struct net_shape){2, {(uint32_t)hand->graph->values[x].size / inputs, inputs}});
    uint32_t all[4] = {
        x, hand_parameter(hand, (struct net_shape){3, {directions, gates * hidden, inputs}}, 0.5f),
        hand_parameter(hand, (struct net_shape){3, {directions, gates * hidden, hidden}}, 0.5f),
        hand_parameter(hand, (struct net_shape){2, {directions, 2 * gates * hidden}}, 0.2f)};
    uint32_t first = hand_node(hand, lstm ? "LSTM" : "GRU", all, 4, lstm ? 3 : 2, &attributes);
    uint32_t last = hand_unary(hand, "Flatten", first + 1);
    if (lstm) return last;
    return hand_unary(hand, "Sigmoid", hand_unary(hand, "Flatten", first));
}

static inline uint32_t hand_layer_norm(struct hand *hand, uint32_t x)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    const struct net_shape *shape = &hand->graph->values[x].shape;
    struct net_shape last = {1, {shape->dim[shape->rank - 1]}};
    attributes.axis = shape->rank - 1;
    uint32_t all[3] = {x, hand_weight(hand, NET_PARAMETER, last, 0.3f, 1), hand_parameter(hand, last, 0.3f)};
    return hand_node(hand, "LayerNormalization", all, 3, 1, &attributes);
}

/* T x 3 heads x D -> heads x T x D. */
static inline uint32_t hand_heads(struct hand *hand, uint32_t x, uint32_t heads)
{
    struct net_shape shape = hand->graph->values[x].shape;
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    x = hand_reshape(hand, x, (struct net_shape){3, {shape.dim[0], heads, shape.dim[1] / heads}});
    attributes.perm[0] = 1;
    attributes.perm[1] = 0;
    attributes.perm[2] = 2;
    return hand_node(hand, "Transpose", &x, 1, 1, &attributes);
}

static inline uint32_t hand_attention(struct hand *hand, uint32_t x)
{
    const uint32_t width = 6, heads = 2, steps = (uint32_t)hand->graph->values[x].size / 4;
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    x = hand_dense(hand, hand_reshape(hand, x, (struct net_shape){2, {steps, 4}}), width, true, false);
    uint32_t y = hand_dense(hand, hand_layer_norm(hand, x), 3 * width, false, false);
    attributes.axis = 1;
    uint32_t q = hand_node(hand, "Split", &y, 1, 3, &attributes), k = q + 1, v = q + 2;
    q = hand_heads(hand, q, heads);
    k = hand_heads(hand, k, heads);
    v = hand_heads(hand, v, heads);
    attributes.transpose_b = true;
    uint32_t products = hand_node(hand, "MatMul", (uint32_t[]){q, k}, 2, 1, &attributes);
    attributes.axis = 2;
    attributes.transpose_b = false;
    products = hand_pair(hand, "Mul", products,
                         hand_weight(hand, NET_CONSTANT, (struct net_shape){1, {1}}, 0, 0.57f));
    uint32_t shares = hand_node(hand, "Softmax", &products, 1, 1, &attributes);
    y = hand_pair(hand, "MatMul", shares, v);
    attributes.perm[0] = 1;
    attributes.perm[1] = 0;
    attributes.perm[2] = 2;
    y = hand_node(hand, "Transpose", &y, 1, 1, &attributes);
    y = hand_reshape(hand, y, (struct net_shape){2, {steps, width}});
    x = hand_pair(hand, "Add", x, hand_dense(hand, y, width, false, false));
    return hand_unary(hand, "Flatten", hand_unary(hand, "Gelu", hand_layer_norm(hand, x)));
}

static inline uint32_t hand_words(struct hand *hand, uint32_t x)
{
    uint32_t table = hand_parameter(hand, (struct net_shape){2, {300, 5}}, 1);
    return hand_unary(hand, "Flatten", hand_pair(hand, "Gather", table, x));
}

/* What joins, multiplies and keeps within bounds. */
static inline uint32_t hand_shapes(struct hand *hand, uint32_t x)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    uint32_t a = hand_conv(hand, x, 4, 3, 1, 1, false), b = hand_conv(hand, x, 2, 1, 1, 1, true);
    attributes.axis = 2;
    uint32_t joined = hand_node(hand, "Concat", (uint32_t[]){a, b}, 2, 1, &attributes);
    uint32_t bounds[3] = {joined, hand_weight(hand, NET_CONSTANT, (struct net_shape){1, {1}}, 0, -0.5f),
                          hand_weight(hand, NET_CONSTANT, (struct net_shape){1, {1}}, 0, 0.75f)};
    uint32_t held = hand_node(hand, "Clip", bounds, 3, 1, NULL);
    attributes.alpha = 0.2f;
    attributes.beta = 0.4f;
    uint32_t open = hand_node(hand, "HardSigmoid", &joined, 1, 1, &attributes);
    x = hand_pair(hand, "Mul", held, open);
    attributes.split[0] = 1;
    attributes.split[1] = 5;
    uint32_t parts = hand_node(hand, "Split", &x, 1, 2, &attributes);
    x = hand_pair(hand, "Add", parts + 1, hand_parameter(hand, (struct net_shape){1, {5}}, 1));
    uint32_t rate = hand_unary(hand, "Dropout", x);
    return hand_dense(hand, hand_unary(hand, "Flatten", rate), 7, true, false);
}

static inline uint32_t hand_body(struct hand *hand, enum hand_net kind, uint32_t x)
{
    switch (kind) {
    case HAND_MLP: return hand_mlp(hand, x);
    case HAND_CNN: return hand_cnn(hand, x);
    case HAND_RESNET: return hand_resnet(hand, x);
    case HAND_LSTM: return hand_recurrent(hand, x, true);
    case HAND_GRU: return hand_recurrent(hand, x, false);
    case HAND_ATTENTION: return hand_attention(hand, x);
    case HAND_WORDS: return hand_words(hand, x);
    default: return hand_shapes(hand, x);
    }
}

static inline void hand_name(char **out, const char *format, uint32_t i)
{
    char text[32];
    snprintf(text, sizeof text, format, i);
    *out = mem_strdup(text);
    assert_non_null(*out);
}

static inline void hand_target(struct bramble_schema *schema, bool regression, bool numbers)
{
    schema->task = regression ? BRAMBLE_TASK_REGRESSION : BRAMBLE_TASK_CLASSIFICATION;
    schema->n_classes = regression ? 0 : 3;
    schema->classes = regression ? NULL : mem_alloc(3, sizeof *schema->classes);
    for (uint32_t c = 0; c < schema->n_classes; c++)
        hand_name(&schema->classes[c], numbers ? "%u" : "class %u", c);
}

/* Images of bytes, 8 x 8 x 3, or features: numbers, and categories of which the encoder makes one number a
 * category; those of HAND_WORDS are bytes, and places in an embedding. */
static inline void hand_schema(struct bramble_model *model, enum hand_net kind, bool image)
{
    struct bramble_schema *schema = &model->schema;
    struct encoder *encoder = &model->encoder;
    encoder->n_features = schema->n_features = image ? 192 : kind == HAND_WORDS ? 6 : 10;
    schema->features = mem_zalloc(schema->n_features, sizeof *schema->features);
    encoder->pixels = image;
    if (!image) encoder->features = mem_zalloc(schema->n_features, sizeof *encoder->features);
    for (uint32_t f = 0; f < schema->n_features; f++) {
        struct feature *feature = &schema->features[f];
        bool words = kind == HAND_WORDS, category = !image && !words && f % 4 == 3;
        hand_name(&feature->name, "f%u", f);
        feature->type = image || words ? BRAMBLE_FEATURE_BYTE
                        : category     ? BRAMBLE_FEATURE_CATEGORY
                                       : BRAMBLE_FEATURE_NUMBER;
        if (image) continue;
        struct encoded_feature *encoded = &encoder->features[f];
        *encoded = (struct encoded_feature){.encoding = words ? ENCODING_PLACE : ENCODING_NUMBER,
                                            .first = encoder->n_inputs,
                                            .base = words && f % 2 ? 40 : 0,
                                            .mean = words ? 0 : (float)f,
                                            .deviation = words ? 1 : 1.5f};
        encoder->n_inputs += 1;
        if (category) {
            feature->n_categories = encoded->n_categories = 3;
            feature->categories = mem_alloc(3, sizeof *feature->categories);
            for (uint32_t c = 0; c < 3; c++) hand_name(&feature->categories[c], "word %u", c);
            encoded->encoding = ENCODING_ONE_HOT;
            encoder->n_inputs += 2;
            encoded->mean = 0;
            encoded->deviation = 1;
        }
        encoded->indicator = !words && f < 2;
        encoder->n_inputs += encoded->indicator;
    }
    if (!image) return;
    schema->shape[0] = 8;
    schema->shape[1] = 8;
    memcpy(encoder->shape, (uint32_t[]){8, 8, 3}, sizeof encoder->shape);
    encoder->n_inputs = 192;
}

static inline void hand_settings(struct bramble_model *model)
{
    static const char *const texts[2][2] = {{"bramble.version", "0.1.0"}, {"seed", "17"}};
    model->settings = mem_zalloc(2, sizeof *model->settings);
    for (model->n_settings = 0; model->n_settings < 2; model->n_settings++) {
        model->settings[model->n_settings].key = mem_strdup(texts[model->n_settings][0]);
        model->settings[model->n_settings].value = mem_strdup(texts[model->n_settings][1]);
    }
}

static inline struct bramble_model *hand_net_model(enum hand_net kind, bool regression, uint32_t seed)
{
    bool image = kind == HAND_CNN || kind == HAND_RESNET || kind == HAND_SHAPES;
    struct bramble_model *model = mem_zalloc(1, sizeof *model);
    model->kind = MODEL_NET;
    hand_schema(model, kind, image);
    hand_target(&model->schema, regression, seed % 2);
    hand_settings(model);
    struct encoder *encoder = &model->encoder;
    encoder->task = model->schema.task;
    encoder->n_outputs = regression ? 1 : 3;
    encoder->one_vs_rest = !regression && (kind == HAND_MLP || kind == HAND_GRU);
    encoder->target_mean = regression ? 12.5 : 0;
    encoder->target_deviation = regression ? 2.5 : 1;
    model->net = mem_alloc(1, sizeof *model->net);
    graph_init(model->net);
    struct hand hand = {model->net, seed, 0};
    struct net_value_new input = {.name = "X", .kind = NET_INPUT, .shape = {1, {encoder->n_inputs}}};
    uint32_t x;
    bramble_error error = {0};
    if (image) input.shape = (struct net_shape){3, {8, 8, 3}};
    assert_int_equal(graph_add_value(model->net, &input, &x, NULL), BRAMBLE_OK);
    x = hand_dense(&hand, hand_body(&hand, kind, x), encoder->n_outputs, false, false);
    if (graph_finish(model->net, x, &error)) fail_msg("%s", error.message);
    return model;
}

/* Rows as a table has them, some values missing. */
static inline float *hand_net_rows(const struct bramble_model *model, size_t n, uint32_t seed)
{
    struct hand hand = {.seed = seed};
    size_t width = model->schema.n_features;
    float *x = malloc(n * width * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n * width; i++) {
        float number = hand_number(&hand, (uint32_t)i, 1);
        bramble_feature_type type = model->schema.features[i % width].type;
        x[i] = type == BRAMBLE_FEATURE_BYTE       ? floorf((number + 1) * 127.5f)
               : number > 0.85f                   ? NAN
               : type == BRAMBLE_FEATURE_CATEGORY ? floorf((number + 1) * 1.49f)
                                                  : number * 4;
    }
    return x;
}

/* What the network says of rows: n x outputs, released with free. */
static inline float *hand_net_run(const struct bramble_model *model, const float *x, size_t n)
{
    size_t width = model->encoder.n_inputs, outputs = model->encoder.n_outputs;
    float *rows = malloc(n * width * sizeof *rows), *out = malloc(n * outputs * sizeof *out);
    assert_non_null(rows);
    assert_non_null(out);
    for (size_t r = 0; r < n; r++)
        for (uint32_t f = 0; f < model->schema.n_features; f++)
            encoder_encode_value(&model->encoder, f, x[r * model->schema.n_features + f], rows + r * width);
    assert_int_equal(net_run(model->net, rows, n, 1, out, NULL), BRAMBLE_OK);
    free(rows);
    return out;
}

#endif
