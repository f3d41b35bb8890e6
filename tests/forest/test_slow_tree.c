/* Whole forests against a slow, plain tree grower: the same nodes, features, thresholds, leaves and
 * importances. */
#include "slow_tree.h"

#include "forest/forest.h"
#include "forest/sample.h"

enum { MAX_ROWS = 200, BLOCK_ROWS = 256 /* least number of rows whose subtree is grown from a copy */ };

/* What kind of table a case has. */
struct shape {
    uint32_t n, n_features;
    uint32_t n_classes;    /* 0: regression */
    uint32_t n_values;     /* different values a feature, at most */
    uint32_t n_categories; /* of the last feature; 0: it is a number too */
    bool missing, weights;
};

static struct bramble_table *draw_table(const struct shape *shape, struct rng *rng)
{
    float *x = calloc((size_t)shape->n * shape->n_features, sizeof *x);
    double *y = calloc(shape->n, sizeof *y), *w = calloc(shape->n, sizeof *w);
    assert_true(x && y && w);
    for (uint32_t i = 0; i < shape->n; i++) {
        double signal = 0;
        for (uint32_t f = 0; f < shape->n_features; f++) {
            bool category = shape->n_categories && f + 1 == shape->n_features;
            float value = (float)rng_below(rng, category ? shape->n_categories : shape->n_values);
            signal += value * (f % 3 - 1.0);
            if (!category && f % 2) value = value * 0.37f - 2;
            x[(size_t)i * shape->n_features + f] =
                shape->missing && f % 2 == 0 && rng_below(rng, 5) == 0 ? NAN : value;
        }
        signal += draw_normal(rng) * shape->n_values * sqrt(shape->n_features) / 8;
        y[i] = shape->n_classes
                   ? (double)(i < shape->n_classes ? i : (uint64_t)fabs(signal) % shape->n_classes)
                   : floor(signal * 8) / 8;
        w[i] = (double)rng_below(rng, 4) / 2;
    }
    w[0] = 1;
    struct bramble_table *table =
        table_of(shape->n, shape->n_features, x, y, shape->weights ? w : NULL,
                 shape->n_classes ? BRAMBLE_TASK_CLASSIFICATION : BRAMBLE_TASK_REGRESSION);
    if (shape->n_categories) table_set_categories(table, shape->n_features - 1, shape->n_categories);
    free(x);
    free(y);
    free(w);
    return table;
}

/* The rows tree `number` learns from. */
static struct slow_rows draw_sample(const struct slow_job *job, uint32_t number)
{
    const struct grow_rules *rules = job->rules;
    uint32_t n = (uint32_t)job->table->n_rows;
    struct slow_rows rows = slow_rows_new(n);
    uint32_t *count = calloc(n, sizeof *count);
    assert_non_null(count);
    struct rng rng;
    rng_init(&rng, rules->split.seed, RNG_BOOTSTRAP, number, 0);
    for (uint64_t i = 0; i < n; i++) count[i] = rules->bootstrap ? 0 : 1;
    for (uint64_t i = 0; rules->bootstrap && i < rules->n_draws; i++) count[rng_below(&rng, n)]++;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t weight = count[i] * (rules->weights ? rules->weights[i] : 1);
        if (!weight) continue;
        rows.row[rows.n] = i;
        rows.weight[rows.n++] = weight;
    }
    free(count);
    return rows;
}

static void grow_all(struct slow_job *job, struct slow_node *node)
{
    if (!node->split.found) return;
    slow_divide(job, node);
    for (int side = 0; side < 2; side++) grow_all(job, node->child[side]);
}

/* Of the open nodes, the one whose split gains most, the oldest on a tie. */
static void find_best_open(struct slow_node *node, struct slow_node **best)
{
    const struct slow_node *other = *best;
    if (node->open && node->split.found &&
        (!other || node->gain > other->gain || (node->gain == other->gain && node->age < other->age)))
        *best = node;
    for (int side = 0; side < 2 && node->child[side]; side++) find_best_open(node->child[side], best);
}

static void grow_best(struct slow_job *job, struct slow_node *root)
{
    for (uint32_t leaves = 1; leaves < job->rules->max_leaf_nodes; leaves++) {
        struct slow_node *best = NULL;
        find_best_open(root, &best);
        if (!best) return;
        slow_divide(job, best);
    }
}

static void free_slow(struct slow_node *node)
{
    if (!node) return;
    free_slow(node->child[0]);
    free_slow(node->child[1]);
    free(node->rows.row);
    free(node->rows.weight);
    free(node);
}

