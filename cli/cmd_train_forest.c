/* bramble train forest: from data to a model file. */
#include "base/error.h"
#include "common.h"
#include "kept_run.h"
#include "training.h"

#define FOREST(field) FIELD(train_forest_values, forest.field)

static bramble_status check(const struct train_forest_values *v, bramble_error *error)
{
    bramble_status status = train_source_check(&v->source, error);
    return status ? status : check_output(v->out, v->source.data, error);
}

/* One of several copies that srun started: another does the work. */
static bool is_spare(const struct train_forest_values *v)
{
    return v->cluster && bramble_cluster_has_leader(v->cluster);
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct train_forest_values *v = values;
    if (is_spare(v)) return BRAMBLE_OK;
    bramble_status status = check(v, error);
    return status ? status : training_carry_out(v, kept_run_begin("train forest", v->words), error);
}

/* The journal in the run's folder has the trees that are done. */
static bramble_status resume(const void *values, const char *id, bramble_error *error)
{
    const struct train_forest_values *v = values;
    bramble_run *run;
    if (is_spare(v)) return BRAMBLE_OK;
    if (!v->cluster)
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "%s has nothing to resume: it trained on one machine; 'bramble show %s' has its "
                         "command line, to begin again",
                         id, id);
    bramble_status status = check(v, error);
    if (!status) status = bramble_run_resume(&run, id, error);
    return status ? status : training_carry_out(v, run, error);
}

static const struct choice criteria[] = {
    {"gini", BRAMBLE_CRITERION_GINI},
    {"entropy", BRAMBLE_CRITERION_ENTROPY},
    {"log_loss", BRAMBLE_CRITERION_ENTROPY},
    {"squared_error", BRAMBLE_CRITERION_SQUARED_ERROR},
    {NULL, 0},
};

static const struct choice splitters[] = {
    {"best", BRAMBLE_SPLITTER_BEST},
    {"random", BRAMBLE_SPLITTER_RANDOM},
    {NULL, 0},
};

static const struct choice cpu_levels[] = {{"plain", 0}, {"neon", 0}, {"avx2", 0}, {"avx512", 0}, {NULL, 0}};

static const char *const paragraphs[] = {
    "Trains a random forest on DATA and writes it as an ONNX file. Parameters have scikit-learn's names, "
    "meanings and "
    "defaults. The seed decides the forest: threads and processors never change a bit of it.",
    "The test data are a file (--test), rows drawn from DATA and left out of training (--holdout), or the "
    "test part "
    "of DATA where they hold one; without any, the model is not tested.",
    "Missing values need no filling in: each split learns where they go. Text columns are categories, and a "
    "split "
    "may send any set of them left.",
    "The model's file appears whole at the end or not at all. Whether it can be written is checked before "
    "training.",
    NULL,
};

static const struct argument arguments[] = {
    {.name = "DATA",
     .help = "training data, in any format bramble data describes",
     .offset = FIELD(train_forest_values, source.data)},
    {.name = NULL},
};

