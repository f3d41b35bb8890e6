/* Forests learn what is there to learn, from any kind of table, and know how well: out-of-bag scores,
 * importances. */
#include "forests.h"

#include "forest/sample.h"

static double sum_of(const double *x, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += x[i];
    return sum;
}

/* Trained on one half, judged on another; the out-of-bag score must have said so before. */
static void assert_learns(struct mixture mix, bramble_forest_options options, double least)
{
    mix.seed = 1;
    struct bramble_table *train = mixed_table(1500, mix);
    mix.seed = 2;
    struct bramble_table *test = mixed_table(1500, mix);
    options.trees = 60;
    options.oob_score = options.bootstrap != 0;
    struct forest *forest = grow(train, &options);
    double score = mix.n_classes ? accuracy(forest, test) : r2(forest, test);
    if (score < least) fail_msg("a score of %g", score);
    if (options.oob_score) assert_true(fabs(forest->oob_score - score) < 0.04);
    const double *i = forest->importances;
    assert_true(fabs(sum_of(i, 8) - 1) < 1e-9);
    for (int noise = 3; noise <= 7; noise += noise == 5 ? 2 : 1)
        assert_true(i[noise] < i[0] / 2 && i[noise] < i[1] / 2 && i[noise] < i[6] / 2);
    if (mix.missing) assert_true(i[2] > i[3] * 1.5);
    forest_free(forest);
    bramble_table_free(train);
    bramble_table_free(test);
}

static void mixed_tables_are_learned(void **state)
{
    (void)state;
    for (int missing = 0; missing < 2; missing++) {
        struct mixture mix = {.n_classes = 3, .missing = missing};
        bramble_forest_options o = forest_defaults;
        o.max_features = "4";
        assert_learns(mix, o, 0.88);
        o.criterion = BRAMBLE_CRITERION_ENTROPY;
        assert_learns(mix, o, 0.88);
        mix.n_classes = 0;
        o.criterion = BRAMBLE_CRITERION_AUTO;
        assert_learns(mix, o, 0.94);
        o.max_leaf_nodes = 150;
        assert_learns(mix, o, 0.94);
        o.max_leaf_nodes = 0;
        o.splitter = BRAMBLE_SPLITTER_RANDOM;
        o.bootstrap = 0;
        o.max_features = "all";
        assert_learns(mix, o, 0.95);
        mix.n_classes = 3;
        assert_learns(mix, o, 0.88);
    }
}

static void a_smooth_function_is_followed(void **state)
{
    (void)state;
    enum { N = 2000 };
    static float x[2][N * 2];
    static double y[2][N];
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 61, 0);
    for (int part = 0; part < 2; part++)
        for (int i = 0; i < N; i++) {
            double a = rng_double(&rng) * 10, b = rng_double(&rng) * 10;
            x[part][2 * i] = (float)a;
            x[part][2 * i + 1] = (float)b;
            y[part][i] = 1e6 + 300 * sin(a) + b * b;
        }
    struct bramble_table *train = table_of(N, 2, x[0], y[0], NULL, BRAMBLE_TASK_REGRESSION);
    struct bramble_table *test = table_of(N, 2, x[1], y[1], NULL, BRAMBLE_TASK_REGRESSION);
    bramble_forest_options options = forest_defaults;
    options.trees = 50;
    struct forest *forest = grow(train, &options);
    assert_true(r2(forest, test) > 0.98);
    assert_true(r2(forest, train) > 0.99);
    forest_free(forest);
    bramble_table_free(train);
    bramble_table_free(test);
}

enum { OOB_ROWS = 250, OOB_CLASSES = 4 };

/* For each row, what the trees that did not draw it say together, and how many those are. */
struct say {
    double sum[OOB_CLASSES];
    uint32_t trees;
};

