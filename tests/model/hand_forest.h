/*
 * Models made by hand, no training: random trees of many shapes, with schemas and settings around them.
 * Shares and values are arbitrary floats on purpose. Everything follows from a seed.
 */
#ifndef TESTS_MODEL_HAND_FOREST_H
#define TESTS_MODEL_HAND_FOREST_H

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

struct hand_options {
    bramble_task task;
    uint32_t n_classes, n_features, n_trees;
    uint32_t depth;     /* at most */
    bool number_labels; /* classes named by whole numbers */
    bool pure;          /* every leaf is of one class */
};

struct hand {
    struct rng rng;
    struct hand_options options;
    const struct bramble_schema *schema;
    struct tree *tree;
};

enum { HAND_NODES_MAX = 1 << 12 };

static inline char *hand_text(const char *format, uint32_t number)
{
    char buffer[64];
    snprintf(buffer, sizeof buffer, format, number);
    char *text = mem_strdup(buffer);
    assert_non_null(text);
    return text;
}

static inline struct category_set hand_set(struct hand *h, uint32_t n_categories)
{
    struct category_set set = {0};
    uint32_t wanted = rng_below(&h->rng, 3) ? rng_below(&h->rng, n_categories + 1) : rng_below(&h->rng, 4);
    for (uint32_t i = 0; i < wanted && n_categories; i++) {
        uint32_t c = rng_below(&h->rng, n_categories);
        set.word[c >> 5] |= (uint32_t)1 << (c & 31);
    }
    return set;
}

static inline void hand_leaf(struct hand *h, struct tree_node *node)
{
    struct tree *tree = h->tree;
    uint32_t C = h->options.n_classes;
    if (h->options.task == BRAMBLE_TASK_REGRESSION) {
        node->value = (float)(rng_double(&h->rng) * 2e3 - 1e3);
        return;
    }
    node->pure = h->options.pure || rng_below(&h->rng, 2);
    if (node->pure) {
        node->class_id = rng_below(&h->rng, C);
        return;
    }
    node->values = tree->n_values;
    double sum = 0, shares[64] = {0};
    uint32_t first = rng_below(&h->rng, C);
    for (uint32_t k = 0; k < 2 + rng_below(&h->rng, C); k++)
        shares[(first + k) % C] = 0.01 + rng_double(&h->rng) * (k ? 1 : 3);
    for (uint32_t c = 0; c < C; c++) sum += shares[c];
    for (uint32_t c = 0; c < C; c++) tree->values[tree->n_values++] = (float)(shares[c] / sum);
}

static inline void hand_branch(struct hand *h, struct tree_node *node)
{
    node->feature = rng_below(&h->rng, h->options.n_features);
    node->missing_left = rng_below(&h->rng, 2);
    const struct feature *feature = &h->schema->features[node->feature];
    if (feature->type == BRAMBLE_FEATURE_CATEGORY) {
        node->kind = TREE_CATEGORY;
        h->tree->sets[h->tree->n_sets] = hand_set(h, feature->n_categories);
        node->set = h->tree->n_sets++;
    } else {
        node->kind = TREE_NUMERIC;
        node->threshold = feature->type == BRAMBLE_FEATURE_BYTE ? (float)rng_below(&h->rng, 255) + 0.5f
                                                                : (float)(rng_double(&h->rng) * 20 - 10);
    }
}

static inline void hand_grow(struct hand *h, uint32_t depth)
{
    uint32_t i = h->tree->n_nodes++;
    struct tree_node *node = &h->tree->nodes[i];
    *node = (struct tree_node){.cover = (float)rng_below(&h->rng, 1000) + 1};
    if (depth >= h->options.depth || rng_below(&h->rng, 8) == 0 || i > HAND_NODES_MAX - 64) {
        hand_leaf(h, node);
        return;
    }
    hand_branch(h, node);
    hand_grow(h, depth + 1);
    node->right = h->tree->n_nodes;
    hand_grow(h, depth + 1);
}

static inline void hand_schema(struct bramble_schema *schema, const struct hand_options *options)
{
    *schema = (struct bramble_schema){.n_features = options->n_features,
                                      .named = true,
                                      .task = options->task,
                                      .n_classes = options->n_classes,
                                      .target_name = hand_text("the \"target\" %u", 1)};
    schema->features = mem_zalloc(options->n_features, sizeof *schema->features);
    for (uint32_t f = 0; f < options->n_features; f++) {
        struct feature *feature = &schema->features[f];
        feature->name = hand_text(f % 5 ? "x%u"
                                        : "gr\xc3\xb6\xc3\x9f"
                                          "e \\ %u",
                                  f);
        feature->type = (bramble_feature_type)(f % 3);
        if (feature->type != BRAMBLE_FEATURE_CATEGORY) continue;
        feature->n_categories = f % 2 ? 255 : 1 + f;
        feature->has_other = f % 4 == 0;
        feature->categories = mem_zalloc(feature->n_categories, sizeof *feature->categories);
        for (uint32_t c = 0; c < feature->n_categories; c++)
            feature->categories[c] = hand_text("caf\xe9%03u", c);
        if (!feature->has_other) continue;
        mem_free(feature->categories[feature->n_categories - 1]);
        feature->categories[feature->n_categories - 1] = hand_text("(other)", 0);
    }
    if (options->n_classes) schema->classes = mem_zalloc(options->n_classes, sizeof *schema->classes);
    for (uint32_t c = 0; c < options->n_classes; c++)
        schema->classes[c] = hand_text(options->number_labels ? "%u" : "class %u", 3 + 4 * c);
}

