#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "forest/forest.h"
#include "forest/grow.h"
#include "forest/out_of_bag.h"

#define REPORT_SECONDS 0.1 /* between reports from the middle of a tree */

/* One training: what its threads share. */
struct fit {
    struct grow_job job;
    const bramble_forest_options *options;
    struct forest *forest;
    struct grower **growers; /* one a thread, made by the thread at its first tree */
    uint64_t *importances;   /* F, under the lock */
    struct out_of_bag *oob;  /* NULL when not asked for */
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

static bool grow_one(struct fit *fit, uint32_t thread, uint32_t tree, uint64_t *importances)
{
    if (!fit->growers[thread]) fit->growers[thread] = grower_new(&fit->job);
    if (!fit->growers[thread]) return false;
    if (!grow_tree(fit->growers[thread], tree, &fit->forest->trees[tree], importances)) return false;
    if (fit->oob) out_of_bag_add(fit->oob, &fit->forest->trees[tree], grower_counts(fit->growers[thread]));
    return true;
}

/* Calls back with the state of things; under the lock. */
static void report(struct fit *fit)
{
    double now = clock_seconds() - fit->start;
    bramble_progress progress = {fit->trees_done, fit->forest->n_trees, now};
    fit->reported = now;
    if (fit->options->progress && !fit->options->progress(&progress, fit->options->progress_context))
        stop(fit, BRAMBLE_ERR_CANCELLED);
}

static void account(struct fit *fit, const uint64_t *importances)
{
    pthread_mutex_lock(&fit->lock);
    for (uint32_t f = 0; f < fit->forest->n_features; f++) fit->importances[f] += importances[f];
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
    uint64_t *importances = mem_zalloc(fit->forest->n_features, sizeof *importances);
    if (!importances || !grow_one(fit, thread, (uint32_t)tree, importances))
        stop(fit, BRAMBLE_ERR_MEMORY);
    else
        account(fit, importances);
    mem_free(importances);
}

static struct forest *forest_new(const struct grow_rules *rules, const struct bramble_table *table)
{
    struct forest *forest = mem_zalloc(1, sizeof *forest);
    if (!forest) return NULL;
    forest->task = table->schema.task;
    forest->n_features = table->schema.n_features;
    forest->n_classes = rules->n_classes;
    forest->n_trees = rules->n_trees;
    forest->oob_score = NAN;
    forest->trees = mem_zalloc(rules->n_trees, sizeof *forest->trees);
    forest->importances = mem_zalloc(forest->n_features, sizeof *forest->importances);
    if (forest->trees && forest->importances) return forest;
    forest_free(forest);
    return NULL;
}

static void set_importances(struct forest *forest, const uint64_t *fixed)
{
    double sum = 0;
    for (uint32_t f = 0; f < forest->n_features; f++) sum += (double)fixed[f];
    for (uint32_t f = 0; sum > 0 && f < forest->n_features; f++)
        forest->importances[f] = (double)fixed[f] / sum;
}

/* Grows all trees of a prepared fit on `threads` threads. */
static bramble_status grow_all(struct fit *fit, uint32_t threads, bramble_error *error)
{
    fit->growers = mem_zalloc(threads, sizeof *fit->growers);
    fit->importances = mem_zalloc(fit->forest->n_features, sizeof *fit->importances);
    if (!fit->growers || !fit->importances) return error_memory(error, "growing trees");
    threads_run(threads, fit->forest->n_trees, grow_task, fit);
    switch (atomic_load(&fit->stop)) {
    case BRAMBLE_OK: break;
    case BRAMBLE_ERR_CANCELLED: return error_set(error, BRAMBLE_ERR_CANCELLED, "training was stopped");
    default: return error_memory(error, "growing trees");
    }
    set_importances(fit->forest, fit->importances);
    if (fit->oob) fit->forest->oob_score = out_of_bag_score(fit->oob);
    return BRAMBLE_OK;
}

static bramble_status pick_kernels(const struct gini_kernels **kernels, const char *cpu, bramble_error *error)
{
    enum cpu_level level = cpu_level_detect();
    if (cpu && !cpu_level_parse(cpu, &level))
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "cpu must be plain or a level this processor has (%s); not '%s'",
                         cpu_level_name(level), cpu);
    *kernels = gini_kernels_get(level);
    return BRAMBLE_OK;
}

/* The forest over binned data; everything it allocates besides is gone when it returns. */
static bramble_status fit_binned(struct fit *fit, uint32_t threads, bramble_error *error)
{
    const struct grow_rules *rules = fit->job.rules;
    fit->forest = forest_new(rules, fit->job.table);
    if (!fit->forest) return error_memory(error, "the forest");
    if (fit->options->oob_score && !(fit->oob = out_of_bag_new(rules, fit->job.table)))
        return error_memory(error, "the out-of-bag score");
    return grow_all(fit, threads, error);
}

static void fit_fini(struct fit *fit, uint32_t threads)
{
    for (uint32_t t = 0; fit->growers && t < threads; t++) grower_free(fit->growers[t]);
    mem_free(fit->growers);
    mem_free(fit->importances);
    out_of_bag_free(fit->oob);
    forest_free(fit->forest);
    pthread_mutex_destroy(&fit->lock);
}

bramble_status forest_fit(struct forest **out, const struct bramble_table *table,
                          const bramble_forest_options *options, bramble_forest_stats *stats,
                          bramble_error *error)
{
    struct fit fit = {.options = options, .start = clock_seconds()};
    struct grow_rules rules;
    struct binned *binned = NULL;
    struct codes codes = {0};
    uint32_t threads = options->threads ? options->threads : threads_available();
    if (threads > 1024) threads = 1024;

    bramble_status status = pick_kernels(&fit.job.kernels, options->cpu, error);
    if (!status) status = grow_rules_init(&rules, table, options, error);
    if (status) return status;
    pthread_mutex_init(&fit.lock, NULL);
    status = binned_new(&binned, table, threads, error);
    if (!status) status = codes_init(&codes, binned, threads, error);
    double binned_at = clock_seconds();
    fit.job.rules = &rules;
    fit.job.table = table;
    fit.job.codes = &codes;
    fit.job.go_on = go_on;
    fit.job.context = &fit;
    if (!status) status = fit_binned(&fit, threads, error);
    if (!status) {
        *out = fit.forest;
        fit.forest = NULL;
        if (stats)
            *stats = (bramble_forest_stats){binned_at - fit.start, clock_seconds() - fit.start, threads};
    }
    fit_fini(&fit, threads);
    codes_fini(&codes);
    binned_free(binned);
    grow_rules_fini(&rules);
    return status;
}