static void gather_says(const struct forest *forest, const struct bramble_table *table,
                        const struct grow_rules *rules, struct say say[OOB_ROWS])
{
    uint32_t width = forest->n_classes ? forest->n_classes : 1;
    memset(say, 0, OOB_ROWS * sizeof *say);
    for (uint32_t t = 0; t < forest->n_trees; t++) {
        uint16_t counts[OOB_ROWS];
        sample_counts(rules, OOB_ROWS, t, counts);
        struct forest one = *forest;
        one.n_trees = 1;
        one.trees = &forest->trees[t];
        float *out = predict(&one, table);
        for (uint32_t i = 0; i < OOB_ROWS; i++) {
            if (counts[i]) continue;
            say[i].trees++;
            for (uint32_t c = 0; c < width; c++) say[i].sum[c] += (double)out[i * width + c];
        }
        free(out);
    }
}

static double score_says(const struct bramble_table *table, const struct say say[OOB_ROWS])
{
    double right = 0, seen = 0, mean = 0, residual = 0, spread = 0;
    for (uint32_t i = 0; i < OOB_ROWS; i++) {
        if (!say[i].trees) continue;
        uint32_t most = 0;
        for (uint32_t c = 1; c < OOB_CLASSES; c++)
            if (say[i].sum[c] > say[i].sum[most]) most = c;
        seen++;
        if (table->classes) right += most == table->classes[i];
        if (table->values) mean += table->values[i];
    }
    assert_true(seen > OOB_ROWS * 0.95);
    if (table->classes) return right / seen;
    for (uint32_t i = 0; i < OOB_ROWS; i++) {
        if (!say[i].trees) continue;
        residual += pow(table->values[i] - say[i].sum[0] / say[i].trees, 2);
        spread += pow(table->values[i] - mean / seen, 2);
    }
    return 1 - residual / spread;
}

/* Worked out again, tree by tree, from the samples' own draws. */
static void out_of_bag_scores_are_exact(void **state)
{
    (void)state;
    for (int classify = 0; classify < 2; classify++) {
        struct mixture mix = {.n_classes = classify ? OOB_CLASSES : 0, .missing = true};
        struct bramble_table *table = mixed_table(OOB_ROWS, mix);
        bramble_forest_options options = forest_defaults;
        options.trees = 12;
        options.oob_score = true;
        options.min_samples_leaf = 3;
        struct forest *forest = grow(table, &options);
        struct grow_rules rules;
        struct say say[OOB_ROWS];
        assert_int_equal(grow_rules_init(&rules, table, &options, NULL), BRAMBLE_OK);
        gather_says(forest, table, &rules, say);
        assert_true(fabs(forest->oob_score - score_says(table, say)) < 1e-6);
        grow_rules_fini(&rules);
        forest_free(forest);
        bramble_table_free(table);
    }
}

static void nothing_to_learn_is_a_leaf(void **state)
{
    (void)state;
    const float constant[] = {1, 5, 1, 5, 1, 5, 1, 5}, one[] = {3.5f, NAN};
    const double two[] = {0, 1, 1, 1}, same[] = {2.5, 2.5, 2.5, 2.5};
    bramble_forest_options options = forest_defaults;
    options.trees = 4;
    options.bootstrap = 0;
    struct bramble_table *tables[] = {
        table_of(4, 2, constant, two, NULL, BRAMBLE_TASK_CLASSIFICATION), /* constant features */
        table_of(4, 2, constant, two, NULL, BRAMBLE_TASK_REGRESSION),
        table_of(4, 2, (const float[]){1, 2, 3, 4, 5, 6, 7, 8}, same, NULL,
                 BRAMBLE_TASK_REGRESSION),                        /* pure */
        table_of(1, 2, one, same, NULL, BRAMBLE_TASK_REGRESSION), /* one row */
        table_of(3, 1, (const float[]){NAN, NAN, NAN}, two, NULL,
                 BRAMBLE_TASK_REGRESSION), /* nothing known */
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        struct forest *forest = grow(tables[i], &options);
        float *out = predict(forest, tables[i]);
        for (uint32_t t = 0; t < 4; t++) assert_int_equal(forest->trees[t].n_nodes, 1);
        for (uint32_t f = 0; f < forest->n_features; f++) assert_true(forest->importances[f] == 0);
        if (i == 0) assert_true(out[0] == 0.25f && out[1] == 0.75f);
        if (i == 1) assert_true(out[0] == 0.75f);
        if (i == 2 || i == 3) assert_true(out[0] == 2.5f);
        if (i == 4) assert_true(fabsf(out[0] - 2.0f / 3) < 1e-6f);
        free(out);
        forest_free(forest);
        bramble_table_free(tables[i]);
    }
}

