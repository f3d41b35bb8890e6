/* Weights of rows and classes: a row of weight 0 is not there, one of weight 2 is there twice. */
#include "forests.h"

#include "forest/sample.h"

enum { N = 300, F = 5 };

/* Raw data, from which tables with weights or with copies are made. */
struct data {
    float x[2 * N * F];
    double y[2 * N], w[2 * N];
    size_t n;
};

static void draw(struct data *d, bool classify, uint64_t seed)
{
    struct rng rng;
    rng_init(&rng, seed, RNG_HOLDOUT, 51, 0);
    d->n = N;
    for (size_t i = 0; i < N; i++) {
        for (size_t f = 0; f < F; f++) d->x[i * F + f] = (float)rng_below(&rng, f < 2 ? 200 : 12) / 8;
        double signal = d->x[i * F] / 6 + d->x[i * F + 3];
        d->y[i] = classify ? (double)((uint64_t)(signal + rng_below(&rng, 2)) % 3) : floor(signal * 16) / 16;
    }
}

static struct bramble_table *table_from(const struct data *d, bool weights)
{
    bool classify = d->y[0] == floor(d->y[0]) && d->y[1] == floor(d->y[1]) && d->y[2] == floor(d->y[2]);
    return table_of(d->n, F, d->x, d->y, weights ? d->w : NULL,
                    classify ? BRAMBLE_TASK_CLASSIFICATION : BRAMBLE_TASK_REGRESSION);
}

/* `from`, each row as often as its weight says. */
static void repeat_rows(struct data *to, const struct data *from)
{
    to->n = 0;
    for (size_t i = 0; i < from->n; i++)
        for (int copies = (int)from->w[i]; copies > 0; copies--) {
            memcpy(to->x + to->n * F, from->x + i * F, F * sizeof *to->x);
            to->y[to->n++] = from->y[i];
        }
}

static bramble_forest_options every_row(void)
{
    bramble_forest_options options = forest_defaults;
    options.trees = 5;
    options.bootstrap = 0;
    return options;
}

/* The weighted table and the one with repeated rows give the same forest. */
static void assert_same_as_repeated(const struct data *d, const bramble_forest_options *options)
{
    static struct data repeated;
    repeat_rows(&repeated, d);
    struct bramble_table *weighted = table_from(d, true), *plain = table_from(&repeated, false);
    assert_string_equal(grow_hash(weighted, options).text, grow_hash(plain, options).text);
    bramble_table_free(weighted);
    bramble_table_free(plain);
}

static void whole_weights_are_repeated_rows(void **state)
{
    (void)state;
    static struct data d;
    for (int kind = 0; kind < 6; kind++) {
        draw(&d, kind % 2, 1 + (uint64_t)kind);
        for (size_t i = 0; i < N; i++) d.w[i] = kind < 2 ? (double)(i % 5 != 0) : (double)(i * 7 % 3);
        bramble_forest_options options = every_row();
        if (kind == 3) options.criterion = BRAMBLE_CRITERION_ENTROPY;
        if (kind >= 4) options.max_leaf_nodes = 25;
        assert_same_as_repeated(&d, &options);
    }
}

static void whole_class_weights_are_repeated_rows(void **state)
{
    (void)state;
    static struct data d, repeated;
    draw(&d, true, 3);
    for (size_t i = 0; i < N; i++) d.w[i] = d.y[i] == 0 ? 0 : d.y[i] == 1 ? 2 : 1;
    repeat_rows(&repeated, &d);
    struct bramble_table *once = table_from(&d, false), *twice = table_from(&repeated, false);
    bramble_forest_options options = every_row();
    struct forest *plain = grow(twice, &options);
    options.class_weight = "1=2,0=0";
    struct forest *weighted = grow(once, &options);
    assert_int_equal(weighted->n_classes, 3); /* class 0 has no weight, but it is there */
    for (uint32_t t = 0; t < 5; t++) {
        const struct tree *a = &weighted->trees[t], *b = &plain->trees[t];
        assert_int_equal(a->n_nodes, b->n_nodes);
        for (uint32_t i = 0; i < a->n_nodes; i++) {
            assert_int_equal(a->nodes[i].kind, b->nodes[i].kind);
            assert_true(a->nodes[i].cover == b->nodes[i].cover);
            if (a->nodes[i].kind == TREE_LEAF) continue;
            assert_int_equal(a->nodes[i].feature, b->nodes[i].feature);
            assert_true(a->nodes[i].threshold == b->nodes[i].threshold);
        }
    }
    forest_free(weighted);
    forest_free(plain);
    bramble_table_free(once);
    bramble_table_free(twice);
}

/* "balanced" is N / (C * rows of the class). */
static void balanced_is_a_formula(void **state)
{
    (void)state;
    static struct data d;
    draw(&d, true, 4);
    struct bramble_table *table = table_from(&d, false);
    char text[200];
    size_t length = 0;
    for (uint32_t c = 0; c < 3; c++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%u=%.17g", c ? "," : "", c,
                                   N / (3.0 * (double)bramble_table_class_count(table, c)));
    bramble_forest_options options = every_row();
    options.class_weight = "balanced";
    struct hash balanced = grow_hash(table, &options);
    options.class_weight = text;
    assert_string_equal(grow_hash(table, &options).text, balanced.text);
    options.class_weight = NULL;
    assert_string_not_equal(grow_hash(table, &options).text, balanced.text);
    bramble_table_free(table);
}