/* A comparison on its way through two trees. */
struct walk {
    const struct slow_job *job;
    const struct tree *tree;
    uint32_t at;
    double *gains; /* by feature */
};

static void compare_leaf(const struct walk *w, const struct slow_node *slow, const struct tree_node *leaf)
{
    const struct bramble_table *table = w->job->table;
    assert_int_equal(leaf->kind, TREE_LEAF);
    double weight = (double)slow_weight(&slow->rows), sum = 0, by_class[256] = {0};
    for (uint32_t i = 0; i < slow->rows.n; i++) {
        if (table->classes)
            by_class[table->classes[slow->rows.row[i]]] += slow->rows.weight[i];
        else
            sum += slow->rows.weight[i] * table->values[slow->rows.row[i]];
    }
    if (!table->classes) {
        assert_true(fabs(leaf->value - sum / weight) <= 1e-6 * fabs(sum / weight) + 1e-6);
        return;
    }
    assert_int_equal(leaf->pure, slow_pure(w->job, &slow->rows));
    for (uint32_t c = 0; c < table->schema.n_classes; c++) {
        float share = leaf->pure ? leaf->class_id == c : w->tree->values[leaf->values + c];
        assert_true(share == (float)(by_class[c] / weight));
    }
}

/* Absent categories and, where none was met, missing values follow the heavier child. */
static void compare_question(const struct walk *w, const struct slow_node *slow, const struct tree_node *node)
{
    const struct slow_split *split = &slow->split;
    const struct feature *feature = &w->job->table->schema.features[split->feature];
    bool left_heavier = slow_weight(&slow->child[0]->rows) >= slow_weight(&slow->child[1]->rows),
         present[256] = {0};
    bool missing = false;
    for (uint32_t i = 0; i < slow->rows.n; i++) {
        float x = slow_value(w->job, slow->rows.row[i], split->feature);
        missing |= isnan(x);
        if (!isnan(x) && feature->type == BRAMBLE_FEATURE_CATEGORY) present[(int)x] = true;
    }
    assert_int_equal(node->feature, split->feature);
    assert_int_equal(node->missing_left, missing ? split->missing_left : left_heavier);
    if (feature->type != BRAMBLE_FEATURE_CATEGORY) {
        assert_int_equal(node->kind, TREE_NUMERIC);
        assert_true(node->threshold == split->threshold);
        return;
    }
    assert_int_equal(node->kind, TREE_CATEGORY);
    for (uint32_t c = 0; c < feature->n_categories; c++)
        assert_int_equal(w->tree->sets[node->set].word[c >> 5] >> (c & 31) & 1,
                         present[c] ? split->left[c] : left_heavier);
}

static void compare(struct walk *w, const struct slow_node *slow)
{
    assert_true(w->at < w->tree->n_nodes);
    uint32_t at = w->at++;
    const struct tree_node *node = &w->tree->nodes[at];
    assert_true(node->cover == (float)((double)slow_weight(&slow->rows) / w->job->rules->weight_scale));
    if (!slow->child[0]) {
        compare_leaf(w, slow, node);
        return;
    }
    compare_question(w, slow, node);
    w->gains[slow->split.feature] += slow->gain;
    compare(w, slow->child[0]);
    assert_int_equal(node->right, w->at);
    compare(w, slow->child[1]);
}

static void compare_tree(struct slow_job *job, const struct tree *tree, uint32_t number, double *importances)
{
    uint32_t n_features = job->table->schema.n_features;
    double *gains = calloc(n_features, sizeof *gains), sum = 0;
    assert_non_null(gains);
    struct slow_rows rows = draw_sample(job, number);
    job->root_weight = (double)slow_weight(&rows);
    job->n_nodes = 0;
    struct slow_node *root = slow_node_new(job, rows, slow_key(job, number, 2), 0);
    if (job->rules->max_leaf_nodes == UINT32_MAX)
        grow_all(job, root);
    else
        grow_best(job, root);
    struct walk walk = {.job = job, .tree = tree, .gains = gains};
    compare(&walk, root);
    assert_int_equal(walk.at, tree->n_nodes);
    for (uint32_t f = 0; f < n_features; f++) sum += gains[f];
    for (uint32_t f = 0; f < n_features && sum > 0; f++) importances[f] += gains[f] / sum;
    free_slow(root);
    free(gains);
}

