#include "train/sharded_farm.h"

#include "base/error.h"
#include "base/mem.h"
#include "data/binned_file.h"
#include "forest/tree_bytes.h"
#include "train/forest_job.h"
#include "train/sharded_forest.h"

/* A node with its shard. */
struct farm {
    struct forest_job job;
    struct binned_file *shard;
};

static void farm_close(void *context)
{
    struct farm *farm = context;
    forest_job_fini(&farm->job);
    binned_file_free(farm->shard);
    mem_free(farm);
}

static bramble_status farm_open(void **context, const char *text, const char *data_path, uint32_t threads,
                                bramble_error *error)
{
    (void)threads;
    if (!data_path) return error_set(error, BRAMBLE_ERR_USAGE, "the job has no data to grow trees from");
    struct farm *farm = mem_zalloc(1, sizeof *farm);
    if (!farm) return error_memory(error, "growing trees");
    bramble_status status = forest_job_read(&farm->job, text, error);
    if (status) {
        mem_free(farm);
        return status;
    }
    status = binned_file_read(&farm->shard, data_path, error);
    if (status)
        farm_close(farm);
    else
        *context = farm;
    return status;
}

/* What codes may take at a member, beside what everybody has. */
static double room_for_codes(uint64_t memory, const struct binned_extent *extent)
{
    return memory > extent->shared_bytes ? (double)(memory - extent->shared_bytes) : 0;
}

/* Feature at which member m begins: shares are as the members' room, and nobody's is empty. */
static uint32_t first_feature(const struct binned_extent *extent, const uint64_t *memory, uint32_t n_members,
                              uint32_t m)
{
    double before = 0, all = 0;
    for (uint32_t i = 0; i < n_members; i++) {
        double room = room_for_codes(memory[i], extent);
        all += room;
        if (i < m) before += room;
    }
    double share = all > 0 ? before / all : (double)m / n_members;
    uint32_t spare = extent->n_features - n_members;
    return m + (uint32_t)(share * spare + 0.5);
}

static bramble_status farm_divide(const char *text, const char *data_path, const uint64_t *memory,
                                  uint32_t *n_members, uint32_t member, const char *out_path,
                                  bramble_error *error)
{
    (void)text;
    struct binned_extent extent;
    bramble_status status = binned_file_measure(data_path, &extent, error);
    if (status) return status;
    if (*n_members > extent.n_features) *n_members = extent.n_features;
    return binned_file_cut(data_path, first_feature(&extent, memory, *n_members, member),
                           first_feature(&extent, memory, *n_members, member + 1), out_path, error);
}

struct growing {
    const struct exchange *exchange;
    const struct together_work *work;
    uint32_t n_features;
};

static bool go_on(void *context)
{
    const struct growing *growing = context;
    return growing->work->go_on(growing->work->context);
}

static bramble_status take_tree(void *context, uint32_t number, const struct tree *tree,
                                const uint64_t *importances, bramble_error *error)
{
    const struct growing *growing = context;
    void *bytes;
    size_t length;
    if (growing->exchange->rank != 0) return BRAMBLE_OK;
    bramble_status status = tree_encode(tree, importances, growing->n_features, &bytes, &length, error);
    return status ? status : growing->work->done(growing->work->context, number, bytes, length, error);
}

static bramble_status farm_run(void *context, const struct exchange *exchange,
                               const struct together_work *work, bramble_error *error)
{
    const struct farm *farm = context;
    struct growing growing = {exchange, work, farm->shard->binned.n_features};
    struct sharded_job job = {.exchange = exchange,
                              .shard = farm->shard,
                              .options = &farm->job.options,
                              .trees = work->tasks,
                              .n_trees = work->n_tasks,
                              .threads = work->threads,
                              .go_on = go_on,
                              .done = take_tree,
                              .context = &growing};
    return sharded_forest_grow(&job, error);
}

const struct program sharded_farm = {.name = "sharded_forest",
                                     .open = farm_open,
                                     .close = farm_close,
                                     .divide = farm_divide,
                                     .run_together = farm_run};
