#include "train/cluster_forest.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "cluster/blob.h"
#include "data/binned_file.h"
#include "train/tree_farm.h"

/* One training, as far as it got. */
struct training {
    const struct bramble_table *table;
    const bramble_forest_options *options;
    const char *folder;
    uint32_t threads;
    struct binned *binned;
    struct job job;
    double start, binned_at;
};

static char *path_in(const char *folder, const char *name)
{
    struct str path = {0};
    str_printf(&path, "%s/%s", folder, name);
    return str_take(&path);
}

/* Writes what nodes need to grow trees into this machine's cache: its own worker finds it there, the others get it. */
static bramble_status store_data(struct training *t, bramble_error *error)
{
    bramble_status status = binned_new(&t->binned, t->table, t->threads, error);
    char *path = path_in(t->folder, "data");
    if (!path && !status) status = error_memory(error, "a file's name");
    if (!status) status = binned_file_write(path, t->table, t->binned, error);
    if (!status) status = blob_hash_file(path, t->job.hash, &t->job.data_bytes, error);
    if (!status) status = blob_adopt(path, t->job.hash, &t->job.data, error);
    mem_free(path);
    t->binned_at = clock_seconds();
    return status;
}

/* Results belong to these data, options and this version, and are good for no others. */
static bramble_status describe_job(struct training *t, bramble_error *error)
{
    struct str key = {0};
    bramble_status status = tree_farm_job(t->options, &t->job.text, error);
    if (status) return status;
    str_printf(&key, "%s %s %s %s", BRAMBLE_VERSION, tree_farm.name, t->job.hash, t->job.text);
    t->job.key = str_take(&key);
    t->job.program = mem_strdup(tree_farm.name);
    t->job.journal = path_in(t->folder, "journal");
    t->job.n_tasks = t->options->trees;
    return t->job.key && t->job.program && t->job.journal ? BRAMBLE_OK : error_memory(error, "a job");
}

static bramble_status run(struct training *t, struct forest **out, struct engine *engine,
                          bool (*status)(void *context, const struct engine_status *status), void *context,
                          bramble_error *error)
{
    bramble_status result = store_data(t, error);
    if (!result) result = describe_job(t, error);
    if (!result) result = engine_run(engine, &t->job, status, context, error);
    if (!result)
        result = tree_farm_collect(out, t->job.journal, t->job.key, t->table, t->binned, t->options, t->threads,
                                   error);
    return result;
}

bramble_status cluster_forest_fit(struct forest **out, struct engine *engine, const char *folder,
                                  const struct bramble_table *table, const bramble_forest_options *options,
                                  bool (*status)(void *context, const struct engine_status *status), void *context,
                                  bramble_forest_stats *stats, bramble_error *error)
{
    struct training t = {.table = table, .options = options, .folder = folder, .start = clock_seconds()};
    t.threads = options->threads ? options->threads : threads_available();
    bramble_status result = run(&t, out, engine, status, context, error);
    if (!result && stats)
        *stats = (bramble_forest_stats){t.binned_at - t.start, clock_seconds() - t.start, engine_threads(engine)};
    job_fini(&t.job);
    binned_free(t.binned);
    return result;
}
