#include "train/cluster_forest.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/threads.h"
#include "cluster/blob.h"
#include "cluster/journal.h"
#include "data/binned_file.h"
#include "train/sharded_farm.h"
#include "train/tree_farm.h"

/* One training, as far as it got. */
struct training {
    const struct bramble_table *table;
    const bramble_forest_options *options;
    const char *folder;
    struct job job;
    double start, binned_at;
};

static char *path_in(const char *folder, const char *name)
{
    struct str path = {0};
    str_printf(&path, "%s/%s", folder, name);
    return str_take(&path);
}

static bramble_status bin_data(struct training *t, bramble_error *error)
{
    struct binned *binned = NULL;
    uint32_t threads = t->options->threads ? t->options->threads : threads_available();
    char *path = path_in(t->folder, "data");
    bramble_status status = path ? BRAMBLE_OK : error_memory(error, "a file's name");
    if (!status) status = binned_new(&binned, t->table, threads, error);
    if (!status) status = binned_file_write(path, t->table, binned, error);
    if (!status) status = blob_hash_file(path, t->job.hash, &t->job.data_bytes, error);
    if (!status) status = blob_adopt(path, t->job.hash, &t->job.data, error);
    binned_free(binned);
    mem_free(path);
    return status;
}

/* Puts what nodes need to grow trees into this machine's cache, unless an earlier run did: its own worker
 * finds it there, the others get it from there. */
static bramble_status store_data(struct training *t, bramble_error *error)
{
    char key[BINNED_KEY_LENGTH + 1];
    bramble_status status = binned_file_key(key, t->table, error);
    if (!status && !blob_recall(key, t->job.hash, &t->job.data_bytes, &t->job.data)) {
        status = bin_data(t, error);
        if (!status) blob_remember(key, t->job.hash, t->job.data_bytes);
    }
    t->binned_at = clock_seconds();
    return status;
}

/* Results belong to these data, options and this version, and are good for no others. They are the same
 * whichever program made them. */
static bramble_status describe_job(struct training *t, bramble_error *error)
{
    struct str key = {0};
    bramble_status status = tree_farm_job(t->options, &t->job.text, error);
    if (status) return status;
    str_printf(&key, "%s forest %s %s", BRAMBLE_VERSION, t->job.hash, t->job.text);
    t->job.key = str_take(&key);
    t->job.journal = path_in(t->folder, "journal");
    t->job.n_tasks = t->options->trees;
    return t->job.key && t->job.journal ? BRAMBLE_OK : error_memory(error, "a job");
}

static bramble_status run_program(struct training *t, const struct program *program, struct engine *engine,
                                  const struct cluster_watch *watch, bramble_error *error)
{
    mem_free(t->job.program);
    t->job.program = mem_strdup(program->name);
    if (!t->job.program) return error_memory(error, "a job");
    return engine_run(engine, &t->job, watch->status, watch->context, error);
}

/* Each node grows trees from all of the data; when they are too large for every one of them, from a part
 * each, together. */
static bramble_status grow(struct training *t, struct engine *engine, const struct cluster_watch *watch,
                           bramble_error *error)
{
    bramble_status status = run_program(t, &tree_farm, engine, watch, error);
    if (status != BRAMBLE_ERR_MEMORY) return status;
    return run_program(t, &sharded_farm, engine, watch, error);
}

/* The harvest comes first: it checks the options, and no node should hear of ones that make no sense. */
static bramble_status run(struct training *t, struct forest **out, struct engine *engine,
                          const struct cluster_watch *watch, bramble_error *error)
{
    struct tree_farm_harvest *harvest = NULL;
    bramble_status status = tree_farm_harvest_new(&harvest, t->table, t->options, error);
    if (!status) status = store_data(t, error);
    if (!status) status = describe_job(t, error);
    if (!status) status = grow(t, engine, watch, error);
    if (!status) status = journal_read(t->job.journal, t->job.key, tree_farm_harvest_add, harvest, error);
    if (!status) status = tree_farm_harvest_finish(harvest, NULL, NULL, out, error);
    tree_farm_harvest_free(harvest);
    return status;
}

bramble_status cluster_forest_fit(struct forest **out, struct engine *engine, const char *folder,
                                  const struct bramble_table *table, const bramble_forest_options *options,
                                  const struct cluster_watch *watch, bramble_forest_stats *stats,
                                  bramble_error *error)
{
    struct training t = {.table = table, .options = options, .folder = folder, .start = clock_seconds()};
    bramble_status status = run(&t, out, engine, watch, error);
    if (!status && stats)
        *stats =
            (bramble_forest_stats){t.binned_at - t.start, clock_seconds() - t.start, engine_threads(engine)};
    job_fini(&t.job);
    return status;
}
