/* What options do to a forest, and which are refused. */
#include "forests.h"

#include "base/cpu.h"

static struct bramble_table *classes, *numbers;

static int make_tables(void **state)
{
    (void)state;
    classes = mixed_table(400, (struct mixture){.n_classes = 3, .missing = true});
    numbers = mixed_table(400, (struct mixture){.missing = true});
    return 0;
}

static int free_tables(void **state)
{
    (void)state;
    bramble_table_free(classes);
    bramble_table_free(numbers);
    return 0;
}

/* The options are refused with a message that says `about`, and nothing comes of them. */
static void assert_refused(const struct bramble_table *table, bramble_forest_options options,
                           const char *about)
{
    struct forest *forest = (struct forest *)&options;
    bramble_error error = {0};
    if (forest_fit(&forest, table, &options, NULL, &error) != BRAMBLE_ERR_USAGE)
        fail_msg("not refused: %s", about);
    assert_int_equal(error.status, BRAMBLE_ERR_USAGE);
    if (!strstr(error.message, about)) fail_msg("'%s' does not say '%s'", error.message, about);
    assert_null(strchr(error.message, '\n'));
    assert_ptr_equal(forest, &options);
    assert_int_equal(forest_fit(&forest, table, &options, NULL, NULL), BRAMBLE_ERR_USAGE);
}

#define REFUSED(about, ...)                                                                                  \
    do {                                                                                                     \
        bramble_forest_options o = forest_defaults;                                                          \
        __VA_ARGS__;                                                                                         \
        assert_refused(classes, o, about);                                                                   \
    } while (0)

static void numbers_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    REFUSED("trees must be 1 to", o.trees = 0);
    REFUSED("trees must be 1 to", o.trees = (1u << 24) + 1);
    const double no_count[] = {0, -1, 1.5, 2.5, NAN, INFINITY, -INFINITY, -0.5, -0.0};
    for (size_t i = 0; i < sizeof no_count / sizeof *no_count; i++) {
        REFUSED("min_samples_split must be a count of at least 2", o.min_samples_split = no_count[i]);
        REFUSED("min_samples_leaf must be a count of at least 1", o.min_samples_leaf = no_count[i]);
        if (no_count[i] != 0) REFUSED("max_samples must be", o.max_samples = no_count[i]);
    }
    REFUSED("min_samples_split must be", o.min_samples_split = 1);
    REFUSED("max_samples must be at most the number of rows", o.max_samples = 401);
    REFUSED("max_leaf_nodes must be 0 for no limit", o.max_leaf_nodes = 1);
    const double no_decrease[] = {-1e-9, NAN, INFINITY};
    for (size_t i = 0; i < 3; i++)
        REFUSED("min_impurity_decrease must be 0", o.min_impurity_decrease = no_decrease[i]);
}

static void words_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    const char *no_features[] = {"",     "0",     "9",  "-1",  "0.0", "1.5",
                                 "SQRT", "sqrt ", "3 ", "nan", "inf", "1e400"};
    for (size_t i = 0; i < sizeof no_features / sizeof *no_features; i++)
        REFUSED("max_features must be sqrt, log2, all", o.max_features = no_features[i]);
    const char *no_weight[] = {"",     "heavy", "0",     "0=", "0=-1",   "0=x",
                               "0=1x", "0=nan", "0=inf", "=1", "0=1;1=2"};
    for (size_t i = 0; i < sizeof no_weight / sizeof *no_weight; i++)
        REFUSED("class_weight", o.class_weight = no_weight[i]);
    REFUSED("class_weight names '7', which is no class of 'y'", o.class_weight = "0=1,7=2");
    REFUSED("class_weight leaves no row with a weight", o.class_weight = "0=0,1=0,2=0");
    REFUSED("cpu must be plain or a level this processor has", o.cpu = "mmx");
    REFUSED("cpu must be plain or a level this processor has", o.cpu = "");
    for (int level = CPU_PLAIN; level <= CPU_AVX512; level++) {
        enum cpu_level parsed;
        const char *name = cpu_level_name((enum cpu_level)level);
        if (!cpu_level_parse(name, &parsed)) REFUSED(name, o.cpu = name);
    }
}

static void options_that_do_not_go_together_are_refused(void **state)
{
    (void)state;
    REFUSED("criterion must be gini or entropy", o.criterion = BRAMBLE_CRITERION_SQUARED_ERROR);
    REFUSED("criterion must be", o.criterion = (bramble_criterion)77);
    REFUSED("splitter must be best or random", o.splitter = (bramble_splitter)77);
    REFUSED("bootstrap must be on for oob_score", o.oob_score = true, o.bootstrap = 0);
    REFUSED("bootstrap must be on for oob_score", o.oob_score = true, o.splitter = BRAMBLE_SPLITTER_RANDOM);
    REFUSED("bootstrap must be on for max_samples", o.max_samples = 0.5, o.bootstrap = 0);
    bramble_forest_options o = forest_defaults;
    o.criterion = BRAMBLE_CRITERION_GINI;
    assert_refused(numbers, o, "criterion must be squared_error");
    o.criterion = BRAMBLE_CRITERION_ENTROPY;
    assert_refused(numbers, o, "criterion must be squared_error");
    o = forest_defaults;
    o.class_weight = "balanced";
    assert_refused(numbers, o, "class_weight is for classes");
}

