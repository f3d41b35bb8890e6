/*
 * bramble/forest.h: training random forests and extremely randomised trees.
 *
 * Parameters carry scikit-learn's names and meanings. The seed decides the forest: threads, processor
 * features and architecture never change a bit of it (docs/determinism.md).
 *
 * Breiman, "Random Forests", Machine Learning 45 (2001); Geurts, Ernst, Wehenkel, "Extremely randomized
 * trees", Machine Learning 63 (2006).
 */
#ifndef BRAMBLE_FOREST_H
#define BRAMBLE_FOREST_H

#include <bramble/engine.h>
#include <bramble/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bramble_criterion {
    BRAMBLE_CRITERION_AUTO = 0, /* gini or squared_error, by task */
    BRAMBLE_CRITERION_GINI,
    BRAMBLE_CRITERION_ENTROPY, /* log_loss is the same */
    BRAMBLE_CRITERION_SQUARED_ERROR,
} bramble_criterion;

typedef enum bramble_splitter {
    BRAMBLE_SPLITTER_BEST = 0, /* random forest */
    BRAMBLE_SPLITTER_RANDOM,   /* extra-trees: one random threshold a feature, the best of those */
} bramble_splitter;

/* How far training is. On one machine it is told from the training threads, one at a time, after each tree
 * and within long ones; on a cluster about four times a second, from the thread that called. */
typedef struct bramble_progress {
    uint32_t trees_done, trees_total;
    double seconds;                /* since training began */
    const bramble_member *members; /* the cluster's nodes; valid for the call */
    size_t n_members;              /* 0 on one machine */
} bramble_progress;

typedef struct bramble_forest_options {
    uint32_t trees; /* n_estimators, >= 1 */
    bramble_criterion criterion;
    bramble_splitter splitter;
    uint32_t max_depth;       /* 0: no limit */
    double min_samples_split; /* rows; below 1: share of the rows */
    double min_samples_leaf;  /* rows; below 1: share of the rows */
    const char *max_features; /* "sqrt", "log2", "all", a count, or a share ("0.3"); NULL: sqrt, or all for
                                 regression */
    uint32_t max_leaf_nodes;  /* 0: no limit; else best-first growth */
    double min_impurity_decrease; /* >= 0 */
    int bootstrap;                /* 1, 0, or -1 for the splitter's custom: 1 for best, 0 for random */
    double max_samples;           /* rows drawn a tree; up to 1: share of the rows; 0: all. Needs bootstrap */
    const char *class_weight;     /* NULL, "balanced", "balanced_subsample", or "LABEL=WEIGHT,..." */
    bool oob_score;               /* needs bootstrap */
    uint64_t seed;                /* random_state */
    bramble_engine *engine; /* train on its nodes; NULL: on this machine. `threads` then is for the rest */
    uint32_t threads;       /* 0: all processors */
    const char
        *cpu; /* highest kernel level to use: "plain", "avx2", "avx512", "neon"; NULL: the best there is */
    bool (*progress)(const bramble_progress *progress, void *context); /* false stops training; or NULL */
    void *progress_context;
} bramble_forest_options;
#define BRAMBLE_FOREST_OPTIONS_INIT                                                                          \
    {                                                                                                        \
        .trees = 100, .min_samples_split = 2, .min_samples_leaf = 1, .bootstrap = -1                         \
    }

/* What training cost, in seconds. */
typedef struct bramble_forest_stats {
    double bin_seconds; /* sorting features into bins */
    double fit_seconds; /* all of it, binning included */
    uint32_t threads;   /* of all nodes that grew trees */
} bramble_forest_stats;

/*
 * Trains on `train` (which must have a target) and gives a model that no longer needs it. stats may be NULL.
 * Memory: N * F bytes of codes (shared with the table for byte features) and as much again for the rows in
 * the other order; a thread takes 2 N bytes, 25 to 45 bytes for each row it draws, 2 MB for copies, 4 KB for
 * each class up to 1024, and 2 KB for each class whatever their number where the plain search is needed:
 * categories, missing values, weights, entropy, min_samples_leaf above 1, more than 1024 classes. O(T *
 * max_features * N log N).
 */
BRAMBLE_API bramble_status bramble_forest_train(bramble_model **out, const bramble_table *train,
                                                const bramble_forest_options *options,
                                                bramble_forest_stats *stats, bramble_error *error);

#ifdef __cplusplus
}
#endif
#endif