static void check(const struct shape *shape, bramble_forest_options options, struct rng *rng)
{
    struct bramble_table *table = draw_table(shape, rng);
    options.trees = 3;
    options.threads = 1;
    options.seed = rng_u64(rng);
    struct forest *forest = NULL;
    struct grow_rules rules;
    bramble_error error;
    if (forest_fit(&forest, table, &options, NULL, &error)) fail_msg("%s", error.message);
    assert_int_equal(grow_rules_init(&rules, table, &options, &error), BRAMBLE_OK);
    struct slow_job job = {.table = table, .rules = &rules};
    double *importances = calloc(shape->n_features, sizeof *importances), sum = 0;
    assert_non_null(importances);
    for (uint32_t t = 0; t < 3; t++) compare_tree(&job, &forest->trees[t], t, importances);
    for (uint32_t f = 0; f < shape->n_features; f++) sum += importances[f];
    for (uint32_t f = 0; f < shape->n_features && sum > 0; f++)
        assert_true(fabs(importances[f] / sum - forest->importances[f]) < 1e-9);
    free(importances);
    grow_rules_fini(&rules);
    forest_free(forest);
    bramble_table_free(table);
}

static const bramble_forest_options defaults = BRAMBLE_FOREST_OPTIONS_INIT;

static struct shape draw_shape(struct rng *rng)
{
    struct shape shape = {.n = 5 + rng_below(rng, rng_below(rng, 3) ? 60 : MAX_ROWS - 5),
                          .n_features = 1 + rng_below(rng, 8),
                          .n_values = 2 + rng_below(rng, rng_below(rng, 2) ? 4 : 60),
                          .missing = rng_below(rng, 2),
                          .weights = rng_below(rng, 3) == 0};
    if (rng_below(rng, 3)) shape.n_classes = 2 + rng_below(rng, 4);
    if (shape.n_classes <= 2 && rng_below(rng, 2)) shape.n_categories = 2 + rng_below(rng, 6);
    return shape;
}

static bramble_forest_options draw_options(const struct shape *shape, struct rng *rng)
{
    bramble_forest_options o = defaults;
    if (shape->n_classes && rng_below(rng, 3) == 0) o.criterion = BRAMBLE_CRITERION_ENTROPY;
    if (rng_below(rng, 4) == 0) o.splitter = BRAMBLE_SPLITTER_RANDOM;
    if (rng_below(rng, 3) == 0) o.max_features = "1";
    if (rng_below(rng, 3) == 0) o.max_features = "all";
    if (rng_below(rng, 4) == 0) o.max_depth = 1 + rng_below(rng, 5);
    if (rng_below(rng, 4) == 0) o.min_samples_leaf = 1 + rng_below(rng, 6);
    if (rng_below(rng, 4) == 0) o.min_samples_split = 2 + rng_below(rng, 20);
    if (rng_below(rng, 4) == 0) o.min_impurity_decrease = 0.02 * rng_double(rng);
    if (rng_below(rng, 4) == 0) o.bootstrap = (int)rng_below(rng, 2);
    return o;
}

static void simple_trees_are_the_same(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 31, 0);
    for (int i = 0; i < 60; i++) {
        struct shape shape = {.n = 2 + rng_below(&rng, 100), .n_features = 6, .n_classes = 2, .n_values = 20};
        if (i % 3 == 2) shape.n_classes = 0;
        check(&shape, defaults, &rng);
    }
}

static void every_kind_of_tree_is_the_same(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 32, 0);
    for (int i = 0; i < 300; i++) {
        struct shape shape = draw_shape(&rng);
        check(&shape, draw_options(&shape, &rng), &rng);
    }
}

static void trees_grown_best_first_are_the_same(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 33, 0);
    for (int i = 0; i < 100; i++) {
        struct shape shape = draw_shape(&rng);
        bramble_forest_options options = draw_options(&shape, &rng);
        options.max_leaf_nodes = 2 + rng_below(&rng, 20);
        check(&shape, options, &rng);
    }
}

/* More rows than the copy of a subtree holds: near the root, features are read column by column. */
static void large_nodes_are_the_same(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 34, 0);
    for (int i = 0; i < 8; i++) {
        struct shape shape = {.n = 2 * BLOCK_ROWS + 60, .n_features = 8200, .n_classes = 2, .n_values = 12};
        if (i % 2) shape.n_classes = 0;
        bramble_forest_options options = defaults;
        options.max_features = "4";
        options.max_depth = 5;
        options.bootstrap = i < 6;
        if (i == 2) options.criterion = BRAMBLE_CRITERION_ENTROPY;
        if (i > 3) options.max_leaf_nodes = 12;
        check(&shape, options, &rng);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_trees_are_the_same),
        cmocka_unit_test(every_kind_of_tree_is_the_same),
        cmocka_unit_test(trees_grown_best_first_are_the_same),
        cmocka_unit_test(large_nodes_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
