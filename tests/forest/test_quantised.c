/* Rows that go down the trees as 16-bit codes: the sums of a plain walk by tree_child, bit for bit. */
#include "model/hand_forest.h"

#include <float.h>

#include "forest/quantised.h"

enum { ROWS = 700 };

/* Thresholds of one kind, and values that lie about them. */
typedef float draw_threshold(struct rng *rng);

static float draw_lone(struct rng *rng)
{
    (void)rng;
    return 0.25f;
}

static float draw_half(struct rng *rng)
{
    return (float)rng_below(rng, 255) + 0.5f;
}

static float draw_even(struct rng *rng)
{
    return (float)(rng_double(rng) * 200 - 60);
}

static float draw_denormal(struct rng *rng)
{
    return FLT_TRUE_MIN * ((float)rng_below(rng, 4000) - 2000);
}

/* Of every size, so that most share a code. */
static float draw_skewed(struct rng *rng)
{
    float size = (float)exp(rng_double(rng) * 160 - 80);
    return rng_below(rng, 2) ? size : -size;
}

/* Further apart than any float. */
static float draw_extreme(struct rng *rng)
{
    const float some[] = {-FLT_MAX, FLT_MAX, -FLT_MAX / 2, FLT_MAX / 3, 0, -0.0f, 1};
    return some[rng_below(rng, 7)];
}

static float draw_zero(struct rng *rng)
{
    const float some[] = {0, -0.0f, 1e-30f, -1e-30f};
    return some[rng_below(rng, 4)];
}

static const struct kind {
    const char *name;
    draw_threshold *draw;
} kinds[] = {{"lone", draw_lone},         {"half", draw_half},     {"even", draw_even},
             {"denormal", draw_denormal}, {"skewed", draw_skewed}, {"extreme", draw_extreme},
             {"zero", draw_zero}};

/* A hand-made forest with thresholds of that kind. */
static struct bramble_model *new_model(const struct hand_options *options, draw_threshold *draw,
                                       uint64_t seed)
{
    struct bramble_model *model = hand_model(seed, options);
    struct rng rng;
    rng_init(&rng, seed, RNG_HOLDOUT, 2, 0);
    for (uint32_t t = 0; t < options->n_trees; t++)
        for (uint32_t i = 0; i < model->forest->trees[t].n_nodes; i++) {
            struct tree_node *node = &model->forest->trees[t].nodes[i];
            if (node->kind == TREE_NUMERIC) node->threshold = draw(&rng);
        }
    return model;
}

/* Thresholds and their neighbours, other values of the kind, and all that is special. */
static float *new_rows(const struct bramble_model *model, draw_threshold *draw, uint64_t seed)
{
    const float special[] = {NAN, INFINITY, -INFINITY, 0, -0.0f, FLT_MAX, -FLT_MAX, FLT_TRUE_MIN, 7, 255};
    float *x = hand_rows(model, ROWS, seed);
    struct rng rng;
    rng_init(&rng, seed, RNG_HOLDOUT, 3, 0);
    for (size_t i = 0; i < ROWS * model->forest->n_features; i++) {
        float threshold = draw(&rng);
        switch (rng_below(&rng, 6)) {
        case 0: x[i] = threshold; break;
        case 1: x[i] = nextafterf(threshold, INFINITY); break;
        case 2: x[i] = nextafterf(threshold, -INFINITY); break;
        case 3: x[i] = special[rng_below(&rng, 10)]; break;
        case 4: x[i] = (float)(threshold * rng_double(&rng)); break;
        default: break; /* as hand_rows made it: categories, exact thresholds, missing values */
        }
    }
    return x;
}

static void predict_plainly(const struct forest *forest, const float *x, float *sums)
{
    size_t width = forest->n_classes ? forest->n_classes : 1;
    for (size_t c = 0; c < width; c++) sums[c] = 0;
    for (uint32_t t = 0; t < forest->n_trees; t++) {
        const struct tree *tree = &forest->trees[t];
        uint32_t i = 0;
        while (tree->nodes[i].kind != TREE_LEAF) i = tree_child(tree, i, x[tree->nodes[i].feature]);
        const struct tree_node *leaf = &tree->nodes[i];
        for (uint32_t c = 0; c < width; c++)
            if (!forest->n_classes)
                sums[c] += leaf->value;
            else
                sums[c] += leaf->pure ? leaf->class_id == c : tree->values[leaf->values + c];
    }
    for (size_t c = 0; c < width; c++) sums[c] /= (float)forest->n_trees;
}

