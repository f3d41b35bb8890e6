/* Forests of many kinds, for tests that grow them in pieces and want forest_fit's. */
#ifndef TESTS_TRAIN_FARMING_H
#define TESTS_TRAIN_FARMING_H

#include "../forest/forests.h"
#include "scratch.h"

#include "data/binned_file.h"

enum { N_KINDS = 14 };

struct kind {
    const char *name;
    struct mixture mix;
    bramble_forest_options options;
};

/* Kind i of N_KINDS, with its table (the caller's to free). */
static inline struct kind kind_of(int i, struct bramble_table **table)
{
    const bramble_forest_options o = BRAMBLE_FOREST_OPTIONS_INIT;
    struct kind kinds[N_KINDS] = {
        {"classes", {.n_classes = 3}, o},
        {"two classes", {.n_classes = 2}, o},
        {"numbers", {0}, o},
        {"missing", {.n_classes = 3, .missing = true}, o},
        {"numbers, missing", {.missing = true}, o},
        {"weights", {.n_classes = 3, .weights = true}, o},
        {"numbers, weights", {.weights = true, .missing = true}, o},
        {"balanced", {.n_classes = 4}, o},
        {"balanced_subsample", {.n_classes = 4, .weights = true}, o},
        {"best first", {.n_classes = 3, .missing = true}, o},
        {"extra-trees", {.n_classes = 3, .missing = true}, o},
        {"extra-trees, numbers", {0}, o},
        {"entropy, leaves of three", {.n_classes = 3}, o},
        {"label weights, few draws", {.n_classes = 3}, o},
    };
    kinds[7].options.class_weight = "balanced";
    kinds[8].options.class_weight = "balanced_subsample";
    kinds[9].options.max_leaf_nodes = 37;
    kinds[10].options.splitter = kinds[11].options.splitter = BRAMBLE_SPLITTER_RANDOM;
    kinds[10].options.bootstrap = 1;
    kinds[12].options.criterion = BRAMBLE_CRITERION_ENTROPY;
    kinds[12].options.min_samples_leaf = 3;
    kinds[12].options.max_features = "all";
    kinds[13].options.class_weight = "1=3,2=0.5";
    kinds[13].options.max_samples = 0.4;
    kinds[13].options.min_impurity_decrease = 0.001;
    struct kind kind = kinds[i];
    kind.options.trees = 11;
    kind.options.threads = 2;
    kind.options.seed = (uint64_t)i * 7 + 1;
    kind.options.oob_score = i != 11;
    kind.mix.seed = (uint64_t)i;
    *table = mixed_table(700, kind.mix);
    return kind;
}

/* The table's binned file, in a scratch folder. */
static inline const char *write_binned(struct scratch *scratch, const struct bramble_table *table)
{
    struct binned *binned;
    assert_int_equal(binned_new(&binned, table, 1, NULL), BRAMBLE_OK);
    const char *path = scratch_path(scratch, "data");
    assert_int_equal(binned_file_write(path, table, binned, NULL), BRAMBLE_OK);
    binned_free(binned);
    return path;
}

static inline void assert_same_forest(const struct forest *a, const struct forest *b, const char *name)
{
    char hash_a[33], hash_b[33];
    forest_hash(a, hash_a);
    forest_hash(b, hash_b);
    if (strcmp(hash_a, hash_b) != 0) fail_msg("%s: another forest", name);
    assert_int_equal(a->task, b->task);
    for (uint32_t t = 0; t < a->n_trees; t++) assert_int_equal(a->trees[t].depth, b->trees[t].depth);
    assert_memory_equal(a->importances, b->importances, a->n_features * sizeof *a->importances);
    assert_true(a->oob_score == b->oob_score || (isnan(a->oob_score) && isnan(b->oob_score)));
}

#endif
