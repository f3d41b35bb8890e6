#include "train/node_speed.h"

#include <math.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "data/table.h"
#include "forest/forest_grower.h"

/* Labels are noise, so a tree of this depth splits all of its nodes, and each level looks at every row (of
 * the tree's sample) and every feature once. */
enum { ROWS = 16384, FEATURES = 64, CLASSES = 10, DEPTH = 3, TREES_MAX = 1 << 20 };

static const double FOREST_SECONDS = 1, GEMM_SECONDS = 0.6;

struct growing {
    struct forest_grower *grower;
    double until;
    double *rates; /* a thread's million row-features a second */
    bramble_status *statuses;
};

static bool always(void *context)
{
    (void)context;
    return true;
}

/* Trees one after the other until time is up; each thread has its own numbers. */
static void grow_trees(void *context, uint32_t thread, uint64_t part)
{
    struct growing *growing = context;
    uint64_t importances[FEATURES] = {0};
    uint32_t grown = 0, number = (uint32_t)part * (TREES_MAX / 1024);
    double start = clock_seconds(), now = start;
    for (; now < growing->until || grown == 0; now = clock_seconds()) {
        struct tree tree = {0};
        bramble_status status = forest_grower_tree(growing->grower, thread, number + grown % 1024, always,
                                                   NULL, &tree, importances, NULL);
        if (!status) tree_fini(&tree);
        growing->statuses[part] = status;
        if (status) return;
        grown++;
    }
    growing->rates[part] = (double)grown * DEPTH * ROWS * FEATURES / (now - start) * 1e-6;
}

static bramble_status grow_on_all(struct forest_grower *grower, uint32_t threads, double *rate,
                                  bramble_error *error)
{
    struct growing growing = {.grower = grower, .until = clock_seconds() + FOREST_SECONDS};
    growing.rates = mem_zalloc(threads, sizeof *growing.rates);
    growing.statuses = mem_zalloc(threads, sizeof *growing.statuses);
    bramble_status status = BRAMBLE_OK;
    if (!growing.rates || !growing.statuses) status = BRAMBLE_ERR_MEMORY;
    if (!status) threads_run(threads, threads, grow_trees, &growing);
    double sum = 0;
    for (uint32_t t = 0; t < threads && !status; t++) {
        status = growing.statuses[t];
        sum += growing.rates[t];
    }
    mem_free(growing.rates);
    mem_free(growing.statuses);
    if (status) return error_memory(error, "measuring this machine");
    *rate = sum;
    return BRAMBLE_OK;
}

static bramble_status make_table(bramble_table **out, bramble_error *error)
{
    float *x = mem_alloc(ROWS * FEATURES, sizeof *x);
    double *y = mem_alloc(ROWS, sizeof *y);
    struct rng random;
    rng_init(&random, 1, RNG_HOLDOUT, 0, 0);
    for (size_t i = 0; x && i < ROWS * FEATURES; i++) x[i] = (float)rng_below(&random, 256);
    for (size_t i = 0; y && i < ROWS; i++) y[i] = (double)rng_below(&random, CLASSES);
    bramble_status status = BRAMBLE_OK;
    if (x && y)
        status =
            bramble_table_from_arrays(out, ROWS, FEATURES, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION, error);
    else
        status = error_memory(error, "measuring this machine");
    mem_free(x);
    mem_free(y);
    return status;
}

static bramble_status measure_forest(double *rate, uint32_t threads, bramble_error *error)
{
    bramble_forest_options options = BRAMBLE_FOREST_OPTIONS_INIT;
    options.trees = TREES_MAX;
    options.max_depth = DEPTH;
    options.max_features = "all";
    bramble_table *table;
    struct forest_grower *grower = NULL;
    bramble_status status = make_table(&table, error);
    if (status) return status;
    status = forest_grower_new(&grower, table, &options, threads, error);
    if (!status) status = forest_grower_prepare(grower, NULL, error);
    if (!status) status = grow_on_all(grower, threads, rate, error);
    forest_grower_free(grower);
    bramble_table_free(table);
    return status;
}

bramble_status node_speed_measure(struct node_speed *speed, uint32_t threads, bramble_error *error)
{
    double rate = 0;
    if (threads == 0) threads = threads_available();
    bramble_status status = measure_forest(&rate, threads, error);
    if (!status) *speed = (struct node_speed){rate, gemm_speed_measure(threads, GEMM_SECONDS)};
    return status;
}
