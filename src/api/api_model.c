/* What bramble/model.h offers, but for evaluation. */
#include <bramble/model.h>

#include <math.h>

#include "api/prediction.h"
#include "base/error.h"
#include "base/mem.h"
#include "model/tree_print.h"
#include "net/figures.h"

bramble_status bramble_model_load(bramble_model **out, const char *path, bramble_error *error)
{
    return model_load(out, path, error);
}

bramble_status bramble_model_save(const bramble_model *model, const char *path, bramble_error *error)
{
    return model_save(model, path, error);
}

void bramble_model_free(bramble_model *model)
{
    model_free(model);
}

bool bramble_model_layer(const bramble_model *model, uint32_t i, bramble_layer *out)
{
    if (!model->net || i >= model->net->n_nodes) return false;
    const struct net_graph *net = model->net;
    struct layer_figures figures = figures_of_layer(net, i);
    const struct net_shape *shape = &net->values[net->nodes[i].outputs[0]].shape;
    *out = (bramble_layer){.name = figures.name,
                           .op = figures.op,
                           .rank = shape->rank,
                           .shape = shape->dim,
                           .n_parameters = figures.parameters,
                           .n_macs = figures.macs,
                           .row_bytes = figures.activation_bytes};
    return true;
}

static void network_info(const bramble_model *model, bramble_model_info *info)
{
    struct net_figures figures = figures_of_net(model->net);
    *info = (bramble_model_info){.kind = "network",
                                 .task = model->schema.task,
                                 .n_features = model->schema.n_features,
                                 .n_classes = model->schema.n_classes,
                                 .n_layers = figures.layers,
                                 .n_parameters = figures.parameters,
                                 .n_macs = figures.macs,
                                 .weight_bytes = figures.weight_bytes,
                                 .row_bytes = figures.activation_bytes,
                                 .oob_score = NAN};
    graph_hash(model->net, info->hash);
}

void bramble_model_info_get(const bramble_model *model, bramble_model_info *info)
{
    const struct forest *forest = model->forest;
    if (!forest) {
        network_info(model, info);
        return;
    }
    *info = (bramble_model_info){.kind = "forest",
                                 .task = forest->task,
                                 .n_features = forest->n_features,
                                 .n_classes = forest->n_classes,
                                 .n_trees = forest->n_trees,
                                 .oob_score = forest->oob_score};
    for (uint32_t t = 0; t < forest->n_trees; t++) {
        const struct tree *tree = &forest->trees[t];
        if (tree->depth > info->max_depth) info->max_depth = tree->depth;
        info->n_nodes += tree->n_nodes;
        info->n_leaves += tree->n_nodes / 2 + 1; /* every inner node has two children */
    }
    forest_hash(forest, info->hash);
}

const bramble_schema *bramble_model_schema(const bramble_model *model)
{
    return &model->schema;
}

bool bramble_model_setting(const bramble_model *model, uint32_t i, const char **key, const char **value)
{
    if (i >= model->n_settings) return false;
    *key = model->settings[i].key;
    *value = model->settings[i].value;
    return true;
}

const double *bramble_model_importances(const bramble_model *model)
{
    return model->forest ? model->forest->importances : NULL;
}

static bramble_status predict_table(const bramble_model *model, const bramble_table *table, uint32_t threads,
                                    const struct prediction_outputs *out, bramble_error *error)
{
    bramble_status status = prediction_check_table(model, table, error);
    if (status) return status;
    struct prediction_rows rows = {.table = table, .n_rows = table->n_rows};
    return prediction_run(model, &rows, threads, out, error);
}

static bramble_status no_classes(bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_USAGE,
                     "the model predicts numbers, which have no probabilities; ask for predictions instead");
}

bramble_status bramble_model_predict(const bramble_model *model, const bramble_table *table, uint32_t threads,
                                     double *out, bramble_error *error)
{
    return predict_table(model, table, threads, &(struct prediction_outputs){.values = out}, error);
}

bramble_status bramble_model_predict_proba(const bramble_model *model, const bramble_table *table,
                                           uint32_t threads, float *out, bramble_error *error)
{
    if (!model->schema.n_classes) return no_classes(error);
    return predict_table(model, table, threads, &(struct prediction_outputs){.proba = out}, error);
}

bramble_status bramble_model_predict_rows(const bramble_model *model, const float *x, size_t n_rows,
                                          uint32_t threads, double *out, bramble_error *error)
{
    struct prediction_rows rows = {.x = x, .n_rows = n_rows};
    return prediction_run(model, &rows, threads, &(struct prediction_outputs){.values = out}, error);
}

bramble_status bramble_model_predict_proba_rows(const bramble_model *model, const float *x, size_t n_rows,
                                                uint32_t threads, float *out, bramble_error *error)
{
    if (!model->schema.n_classes) return no_classes(error);
    struct prediction_rows rows = {.x = x, .n_rows = n_rows};
    return prediction_run(model, &rows, threads, &(struct prediction_outputs){.proba = out}, error);
}

bramble_status bramble_model_tree_print(const bramble_model *model, uint32_t tree, bramble_tree_format format,
                                        char **out, bramble_error *error)
{
    if (!model->forest)
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "the model is a network, which has no trees; inspect it without naming one");
    if (tree >= model->forest->n_trees)
        return error_set(error, BRAMBLE_ERR_USAGE, "there is no tree %u: the model's are numbered 0 to %u",
                         tree, model->forest->n_trees - 1);
    return tree_print(out, model, tree, format, error);
}

void bramble_string_free(char *string)
{
    mem_free(string);
}
