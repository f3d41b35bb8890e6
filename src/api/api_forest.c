#include <bramble/bramble.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/engine_handle.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/number.h"
#include "forest/forest.h"
#include "model/model.h"
#include "train/cluster_forest.h"

enum { MAX_SETTINGS = 24 };

const char *bramble_version(void)
{
    return BRAMBLE_VERSION;
}

static void set(struct bramble_model *model, bool *failed, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void set(struct bramble_model *model, bool *failed, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct str value = {0};
    str_vprintf(&value, format, args);
    va_end(args);
    struct setting *setting = &model->settings[model->n_settings++];
    setting->key = mem_strdup(key);
    setting->value = str_take(&value);
    *failed |= !setting->key || !setting->value;
}

static const char *criterion_name(const bramble_forest_options *o, bramble_task task)
{
    if (task == BRAMBLE_TASK_REGRESSION) return "squared_error";
    return o->criterion == BRAMBLE_CRITERION_ENTROPY ? "entropy" : "gini";
}

static const char *max_features_name(const bramble_forest_options *o, bramble_task task)
{
    if (o->max_features) return o->max_features;
    return task == BRAMBLE_TASK_REGRESSION ? "all" : "sqrt";
}

static void set_number(struct bramble_model *model, bool *failed, const char *key, double value)
{
    char text[32];
    number_print(value, text);
    set(model, failed, key, "%s", text);
}

/* What anyone needs to make the same forest again. */
static bool record_settings(struct bramble_model *model, const struct bramble_table *table,
                            const bramble_forest_options *o)
{
    bool failed = false, random = o->splitter == BRAMBLE_SPLITTER_RANDOM;
    bool bootstrap = o->bootstrap < 0 ? !random : o->bootstrap > 0;
    model->settings = mem_zalloc(MAX_SETTINGS, sizeof *model->settings);
    if (!model->settings) return false;
    set(model, &failed, "bramble.version", "%s", BRAMBLE_VERSION);
    set(model, &failed, "seed", "%" PRIu64, o->seed);
    set(model, &failed, "trees", "%" PRIu32, o->trees);
    set(model, &failed, "criterion", "%s", criterion_name(o, table->schema.task));
    set(model, &failed, "splitter", "%s", random ? "random" : "best");
    set(model, &failed, "max_depth", "%" PRIu32, o->max_depth);
    set_number(model, &failed, "min_samples_split", o->min_samples_split);
    set_number(model, &failed, "min_samples_leaf", o->min_samples_leaf);
    set(model, &failed, "max_features", "%s", max_features_name(o, table->schema.task));
    set(model, &failed, "max_leaf_nodes", "%" PRIu32, o->max_leaf_nodes);
    set_number(model, &failed, "min_impurity_decrease", o->min_impurity_decrease);
    set(model, &failed, "bootstrap", "%s", bootstrap ? "true" : "false");
    set_number(model, &failed, "max_samples", o->max_samples);
    set(model, &failed, "class_weight", "%s", o->class_weight ? o->class_weight : "");
    set(model, &failed, "data.rows", "%zu", table->n_rows);
    set(model, &failed, "data.checksum", "%016" PRIx64, table_checksum(table));
    return !failed;
}

static bramble_status fit(struct forest **out, const struct bramble_table *table,
                          const bramble_forest_options *options, bramble_forest_stats *stats,
                          bramble_error *error)
{
    if (!options->engine) return forest_fit(out, table, options, stats, error);
    struct engine_watch progress = {options, clock_seconds()};
    struct cluster_watch watch = {engine_watch_status, &progress};
    return cluster_forest_fit(out, options->engine->engine, options->engine->folder, table, options, &watch,
                              stats, error);
}

bramble_status bramble_forest_train(bramble_model **out, const bramble_table *train,
                                    const bramble_forest_options *options, bramble_forest_stats *stats,
                                    bramble_error *error)
{
    bramble_forest_options defaults = BRAMBLE_FOREST_OPTIONS_INIT;
    if (!options) options = &defaults;
    struct bramble_model *model = mem_zalloc(1, sizeof *model);
    if (!model) return error_memory(error, "the model");
    bramble_status status = schema_copy(&model->schema, &train->schema, error);
    bramble_forest_stats cost = {0};
    if (!status) status = fit(&model->forest, train, options, &cost, error);
    if (!status && !record_settings(model, train, options))
        status = error_memory(error, "the model's settings");
    if (status) {
        model_free(model);
        return status;
    }
    *out = model;
    if (stats) *stats = cost;
    return BRAMBLE_OK;
}
