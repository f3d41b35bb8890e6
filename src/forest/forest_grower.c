#include "forest/forest_grower.h"

#include <math.h>
#include <stdatomic.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "forest/grow.h"
#include "forest/out_of_bag.h"
#include "forest/sample.h"

/* One thread's part. */
struct worker {
    struct grow_job job;
    struct grower *grower; /* made by the thread at its first tree */
    bool (*go_on)(void *context);
    void *context;
    bool refused; /* go_on said false */
};

struct forest_grower {
    const struct bramble_table *table;
    struct grow_rules rules;
    const struct gini_kernels *kernels;
    struct binned *own; /* bins made here */
    struct codes codes;
    uint32_t threads;
    struct worker *workers;
    struct out_of_bag *oob; /* NULL when not asked for */
    bool *heard;            /* T: the tree has had its say on the rows it did not draw */
};

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

static bramble_status allocate(struct forest_grower *grower, bool oob_score, bramble_error *error)
{
    grower->workers = mem_zalloc(grower->threads, sizeof *grower->workers);
    if (!grower->workers) return error_memory(error, "growing trees");
    if (!oob_score || !grower->table->columns) return BRAMBLE_OK;
    grower->oob = out_of_bag_new(&grower->rules, grower->table);
    grower->heard = mem_zalloc(grower->rules.n_trees, sizeof *grower->heard);
    return grower->oob && grower->heard ? BRAMBLE_OK : error_memory(error, "the out-of-bag score");
}

bramble_status forest_grower_new(struct forest_grower **out, const struct bramble_table *table,
                                 const bramble_forest_options *options, uint32_t threads,
                                 bramble_error *error)
{
    struct forest_grower *grower = mem_zalloc(1, sizeof *grower);
    if (!grower) return error_memory(error, "growing trees");
    grower->table = table;
    grower->threads = threads;
    bramble_status status = pick_kernels(&grower->kernels, options->cpu, error);
    if (!status) status = grow_rules_init(&grower->rules, table, options, error);
    if (!status) status = allocate(grower, options->oob_score, error);
    if (!status)
        *out = grower;
    else
        forest_grower_free(grower);
    return status;
}

void forest_grower_free(struct forest_grower *grower)
{
    if (!grower) return;
    for (uint32_t t = 0; grower->workers && t < grower->threads; t++) grower_free(grower->workers[t].grower);
    mem_free(grower->workers);
    mem_free(grower->heard);
    out_of_bag_free(grower->oob);
    codes_fini(&grower->codes);
    binned_free(grower->own);
    grow_rules_fini(&grower->rules);
    mem_free(grower);
}

uint32_t forest_grower_n_trees(const struct forest_grower *grower)
{
    return grower->rules.n_trees;
}

/* For a tree in the middle of growing. */
static bool ask(void *context)
{
    struct worker *worker = context;
    worker->refused = !worker->go_on(worker->context);
    return !worker->refused;
}

bramble_status forest_grower_prepare(struct forest_grower *grower, const struct binned *binned,
                                     bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    if (!binned) status = binned_new(&grower->own, grower->table, grower->threads, error);
    if (!status) status = codes_init(&grower->codes, binned ? binned : grower->own, grower->threads, error);
    for (uint32_t t = 0; !status && t < grower->threads; t++)
        grower->workers[t].job = (struct grow_job){.rules = &grower->rules,
                                                   .table = grower->table,
                                                   .codes = &grower->codes,
                                                   .kernels = grower->kernels,
                                                   .go_on = ask,
                                                   .context = &grower->workers[t]};
    return status;
}

bramble_status forest_grower_tree(struct forest_grower *grower, uint32_t thread, uint32_t number,
                                  bool (*go_on)(void *context), void *context, struct tree *tree,
                                  uint64_t *importances, bramble_error *error)
{
    struct worker *worker = &grower->workers[thread];
    worker->go_on = go_on;
    worker->context = context;
    worker->refused = false;
    if (!worker->grower) worker->grower = grower_new(&worker->job);
    if (!worker->grower) return error_memory(error, "growing trees");
    if (!grow_tree(worker->grower, number, tree, importances))
        return worker->refused ? error_set(error, BRAMBLE_ERR_CANCELLED, "training was stopped")
                               : error_memory(error, "growing trees");
    if (grower->oob && !grower->heard[number]) {
        out_of_bag_add(grower->oob, tree, grower_counts(worker->grower));
        grower->heard[number] = true;
    }
    return BRAMBLE_OK;
}

/* Trees that were grown elsewhere having their say. */
struct hearing {
    struct forest_grower *grower;
    const struct tree *trees;
    bool (*go_on)(void *context);
    void *context;
    atomic_int stop; /* a bramble_status */
};

static void hear_tree(void *context, uint32_t thread, uint64_t tree)
{
    (void)thread;
    struct hearing *hearing = context;
    struct forest_grower *grower = hearing->grower;
    if (grower->heard[tree] || atomic_load(&hearing->stop)) return;
    if (hearing->go_on && !hearing->go_on(hearing->context)) {
        atomic_store(&hearing->stop, BRAMBLE_ERR_CANCELLED);
        return;
    }
    uint16_t *counts = mem_alloc(grower->table->n_rows, sizeof *counts);
    if (!counts) {
        atomic_store(&hearing->stop, BRAMBLE_ERR_MEMORY);
        return;
    }
    sample_counts(&grower->rules, grower->table->n_rows, (uint32_t)tree, counts);
    out_of_bag_add(grower->oob, &hearing->trees[tree], counts);
    grower->heard[tree] = true;
    mem_free(counts);
}

static bramble_status hear_others(struct forest_grower *grower, const struct tree *trees,
                                  bool (*go_on)(void *context), void *context, bramble_error *error)
{
    struct hearing hearing = {.grower = grower, .trees = trees, .go_on = go_on, .context = context};
    threads_run(grower->threads, grower->rules.n_trees, hear_tree, &hearing);
    switch (atomic_load(&hearing.stop)) {
    case BRAMBLE_OK: return BRAMBLE_OK;
    case BRAMBLE_ERR_CANCELLED: return error_set(error, BRAMBLE_ERR_CANCELLED, "training was stopped");
    default: return error_memory(error, "the out-of-bag score");
    }
}

static struct forest *forest_new(const struct forest_grower *grower)
{
    struct forest *forest = mem_zalloc(1, sizeof *forest);
    if (!forest) return NULL;
    forest->task = grower->table->schema.task;
    forest->n_features = grower->table->schema.n_features;
    forest->n_classes = grower->rules.n_classes;
    forest->n_trees = grower->rules.n_trees;
    forest->oob_score = NAN;
    forest->importances = mem_zalloc(forest->n_features, sizeof *forest->importances);
    if (forest->importances) return forest;
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

bramble_status forest_grower_finish(struct forest_grower *grower, struct tree *trees,
                                    const uint64_t *importances, bool (*go_on)(void *context), void *context,
                                    struct forest **out, bramble_error *error)
{
    if (grower->oob) {
        bramble_status status = hear_others(grower, trees, go_on, context, error);
        if (status) return status;
    }
    struct forest *forest = forest_new(grower);
    if (!forest) return error_memory(error, "the forest");
    set_importances(forest, importances);
    if (grower->oob) forest->oob_score = out_of_bag_score(grower->oob);
    forest->trees = trees;
    *out = forest;
    return BRAMBLE_OK;
}
