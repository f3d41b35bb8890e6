#include "train/tree_farm.h"

#include "base/error.h"
#include "base/mem.h"
#include "data/binned_file.h"
#include "forest/forest_grower.h"
#include "forest/tree_bytes.h"
#include "train/forest_job.h"

/* A node that grows trees. */
struct farm {
    struct binned_file *data;
    struct forest_grower *grower;
};

static void farm_close(void *context)
{
    struct farm *farm = context;
    if (!farm) return;
    forest_grower_free(farm->grower);
    binned_file_free(farm->data);
    mem_free(farm);
}

static bramble_status farm_open(void **context, const char *text, const char *data_path, uint32_t threads,
                                bramble_error *error)
{
    if (!data_path) return error_set(error, BRAMBLE_ERR_USAGE, "the job has no data to grow trees from");
    struct forest_job job;
    bramble_status status = forest_job_read(&job, text, error);
    if (status) return status;
    struct farm *farm = mem_zalloc(1, sizeof *farm);
    status = farm ? binned_file_read(&farm->data, data_path, error) : error_memory(error, "growing trees");
    if (!status && !binned_is_whole(&farm->data->binned))
        status = error_set(error, BRAMBLE_ERR_USAGE,
                           "%s: holds some features only; a tree farm's nodes need all of them", data_path);
    if (!status) status = forest_grower_new(&farm->grower, &farm->data->table, &job.options, threads, error);
    if (!status) status = forest_grower_prepare(farm->grower, &farm->data->binned, error);
    forest_job_fini(&job);
    if (!status)
        *context = farm;
    else
        farm_close(farm);
    return status;
}

static bramble_status farm_run(void *context, uint32_t thread, uint32_t task, bool (*go_on)(void *),
                               void *go_on_context, void **result, size_t *length, bramble_error *error)
{
    struct farm *farm = context;
    uint32_t n_features = farm->data->binned.n_features;
    if (task >= forest_grower_n_trees(farm->grower))
        return error_set(error, BRAMBLE_ERR_USAGE, "tree %u is beyond the forest's %u", task,
                         forest_grower_n_trees(farm->grower));
    uint64_t *importances = mem_zalloc(n_features, sizeof *importances);
    if (!importances) return error_memory(error, "growing trees");
    struct tree tree;
    bramble_status status =
        forest_grower_tree(farm->grower, thread, task, go_on, go_on_context, &tree, importances, error);
    if (!status) {
        status = tree_encode(&tree, importances, n_features, result, length, error);
        tree_fini(&tree);
    }
    mem_free(importances);
    return status;
}

const struct program tree_farm = {"tree_farm", farm_open, farm_run, farm_close};

bramble_status tree_farm_job(const bramble_forest_options *options, char **text, bramble_error *error)
{
    return forest_job_write(options, text, error);
}
