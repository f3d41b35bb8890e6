/* One forest, whoever grows it: threads, processor levels, repeated rows for weights. And another seed,
 * another one. */
#include "forests.h"

#include "base/cpu.h"
#include "forest/sample.h"

/* The same trees, importances and out-of-bag score. */
static void assert_same(const struct forest *a, const struct forest *b, const char *what)
{
    char hash[2][33];
    forest_hash(a, hash[0]);
    forest_hash(b, hash[1]);
    if (strcmp(hash[0], hash[1]) != 0) fail_msg("%s: another forest", what);
    assert_memory_equal(a->importances, b->importances, a->n_features * sizeof *a->importances);
    assert_memory_equal(&a->oob_score, &b->oob_score, sizeof a->oob_score);
}

static void assert_same_for_all(const struct bramble_table *table, bramble_forest_options options)
{
    options.threads = 1;
    options.cpu = "plain";
    struct forest *one = grow(table, &options);
    for (uint32_t threads = 2; threads <= 8; threads += threads == 3 ? 5 : 1) {
        options.threads = threads;
        struct forest *other = grow(table, &options);
        assert_same(one, other, "threads");
        forest_free(other);
    }
    options.threads = 1;
    for (int level = CPU_PLAIN; level <= CPU_AVX512; level++) {
        enum cpu_level parsed;
        options.cpu = cpu_level_name((enum cpu_level)level);
        if (!cpu_level_parse(options.cpu, &parsed)) continue;
        struct forest *other = grow(table, &options);
        assert_same(one, other, options.cpu);
        forest_free(other);
    }
    forest_free(one);
}

/* Classification and regression; plain, weighted, with missing values. */
static void run_all_tables(bramble_forest_options options)
{
    for (int kind = 0; kind < 6; kind++) {
        struct mixture mix = {
            .n_classes = kind % 2 ? 0 : 4, .weights = kind >= 4, .missing = kind >= 2, .seed = 3};
        struct bramble_table *table = mixed_table(700, mix);
        assert_same_for_all(table, options);
        bramble_table_free(table);
    }
}

static void forests_do_not_hang_on_who_grows_them(void **state)
{
    (void)state;
    bramble_forest_options options = forest_defaults;
    options.trees = 9;
    options.oob_score = true;
    run_all_tables(options);
}

static void nor_do_forests_grown_otherwise(void **state)
{
    (void)state;
    bramble_forest_options options = forest_defaults;
    options.trees = 5;
    options.splitter = BRAMBLE_SPLITTER_RANDOM;
    run_all_tables(options);
    options.splitter = BRAMBLE_SPLITTER_BEST;
    options.max_leaf_nodes = 30;
    options.bootstrap = 0;
    run_all_tables(options);
    options.max_leaf_nodes = 0;
    options.min_samples_leaf = 3;
    options.max_features = "0.5";
    run_all_tables(options);
}

/* Plain numbers only: the fast searches at every size of node, over many classes and hardly any. */
static void fast_searches_do_not_differ(void **state)
{
    (void)state;
    enum { N = 3000, F = 20 };
    static float x[N * F];
    static double y[N];
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 41, 0);
    for (int kind = 0; kind < 4; kind++) {
        static const uint32_t classes[] = {2, 10, 90, 0};
        for (int i = 0; i < N * F; i++)
            x[i] = i % 3   ? (float)rng_below(&rng, 256)
                   : i % 2 ? (float)draw_normal(&rng)
                           : (float)rng_below(&rng, 7);
        for (int i = 0; i < N; i++)
            y[i] = classes[kind] ? (double)((uint64_t)(fabs(x[i * F]) + rng_below(&rng, 30)) % classes[kind])
                                 : x[i * F] + draw_normal(&rng);
        struct bramble_table *table =
            table_of(N, F, x, y, NULL, classes[kind] ? BRAMBLE_TASK_CLASSIFICATION : BRAMBLE_TASK_REGRESSION);
        bramble_forest_options options = forest_defaults;
        options.trees = 3;
        assert_same_for_all(table, options);
        bramble_table_free(table);
    }
}

static void another_seed_is_another_forest(void **state)
{
    (void)state;
    struct bramble_table *table = mixed_table(300, (struct mixture){.n_classes = 3});
    bramble_forest_options options = forest_defaults;
    options.trees = 2;
    struct hash first = grow_hash(table, &options);
    for (uint64_t seed = 1; seed < 1ull << 40; seed <<= 8) {
        options.seed = seed;
        struct hash other = grow_hash(table, &options), again = grow_hash(table, &options);
        assert_string_not_equal(first.text, other.text);
        assert_string_equal(other.text, again.text);
    }
    bramble_table_free(table);
}

/* Trees of one forest differ, and the first ones of a larger forest are those of a smaller. */
static void more_trees_are_added_at_the_end(void **state)
{
    (void)state;
    struct bramble_table *table = mixed_table(300, (struct mixture){.n_classes = 3});
    bramble_forest_options options = forest_defaults;
    options.trees = 3;
    struct forest *small = grow(table, &options);
    options.trees = 7;
    struct forest *large = grow(table, &options);
    for (uint32_t t = 0; t < 3; t++) {
        const struct tree *a = &small->trees[t], *b = &large->trees[t];
        assert_int_equal(a->n_nodes, b->n_nodes);
        assert_memory_equal(a->nodes, b->nodes, a->n_nodes * sizeof *a->nodes);
    }
    assert_memory_not_equal(small->trees[0].nodes, small->trees[1].nodes, 3 * sizeof *small->trees->nodes);
    forest_free(small);
    forest_free(large);
    bramble_table_free(table);
}

/* A bootstrap is a list of rows and how often each was drawn. */
static void samples_are_what_was_drawn(void **state)
{
    (void)state;
    enum { N = 500 };
    struct bramble_table *table = mixed_table(N, (struct mixture){.n_classes = 3});
    bramble_forest_options options = forest_defaults;
    options.max_samples = 0.5;
    struct grow_rules rules;
    struct sample sample;
    uint16_t counts[N], again[N];
    double class_scratch[2 * 3];
    assert_int_equal(grow_rules_init(&rules, table, &options, NULL), BRAMBLE_OK);
    assert_int_equal(rules.n_draws, N / 2);
    assert_true(sample_init(&sample, N, true));
    double distinct = 0;
    for (uint32_t tree = 0; tree < 50; tree++) {
        sample_draw(&sample, &rules, table, tree, counts, class_scratch);
        sample_counts(&rules, N, tree, again);
        assert_memory_equal(counts, again, sizeof counts);
        size_t at = 0, drawn = 0;
        for (uint32_t i = 0; i < N; i++) {
            if (!counts[i]) continue;
            assert_int_equal(sample.row[at], i);
            assert_int_equal(sample.weight[at], counts[i]);
            assert_int_equal(sample.class_id[at++], table->classes[i]);
            drawn += counts[i];
        }
        assert_int_equal(sample.n, at);
        assert_int_equal(drawn, N / 2);
        distinct += (double)at / 50;
    }
    assert_true(fabs(distinct - N * (1 - exp(-0.5))) < 5);
    sample_fini(&sample);
    grow_rules_fini(&rules);
    bramble_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forests_do_not_hang_on_who_grows_them),
        cmocka_unit_test(nor_do_forests_grown_otherwise),
        cmocka_unit_test(fast_searches_do_not_differ),
        cmocka_unit_test(another_seed_is_another_forest),
        cmocka_unit_test(more_trees_are_added_at_the_end),
        cmocka_unit_test(samples_are_what_was_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