/* Share of the rare class's rows that a forest with hardly any leaves finds. */
static double recall(const struct bramble_table *table, const char *class_weight)
{
    bramble_forest_options options = forest_defaults;
    options.trees = 30;
    options.max_depth = 2;
    options.class_weight = class_weight;
    struct forest *forest = grow(table, &options);
    float *share = predict(forest, table);
    double found = 0, all = 0;
    for (size_t i = 0; i < table->n_rows; i++) {
        if (table->classes[i] != 1) continue;
        all++;
        found += greatest(share + i * 2, 2) == 1;
    }
    free(share);
    forest_free(forest);
    return found / all;
}

static void balanced_weights_help_a_rare_class(void **state)
{
    (void)state;
    static struct data d;
    draw(&d, true, 5);
    for (size_t i = 0; i < N; i++) d.y[i] = i % 12 == 0;
    for (size_t i = 0; i < N; i += 12) d.x[i * F] = d.x[i * F] / 2 + 8;
    struct bramble_table *table = table_from(&d, false);
    assert_true(recall(table, NULL) < 0.2);
    assert_true(recall(table, "balanced") > 0.6);
    assert_true(recall(table, "balanced_subsample") > 0.6);
    bramble_table_free(table);
}

/* The weights of tree 0's sample fit 32 bits together, and rows 0 and 1 are nearly all of it. */
static void assert_sample_fits(const struct bramble_table *table, const bramble_forest_options *options)
{
    struct grow_rules rules;
    struct sample sample;
    uint16_t counts[N];
    double class_scratch[2 * 3];
    assert_int_equal(grow_rules_init(&rules, table, options, NULL), BRAMBLE_OK);
    assert_true(sample_init(&sample, N, true));
    sample_draw(&sample, &rules, table, 0, counts, class_scratch);
    uint64_t heavy = 0, all = 0;
    for (size_t i = 0; i < sample.n; i++) {
        assert_true(sample.weight[i] > 0);
        all += sample.weight[i];
        heavy += sample.row[i] < 2 ? sample.weight[i] : 0;
    }
    assert_true(all <= UINT32_MAX);
    assert_true((double)heavy > 0.999 * (double)all);
    sample_fini(&sample);
    grow_rules_fini(&rules);
}

/* Weights over many orders of magnitude, made worse by balancing. */
static void extreme_weights_stay_in_bounds(void **state)
{
    (void)state;
    static struct data d;
    static const double heavy[] = {1e6, 1e30, 1e35};
    for (int kind = 0; kind < 6; kind++) {
        draw(&d, true, 6);
        for (size_t i = 0; i < N; i++) {
            d.y[i] = i < 2 ? 2 : (double)(i % 2);
            d.w[i] = i < 2 ? heavy[kind % 3] : 1;
        }
        struct bramble_table *table = table_from(&d, true);
        bramble_forest_options options = every_row();
        options.class_weight = kind < 3 ? "balanced_subsample" : "balanced";
        assert_sample_fits(table, &options);
        struct forest *forest = grow(table, &options);
        assert_true(forest->trees[0].n_nodes > 1);
        forest_free(forest);
        bramble_table_free(table);
    }
}

/* Sums that single precision cannot hold would come back from a file as infinities. */
static void weights_and_targets_beyond_a_model_are_refused(void **state)
{
    (void)state;
    static struct data d;
    for (int kind = 0; kind < 3; kind++) {
        draw(&d, kind < 2, 9);
        for (size_t i = 0; i < N; i++) d.w[i] = 1;
        if (kind < 2) d.w[0] = 1e300;
        if (kind == 2) d.y[0] = 1e38, d.y[1] = 0.5;
        struct bramble_table *table = table_from(&d, true);
        bramble_forest_options options = forest_defaults;
        if (kind == 1) options.class_weight = "balanced_subsample";
        struct forest *forest = NULL;
        bramble_error error = {0};
        assert_int_equal(forest_fit(&forest, table, &options, NULL, &error), BRAMBLE_ERR_DATA);
        assert_non_null(strstr(error.message, "scale"));
        assert_null(forest);
        bramble_table_free(table);
    }
}

/* A bootstrap that meets no row with a weight still has a tree. */
static void hardly_any_weight_is_enough(void **state)
{
    (void)state;
    static struct data d;
    for (int classify = 0; classify < 2; classify++) {
        draw(&d, classify, 7);
        memset(d.w, 0, sizeof d.w);
        d.w[N - 1] = 1e-12;
        struct bramble_table *table = table_from(&d, true);
        bramble_forest_options options = forest_defaults;
        options.trees = 20;
        options.oob_score = true;
        struct forest *forest = grow(table, &options);
        float *out = predict(forest, table);
        for (uint32_t t = 0; t < 20; t++) {
            assert_int_equal(forest->trees[t].n_nodes, 1);
            if (classify) assert_int_equal(forest->trees[t].nodes[0].class_id, table->classes[N - 1]);
        }
        if (!classify) assert_true(fabs(out[0] - table->values[N - 1]) < 1e-5);
        for (uint32_t f = 0; f < F; f++) assert_true(forest->importances[f] == 0);
        free(out);
        forest_free(forest);
        bramble_table_free(table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_weights_are_repeated_rows),
        cmocka_unit_test(whole_class_weights_are_repeated_rows),
        cmocka_unit_test(balanced_is_a_formula),
        cmocka_unit_test(balanced_weights_help_a_rare_class),
        cmocka_unit_test(extreme_weights_stay_in_bounds),
        cmocka_unit_test(weights_and_targets_beyond_a_model_are_refused),
        cmocka_unit_test(hardly_any_weight_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
