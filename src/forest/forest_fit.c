#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "forest/forest_grower.h"

#define REPORT_SECONDS 0.1 /* between reports from the middle of a tree */

/* One training: what its threads share. */
struct fit {
    struct forest_grower *grower;
    const bramble_forest_options *options;
    uint32_t n_features, n_trees;
    struct tree *trees;    /* T */
    uint64_t *importances; /* F, under the lock */
    double start;
    pthread_mutex_t lock; /* importances and progress */
    uint32_t trees_done;
    double reported; /* when progress was told last */
    atomic_int stop; /* a bramble_status: why to stop */
};

/* The first reason to stop stays. */
static void stop(struct fit *fit, bramble_status why)
{
    int none = BRAMBLE_OK;
    atomic_compare_exchange_strong(&fit->stop, &none, (int)why);
}

/* Calls back with the state of things; under the lock. */
static void report(struct fit *fit)
{
    double now = clock_seconds() - fit->start;
    bramble_progress progress = {fit->trees_done, fit->n_trees, now};
    fit->reported = now;
    if (fit->options->progress && !fit->options->progress(&progress, fit->options->progress_context))
        stop(fit, BRAMBLE_ERR_CANCELLED);
}

static void account(struct fit *fit, const uint64_t *importances)
{
    pthread_mutex_lock(&fit->lock);
    for (uint32_t f = 0; f < fit->n_features; f++) fit->importances[f] += importances[f];
    fit->trees_done++;
    report(fit);
    pthread_mutex_unlock(&fit->lock);
}

/* For a grower in the middle of a tree. */
static bool go_on(void *context)
{
    struct fit *fit = context;
    pthread_mutex_lock(&fit->lock);
    if (clock_seconds() - fit->start - fit->reported > REPORT_SECONDS) report(fit);
    pthread_mutex_unlock(&fit->lock);
    return atomic_load(&fit->stop) == BRAMBLE_OK;
}

static void grow_task(void *context, uint32_t thread, uint64_t tree)
{
    struct fit *fit = context;
    if (atomic_load(&fit->stop)) return;
    uint64_t *importances = mem_zalloc(fit->n_features, sizeof *importances);
    bramble_status status = BRAMBLE_ERR_MEMORY;
    if (importances)
        status = forest_grower_tree(fit->grower, thread, (uint32_t)tree, go_on, fit, &fit->trees[tree],
                                    importances, NULL);
    if (status)
        stop(fit, status);
    else
        account(fit, importances);
    mem_free(importances);
}

/* Grows all trees on `threads` threads and makes a forest of them. */
static bramble_status grow_all(struct fit *fit, uint32_t threads, struct forest **out, bramble_error *error)
{
    fit->trees = mem_zalloc(fit->n_trees, sizeof *fit->trees);
    fit->importances = mem_zalloc(fit->n_features, sizeof *fit->importances);
    if (!fit->trees || !fit->importances) return error_memory(error, "growing trees");
    threads_run(threads, fit->n_trees, grow_task, fit);
    switch (atomic_load(&fit->stop)) {
    case BRAMBLE_OK: break;
    case BRAMBLE_ERR_CANCELLED: return error_set(error, BRAMBLE_ERR_CANCELLED, "training was stopped");
    default: return error_memory(error, "growing trees");
    }
    bramble_status status =
        forest_grower_finish(fit->grower, fit->trees, fit->importances, NULL, NULL, out, error);
    if (!status) fit->trees = NULL;
    return status;
}

static void fit_fini(struct fit *fit)
{
    for (uint32_t t = 0; fit->trees && t < fit->n_trees; t++) tree_fini(&fit->trees[t]);
    mem_free(fit->trees);
    mem_free(fit->importances);
    forest_grower_free(fit->grower);
    pthread_mutex_destroy(&fit->lock);
}

bramble_status forest_fit(struct forest **out, const struct bramble_table *table,
                          const bramble_forest_options *options, bramble_forest_stats *stats,
                          bramble_error *error)
{
    struct fit fit = {.options = options, .n_features = table->schema.n_features, .start = clock_seconds()};
    uint32_t threads = options->threads ? options->threads : threads_available();
    if (threads > 1024) threads = 1024;
    bramble_status status = forest_grower_new(&fit.grower, table, options, threads, error);
    if (status) return status;
    pthread_mutex_init(&fit.lock, NULL);
    fit.n_trees = forest_grower_n_trees(fit.grower);
    status = forest_grower_prepare(fit.grower, NULL, error);
    double binned_at = clock_seconds();
    if (!status) status = grow_all(&fit, threads, out, error);
    if (!status && stats)
        *stats = (bramble_forest_stats){binned_at - fit.start, clock_seconds() - fit.start, threads};
    fit_fini(&fit);
    return status;
}