/* Rows of the sample that reach each node when nothing is drawn twice; counted by walking the table down. */
static uint32_t *count_rows(const struct tree *tree, const struct bramble_table *table)
{
    uint32_t *count = calloc(tree->n_nodes, sizeof *count);
    assert_non_null(count);
    for (size_t row = 0; row < table->n_rows; row++)
        for (uint32_t i = 0;;) {
            count[i]++;
            if (tree->nodes[i].kind == TREE_LEAF) break;
            uint32_t f = tree->nodes[i].feature;
            i = tree_child(tree, i, column_value(&table->columns[f], table->schema.features[f].type, row));
        }
    return count;
}

static uint32_t n_leaves(const struct tree *tree)
{
    uint32_t leaves = 0;
    for (uint32_t i = 0; i < tree->n_nodes; i++) leaves += tree->nodes[i].kind == TREE_LEAF;
    return leaves;
}

/* For each tree, without bootstrap: what holds of every node. */
static void limits_hold(const struct bramble_table *table, bramble_forest_options options, uint32_t split,
                        uint32_t leaf, uint32_t depth, uint32_t leaves)
{
    options.trees = 4;
    options.bootstrap = 0;
    struct forest *forest = grow(table, &options);
    for (uint32_t t = 0; t < 4; t++) {
        const struct tree *tree = &forest->trees[t];
        uint32_t *count = count_rows(tree, table);
        for (uint32_t i = 0; i < tree->n_nodes; i++) {
            assert_true(count[i] >= (tree->nodes[i].kind == TREE_LEAF ? leaf : split));
            assert_true(tree->nodes[i].cover == (float)count[i]);
        }
        assert_true(n_leaves(tree) > 1);
        assert_true(tree->depth <= depth && n_leaves(tree) <= leaves);
        free(count);
    }
    forest_free(forest);
}

static void limits_of_trees_are_kept(void **state)
{
    (void)state;
    const struct bramble_table *tables[] = {classes, numbers};
    for (int i = 0; i < 2; i++) {
        bramble_forest_options o = forest_defaults;
        limits_hold(tables[i], o, 2, 1, 400, 400);
        o.min_samples_leaf = 7;
        limits_hold(tables[i], o, 14, 7, 400, 400);
        o.min_samples_leaf = 0.1; /* of 400 */
        limits_hold(tables[i], o, 80, 40, 400, 10);
        o.min_samples_leaf = 1;
        o.min_samples_split = 30;
        limits_hold(tables[i], o, 30, 1, 400, 400);
        o.min_samples_split = 0.25;
        limits_hold(tables[i], o, 100, 1, 400, 400);
        o.max_depth = 3;
        limits_hold(tables[i], o, 100, 1, 3, 8);
        o.max_depth = 0;
        o.min_samples_split = 2;
        o.max_leaf_nodes = 6;
        limits_hold(tables[i], o, 2, 1, 5, 6);
        o.max_depth = 2;
        limits_hold(tables[i], o, 2, 1, 2, 4);
    }
}

static uint32_t total_nodes(const struct bramble_table *table, const bramble_forest_options *options)
{
    struct forest *forest = grow(table, options);
    uint32_t nodes = 0;
    for (uint32_t t = 0; t < forest->n_trees; t++) nodes += forest->trees[t].n_nodes;
    forest_free(forest);
    return nodes;
}

static void smaller_gains_are_left_out(void **state)
{
    (void)state;
    bramble_forest_options o = forest_defaults;
    o.trees = 5;
    uint32_t before = UINT32_MAX;
    const double decrease[] = {0, 0.001, 0.01, 0.1};
    for (int i = 0; i < 4; i++) {
        o.min_impurity_decrease = decrease[i];
        uint32_t nodes = total_nodes(classes, &o);
        assert_true(nodes < before);
        before = nodes;
    }
    o.min_impurity_decrease = 1e6;
    assert_int_equal(total_nodes(classes, &o), 5);
    assert_int_equal(total_nodes(numbers, &o), 5);
}

/* The feature names mean what they say: equal settings make equal forests. */
static void ways_to_say_max_features_agree(void **state)
{
    (void)state;
    static const char *const same[][2] = {{"sqrt", "2"}, {NULL, "sqrt"}, {"log2", "3"}, {"all", "8"},
                                          {"1.0", "8"},  {"0.5", "4"},   {"0.01", "1"}, {"1e-9", "1"}};
    bramble_forest_options o = forest_defaults;
    o.trees = 3;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        o.max_features = same[i][0];
        struct hash one = grow_hash(classes, &o);
        o.max_features = same[i][1];
        assert_string_equal(grow_hash(classes, &o).text, one.text);
    }
    o.max_features = NULL;
    struct hash numbers_default = grow_hash(numbers, &o);
    o.max_features = "all";
    assert_string_equal(grow_hash(numbers, &o).text, numbers_default.text);
}

static void fewer_samples_make_lighter_trees(void **state)
{
    (void)state;
    bramble_forest_options o = forest_defaults;
    o.trees = 2;
    const double samples[] = {0, 1, 0.25, 37, 1e-9}, drawn[] = {400, 400, 100, 37, 1};
    for (int i = 0; i < 5; i++) {
        o.max_samples = samples[i];
        struct forest *forest = grow(classes, &o);
        for (uint32_t t = 0; t < 2; t++) assert_true(forest->trees[t].nodes[0].cover == (float)drawn[i]);
        forest_free(forest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_that_make_no_sense_are_refused),
        cmocka_unit_test(words_that_make_no_sense_are_refused),
        cmocka_unit_test(options_that_do_not_go_together_are_refused),
        cmocka_unit_test(limits_of_trees_are_kept),
        cmocka_unit_test(smaller_gains_are_left_out),
        cmocka_unit_test(ways_to_say_max_features_agree),
        cmocka_unit_test(fewer_samples_make_lighter_trees),
    };
    return cmocka_run_group_tests(tests, make_tables, free_tables);
}