static void check_rows(const struct forest *forest, const float *x)
{
    size_t width = forest->n_classes ? forest->n_classes : 1, F = forest->n_features;
    float *plain = calloc(3 * ROWS * width, sizeof *plain);
    float *walked = plain + ROWS * width, *by_codes = walked + ROWS * width;
    uint16_t *codes = calloc(ROWS * F, sizeof *codes);
    struct quantised *quantised = quantised_new(forest);
    assert_true(plain && codes && quantised);
    for (size_t r = 0; r < ROWS; r++) predict_plainly(forest, x + r * F, plain + r * width);
    forest_predict_rows(forest, x, ROWS, walked);
    assert_memory_equal(plain, walked, ROWS * width * sizeof *plain);
    quantised_predict_rows(quantised, x, ROWS, codes, by_codes);
    assert_memory_equal(plain, by_codes, ROWS * width * sizeof *plain);
    for (size_t r = 0; r < ROWS; r += 97) {
        quantised_predict_rows(quantised, x + r * F, 1, codes, by_codes);
        assert_memory_equal(plain + r * width, by_codes, width * sizeof *plain);
    }
    quantised_free(quantised);
    free(codes);
    free(plain);
}

static void test_same_as_a_plain_walk(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 3 * sizeof kinds / sizeof *kinds; seed++) {
        const struct kind *kind = &kinds[seed / 3];
        struct hand_options options = {
            .n_features = 1 + 6 * (seed % 3), .n_trees = 9, .depth = 3 + 5 * (seed % 3)};
        options.task = seed % 2 ? BRAMBLE_TASK_CLASSIFICATION : BRAMBLE_TASK_REGRESSION;
        if (seed % 2) options.n_classes = 2 + seed % 5;
        print_message("%s, %u features\n", kind->name, options.n_features);
        struct bramble_model *model = new_model(&options, kind->draw, seed);
        float *x = new_rows(model, kind->draw, seed);
        check_rows(model->forest, x);
        mem_free(x);
        model_free(model);
    }
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static size_t n_thresholds(const struct forest *forest)
{
    size_t n = 0, different = 0;
    float *all = malloc((size_t)forest->n_trees * HAND_NODES_MAX * sizeof *all);
    assert_non_null(all);
    for (uint32_t t = 0; t < forest->n_trees; t++)
        for (uint32_t i = 0; i < forest->trees[t].n_nodes; i++)
            if (forest->trees[t].nodes[i].kind == TREE_NUMERIC)
                all[n++] = forest->trees[t].nodes[i].threshold;
    qsort(all, n, sizeof *all, compare);
    for (size_t i = 0; i < n; i++) different += !i || all[i] != all[i - 1];
    free(all);
    return different;
}

/* More thresholds in one feature than there are codes. */
static void test_more_thresholds_than_codes(void **state)
{
    (void)state;
    struct hand_options options = {
        .task = BRAMBLE_TASK_REGRESSION, .n_features = 1, .n_trees = 150, .depth = 40};
    struct bramble_model *model = new_model(&options, draw_even, 5);
    assert_true(n_thresholds(model->forest) > 1 << 16);
    float *x = new_rows(model, draw_even, 5);
    check_rows(model->forest, x);
    mem_free(x);
    model_free(model);
}

static void test_pays_for_many_rows(void **state)
{
    (void)state;
    struct hand_options options = {
        .task = BRAMBLE_TASK_REGRESSION, .n_features = 20, .n_trees = 10, .depth = 12};
    struct bramble_model *model = hand_model(8, &options);
    assert_false(quantised_pays(model->forest, 0));
    assert_false(quantised_pays(model->forest, 1));
    assert_true(quantised_pays(model->forest, 1 << 20));
    model->forest->n_features = (1 << 16) + 1; /* more than a node can name */
    assert_false(quantised_pays(model->forest, (size_t)1 << 40));
    model->forest->n_features = 20;
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_a_plain_walk),
        cmocka_unit_test(test_more_thresholds_than_codes),
        cmocka_unit_test(test_pays_for_many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