/* One row, drawn by every tree: no row is ever out of bag. */
static void a_score_without_rows_is_no_number(void **state)
{
    (void)state;
    struct bramble_table *table =
        table_of(1, 1, (const float[]){3}, (const double[]){7}, NULL, BRAMBLE_TASK_REGRESSION);
    bramble_forest_options options = forest_defaults;
    options.trees = 3;
    struct forest *forest = grow(table, &options);
    assert_true(isnan(forest->oob_score));
    forest_free(forest);
    options.oob_score = true;
    forest = grow(table, &options);
    assert_true(isnan(forest->oob_score));
    forest_free(forest);
    bramble_table_free(table);
}

/* 300 classes: more than a byte counts, and more than a node keeps track of at once. */
static void many_classes_are_told_apart(void **state)
{
    (void)state;
    enum { N = 3000, C = 300 };
    static float x[N * 3];
    static double y[N];
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 62, 0);
    for (int i = 0; i < N; i++) {
        y[i] = i < C ? i : (int)rng_below(&rng, C);
        x[3 * i] = (float)((int)y[i] % 20);
        x[3 * i + 1] = (float)((int)y[i] / 20) + (float)rng_double(&rng) * 0.9f;
        x[3 * i + 2] = (float)rng_double(&rng);
    }
    struct bramble_table *table = table_of(N, 3, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION);
    bramble_forest_options options = forest_defaults;
    options.trees = 20;
    options.oob_score = true;
    options.max_features = "all";
    struct forest *forest = grow(table, &options);
    assert_true(accuracy(forest, table) > 0.97);
    assert_true(forest->oob_score > 0.8);
    forest_free(forest);
    bramble_table_free(table);
}

/* Far more features than rows, a tenth of a per cent of them of use. */
static void wide_tables_are_learned(void **state)
{
    (void)state;
    enum { N = 20, F = 2000 };
    static float x[N * F];
    double y[N];
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 63, 0);
    for (int i = 0; i < N; i++) {
        y[i] = i % 2;
        for (int f = 0; f < F; f++) x[i * F + f] = (float)draw_normal(&rng);
        for (int f = 1990; f < F; f++) x[i * F + f] += (float)y[i] * 20;
    }
    struct bramble_table *table = table_of(N, F, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION);
    bramble_forest_options options = forest_defaults;
    options.trees = 100;
    struct forest *forest = grow(table, &options);
    assert_true(accuracy(forest, table) == 1);
    assert_true(sum_of(forest->importances + 1990, 10) > 0.1);
    options.max_features = "all";
    struct forest *all = grow(table, &options);
    for (uint32_t t = 0; t < 100; t++) assert_true(all->trees[t].n_nodes <= 3);
    assert_true(sum_of(all->importances + 1990, 10) > 0.5);
    forest_free(forest);
    forest_free(all);
    bramble_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixed_tables_are_learned),          cmocka_unit_test(a_smooth_function_is_followed),
        cmocka_unit_test(out_of_bag_scores_are_exact),       cmocka_unit_test(nothing_to_learn_is_a_leaf),
        cmocka_unit_test(a_score_without_rows_is_no_number), cmocka_unit_test(many_classes_are_told_apart),
        cmocka_unit_test(wide_tables_are_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