static inline void hand_settings(struct bramble_model *model)
{
    static const char *const pairs[][2] = {{"bramble.version", BRAMBLE_VERSION},
                                           {"seed", "18446744073709551615"},
                                           {"trees", "7"},
                                           {"empty", ""}};
    model->n_settings = 4;
    model->settings = mem_zalloc(4, sizeof *model->settings);
    for (int i = 0; i < 4; i++)
        model->settings[i] = (struct setting){mem_strdup(pairs[i][0]), mem_strdup(pairs[i][1])};
}

/* A model without trees: forest->trees has room for options.n_trees. Freed with model_free. */
static inline struct bramble_model *hand_shell(const struct hand_options *options)
{
    struct bramble_model *model = mem_zalloc(1, sizeof *model);
    struct forest *forest = model->forest = mem_zalloc(1, sizeof *forest);
    hand_schema(&model->schema, options);
    hand_settings(model);
    *forest = (struct forest){.task = options->task,
                              .n_features = options->n_features,
                              .n_classes = options->n_classes,
                              .n_trees = options->n_trees,
                              .oob_score = NAN};
    forest->trees = mem_zalloc(options->n_trees, sizeof *forest->trees);
    forest->importances = mem_zalloc(options->n_features, sizeof *forest->importances);
    for (uint32_t f = 0; f < options->n_features; f++) forest->importances[f] = 1.0 / (3 + f);
    return model;
}

static inline struct bramble_model *hand_model(uint64_t seed, const struct hand_options *options)
{
    struct bramble_model *model = hand_shell(options);
    struct hand h = {.options = *options, .schema = &model->schema};
    rng_init(&h.rng, seed, RNG_HOLDOUT, 0, 0);
    if (seed % 2) model->forest->oob_score = rng_double(&h.rng);
    for (uint32_t t = 0; t < options->n_trees; t++) {
        struct tree *tree = h.tree = &model->forest->trees[t];
        tree->nodes = mem_zalloc(HAND_NODES_MAX, sizeof *tree->nodes);
        tree->sets = mem_zalloc(HAND_NODES_MAX, sizeof *tree->sets);
        tree->values = mem_zalloc(HAND_NODES_MAX, (options->n_classes + 1) * sizeof *tree->values);
        hand_grow(&h, 0);
    }
    return model;
}

/* One tree whose n branches stand in a single line. */
static inline struct bramble_model *hand_chain(uint32_t n)
{
    struct bramble_model *model =
        hand_shell(&(struct hand_options){.task = BRAMBLE_TASK_REGRESSION, .n_features = 2, .n_trees = 1});
    struct tree *tree = &model->forest->trees[0];
    tree->n_nodes = 2 * n + 1;
    tree->nodes = mem_zalloc(tree->n_nodes, sizeof *tree->nodes);
    for (uint32_t i = 0; i < n; i++) {
        tree->nodes[2 * i] = (struct tree_node){
            .kind = TREE_NUMERIC, .feature = 1, .threshold = (float)i, .right = 2 * i + 2, .cover = 1};
        tree->nodes[2 * i + 1] = (struct tree_node){.value = (float)i, .cover = 1};
    }
    tree->nodes[2 * n] = (struct tree_node){.value = -1, .cover = 1};
    return model;
}

/* Rows to try a model on: values on both sides of everything, exact thresholds, missing and unknown ones. */
static inline float *hand_rows(const struct bramble_model *model, size_t n_rows, uint64_t seed)
{
    struct rng rng;
    rng_init(&rng, seed, RNG_HOLDOUT, 1, 0);
    const struct forest *forest = model->forest;
    float *x = mem_alloc(n_rows * forest->n_features, sizeof *x);
    for (size_t i = 0; i < n_rows * forest->n_features; i++) {
        const struct feature *feature = &model->schema.features[i % forest->n_features];
        const struct tree *tree = &forest->trees[rng_below(&rng, forest->n_trees)];
        const struct tree_node *node = &tree->nodes[rng_below(&rng, tree->n_nodes)];
        x[i] = (float)(rng_double(&rng) * 24 - 12);
        if (node->kind == TREE_NUMERIC && rng_below(&rng, 4) == 0) x[i] = node->threshold;
        if (feature->type != BRAMBLE_FEATURE_NUMBER) x[i] = (float)rng_below(&rng, 256);
        if (feature->type == BRAMBLE_FEATURE_CATEGORY && rng_below(&rng, 4))
            x[i] = (float)rng_below(&rng, feature->n_categories);
        if (rng_below(&rng, 8) == 0) x[i] = NAN;
    }
    return x;
}

#endif
