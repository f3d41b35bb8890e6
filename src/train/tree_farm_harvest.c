#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "forest/forest_grower.h"
#include "forest/tree_bytes.h"
#include "train/tree_farm.h"

struct tree_farm_harvest {
    struct forest_grower *grower; /* grows nothing: it knows the rules and puts the forest together */
    uint32_t n_features, n_classes, n_trees;
    struct tree *trees;    /* T; no nodes where one is missing */
    uint64_t *importances; /* F */
};

bramble_status tree_farm_harvest_new(struct tree_farm_harvest **out, const struct bramble_table *table,
                                     const bramble_forest_options *options, bramble_error *error)
{
    uint32_t threads = options->threads ? options->threads : threads_available();
    struct tree_farm_harvest *harvest = mem_zalloc(1, sizeof *harvest);
    if (!harvest) return error_memory(error, "the forest");
    bramble_status status =
        forest_grower_new(&harvest->grower, table, options, threads < 1024 ? threads : 1024, error);
    if (!status) {
        harvest->n_features = table->schema.n_features;
        harvest->n_classes = table->schema.n_classes;
        harvest->n_trees = forest_grower_n_trees(harvest->grower);
        harvest->trees = mem_zalloc(harvest->n_trees, sizeof *harvest->trees);
        harvest->importances = mem_zalloc(harvest->n_features, sizeof *harvest->importances);
        if (!harvest->trees || !harvest->importances) status = error_memory(error, "the forest");
    }
    if (!status)
        *out = harvest;
    else
        tree_farm_harvest_free(harvest);
    return status;
}

void tree_farm_harvest_free(struct tree_farm_harvest *harvest)
{
    if (!harvest) return;
    for (uint32_t t = 0; harvest->trees && t < harvest->n_trees; t++) tree_fini(&harvest->trees[t]);
    mem_free(harvest->trees);
    mem_free(harvest->importances);
    forest_grower_free(harvest->grower);
    mem_free(harvest);
}

bramble_status tree_farm_harvest_add(void *context, uint32_t task, const void *bytes, uint32_t length,
                                     bramble_error *error)
{
    struct tree_farm_harvest *harvest = context;
    if (task >= harvest->n_trees)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "a result is for tree %u of %u: it belongs to another run; start this one afresh",
                         task, harvest->n_trees);
    if (harvest->trees[task].nodes) return BRAMBLE_OK;
    return tree_decode(bytes, length, harvest->n_features, harvest->n_classes, &harvest->trees[task],
                       harvest->importances, error);
}

bramble_status tree_farm_harvest_finish(struct tree_farm_harvest *harvest, bool (*go_on)(void *context),
                                        void *context, struct forest **out, bramble_error *error)
{
    uint32_t n_missing = 0, first = 0;
    for (uint32_t t = harvest->n_trees; t-- > 0;)
        if (!harvest->trees[t].nodes) {
            n_missing++;
            first = t;
        }
    if (n_missing)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%u of %u trees are missing, tree %u first; resume the run to grow them", n_missing,
                         harvest->n_trees, first);
    bramble_status status = forest_grower_finish(harvest->grower, harvest->trees, harvest->importances, go_on,
                                                 context, out, error);
    if (!status) harvest->trees = NULL;
    return status;
}