static const struct option options[] = {
    OPTIONS_TRAIN_SOURCE_OF(train_forest_values),
    OPTION_SAMPLE_WEIGHT_AT(FIELD(train_forest_values, source.sample_weight)),
    {.name = "out",
     .value = "MODEL",
     .kind = OPTION_TEXT,
     .offset = FIELD(train_forest_values, out),
     .fallback = "model.onnx",
     .help = "file to write"},
    {.name = "trees",
     .alias = "n-estimators",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = FOREST(trees),
     .min = 1,
     .fallback = "100",
     .help = "trees to grow"},
    {.name = "criterion",
     .value = "NAME",
     .kind = OPTION_CHOICE,
     .offset = FOREST(criterion),
     .choices = criteria,
     .fallback = "gini for classes, squared_error for numbers",
     .help = "what a split is judged by"},
    {.name = "splitter",
     .value = "NAME",
     .kind = OPTION_CHOICE,
     .offset = FOREST(splitter),
     .choices = splitters,
     .fallback = "best",
     .help = "the best threshold of each feature tried, or one drawn at random (extra-trees)"},
    {.name = "max-depth",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = FOREST(max_depth),
     .fallback = "0",
     .help = "deepest a tree may grow; 0 sets no limit"},
    {.name = "min-samples-split",
     .value = "N",
     .kind = OPTION_NUMBER,
     .offset = FOREST(min_samples_split),
     .above_min = true,
     .fallback = "2",
     .help = "rows a node needs to be split; below 1, a share of all rows"},
    {.name = "min-samples-leaf",
     .value = "N",
     .kind = OPTION_NUMBER,
     .offset = FOREST(min_samples_leaf),
     .above_min = true,
     .fallback = "1",
     .help = "rows a leaf needs; below 1, a share of all rows"},
    {.name = "max-features",
     .value = "N",
     .kind = OPTION_TEXT,
     .offset = FOREST(max_features),
     .fallback = "sqrt for classes, all for numbers",
     .help = "features tried at a split: sqrt, log2, all, a number, or below 1 a share"},
    {.name = "max-leaf-nodes",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = FOREST(max_leaf_nodes),
     .fallback = "0",
     .help = "leaves a tree may have, the best splits first; 0 sets no limit"},
    {.name = "min-impurity-decrease",
     .value = "X",
     .kind = OPTION_NUMBER,
     .offset = FOREST(min_impurity_decrease),
     .fallback = "0",
     .help = "impurity a split must take away, weighted by the node's share of the rows"},
    {.name = "bootstrap",
     .kind = OPTION_TOGGLE,
     .offset = FOREST(bootstrap),
     .fallback = "on for the best splitter, off for random",
     .help = "draw each tree's rows with replacement"},
    {.name = "max-samples",
     .value = "N",
     .kind = OPTION_NUMBER,
     .offset = FOREST(max_samples),
     .above_min = true,
     .fallback = "as many as there are",
     .help = "with bootstrap, rows drawn for a tree; up to 1, a share of all rows"},
    {.name = "class-weight",
     .value = "WEIGHTS",
     .kind = OPTION_TEXT,
     .offset = FOREST(class_weight),
     .fallback = "every class weighs 1",
     .help = "balanced, balanced_subsample, or CLASS=WEIGHT,CLASS=WEIGHT,..."},
    {.name = "oob-score",
     .kind = OPTION_FLAG,
     .offset = FOREST(oob_score),
     .help = "with bootstrap, score each row by the trees that did not see it"},
    {.name = "seed",
     .alias = "random-state",
     .value = "N",
     .kind = OPTION_SEED,
     .offset = FOREST(seed),
     .fallback = "0",
     .help = "decides every random choice, and with the data and these options the forest"},
    OPTION_THREADS_AT(FOREST(threads)),
    {.name = "cpu",
     .value = "LEVEL",
     .kind = OPTION_TEXT,
     .offset = FOREST(cpu),
     .choices = cpu_levels,
     .fallback = "the best there is here",
     .help = "highest kind of vector instructions to use"},
    {.name = "cluster",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = FIELD(train_forest_values, cluster),
     .fallback = "this machine alone",
     .help = "train on all machines this file lists (see bramble cluster init); slurm for those of the Slurm "
             "job"},
    OPTION_JSON_OF(train_forest_values),
    {.name = "quiet",
     .kind = OPTION_FLAG,
     .offset = FIELD(train_forest_values, quiet),
     .help = "print neither progress nor the result"},
    {.name = NULL},
};

static const struct json_field fields[] = {
    {"data", "DATA as it was given"},
    {"task", "classification or regression"},
    {"rows", "rows trained on"},
    {"features", "number of features"},
    {"classes", "names of the classes"},
    {"load_seconds", "time to read the data, test data included"},
    {"bin_seconds", "time to sort features into bins"},
    {"fit_seconds", "time to train, binning included"},
    {"threads", "threads that worked; on a cluster, of all its nodes"},
    {"seed", "the seed"},
    {"trees", "number of trees"},
    {"nodes", "inner nodes and leaves of all trees"},
    {"leaves", "leaves of all trees"},
    {"max_depth", "depth of the deepest tree; a lone leaf has 0"},
    {"oob_score", "with --oob-score: out-of-bag accuracy or R2"},
    {"members", "with --cluster: each node's name, state, threads, trees and trees_per_second"},
    {"test_rows", "rows tested on, when there are test data; the next six then too"},
    {"accuracy", "share of the test rows predicted right"},
    {"log_loss", "mean of -ln(probability given to the true class)"},
    {"macro_f1", "mean over the classes of the harmonic mean of precision and recall"},
    {"r2", "regression: share of the variance explained"},
    {"rmse", "regression: root mean square error"},
    {"mae", "regression: mean absolute error"},
    {"model", "the file that was written"},
    {"model_bytes", "its size"},
    {"model_hash", "hash of the trees alone: the same forest has the same"},
    {"peak_rss_bytes", "the most memory the program had"},
    {"run", "name of the run, for bramble show"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble train forest /usr/share/datasets/fashion-mnist --out fashion.onnx",
     "100 trees on 60,000 images, tested on the other 10,000"},
    {"bramble train forest diamonds.csv --target price --holdout 0.2",
     "a regression, tested on a fifth of the rows"},
    {NULL, NULL},
};

const struct command command_train_forest = {
    .name = "train forest",
    .summary = "train a random forest, or extra-trees",
    .paragraphs = paragraphs,
    .arguments = arguments,
    .options = options,
    .fields = fields,
    .examples = examples,
    .defaults =
        &(const struct train_forest_values){.out = "model.onnx", .forest = BRAMBLE_FOREST_OPTIONS_INIT},
    .values_size = sizeof(struct train_forest_values),
    .run = run,
    .resume = resume,
    .words_offset = FIELD(train_forest_values, words),
};

const struct command command_train = {.name = "train", .summary = "train a model"};
