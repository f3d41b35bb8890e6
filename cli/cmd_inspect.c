/* bramble inspect: what is in a model. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "common.h"
#include "figures.h"
#include "importance.h"
#include "report/readable.h"

enum { NO_TREE = UINT32_MAX, IMPORTANCES_SHOWN = 20 };

struct inspect_values {
    const char *model;
    uint32_t tree;
    bool dot, hash, json;
};

static void print_schema(const bramble_schema *schema)
{
    char types[128];
    count_types(schema, types, sizeof types);
    printf("input       %s: %s\n",
           readable_items(bramble_schema_n_features(schema), "feature", "features").text, types);
    const char *target = bramble_schema_target_name(schema);
    printf("predicts    %s", target ? readable_name(target, 40).text : "the target");
    uint32_t n_classes = bramble_schema_n_classes(schema);
    if (n_classes) printf(", %s classes:", readable_count(n_classes).text);
    for (uint32_t c = 0; c < n_classes && c < 10; c++)
        printf("%s%s", c ? ", " : " ", readable_name(bramble_schema_class_name(schema, c), 24).text);
    printf("%s\n", n_classes > 10 ? ", ..." : "");
}

static void print_setting(const char *key, const char *value)
{
    printf("  %-24s ", readable_name(key, 40).text);
    readable_write(stdout, *value ? value : "-", false);
    printf("\n");
}

static void print_size(const bramble_model_info *info)
{
    if (info->n_layers) {
        printf("size        %s (%s), %s multiply-adds a row\n",
               readable_items(info->n_parameters, "parameter", "parameters").text,
               readable_bytes((double)info->weight_bytes).text, readable_count(info->n_macs).text);
        return;
    }
    printf("size        %s nodes, %s of them leaves; deepest tree %" PRIu32 "\n",
           readable_count(info->n_nodes).text, readable_count(info->n_leaves).text, info->max_depth);
    if (!isnan(info->oob_score)) printf("out of bag  %.4f\n", info->oob_score);
}

/* "28 x 28 x 32" */
static void shape_text(const bramble_layer *layer, char *buffer, size_t size)
{
    size_t used = (size_t)snprintf(buffer, size, "%s", layer->rank ? "" : "1");
    for (uint32_t d = 0; d < layer->rank && used < size; d++)
        used += (size_t)snprintf(buffer + used, size - used, "%s%" PRIu32, d ? " x " : "", layer->shape[d]);
}

static void print_layers(const bramble_model *model)
{
    bramble_layer layer;
    char shape[80];
    if (!bramble_model_layer(model, 0, &layer)) return;
    printf("layers\n  %-24s %-20s %-16s %12s %14s %10s\n", "name", "operator", "output", "parameters",
           "multiply-adds", "memory");
    for (uint32_t i = 0; bramble_model_layer(model, i, &layer); i++) {
        shape_text(&layer, shape, sizeof shape);
        printf("  %-24s %-20s %-16s %12s %14s %10s\n", readable_name(layer.name, 24).text,
               readable_name(layer.op, 20).text, shape, readable_count(layer.n_parameters).text,
               readable_count(layer.n_macs).text, readable_bytes((double)layer.row_bytes).text);
    }
}

static void print_text(const bramble_model *model)
{
    bramble_model_info info;
    bramble_model_info_get(model, &info);
    printf("%-12s%s, %s\n", info.kind, task_name(info.task),
           info.n_layers ? readable_items(info.n_layers, "layer", "layers").text
                         : readable_items(info.n_trees, "tree", "trees").text);
    print_schema(bramble_model_schema(model));
    print_size(&info);
    print_layers(model);
    printf("hash        %s\nsettings\n", info.hash);
    const char *key, *value;
    for (uint32_t i = 0; bramble_model_setting(model, i, &key, &value); i++) print_setting(key, value);
    if (bramble_model_importances(model)) importance_print(model, IMPORTANCES_SHOWN, "importances");
}

static bramble_status put_tree(struct json_out *out, const bramble_model *model,
                               const struct inspect_values *v, bramble_error *error)
{
    if (v->tree == NO_TREE) return BRAMBLE_OK;
    char *text;
    bramble_status status =
        bramble_model_tree_print(model, v->tree, v->dot ? BRAMBLE_TREE_DOT : BRAMBLE_TREE_TEXT, &text, error);
    if (status) return status;
    json_out_count(out, "tree", v->tree);
    json_out_text(out, "tree_text", text);
    bramble_string_free(text);
    return BRAMBLE_OK;
}

static void put_settings(struct json_out *out, const bramble_model *model)
{
    json_t *settings = json_object();
    const char *key, *value;
    for (uint32_t i = 0; bramble_model_setting(model, i, &key, &value); i++) {
        json_t *name = json_from_text(key);
        if (json_object_set_new(settings, json_string_value(name), json_from_text(value)) != 0)
            out->failed = true;
        json_decref(name);
    }
    json_out_put(out, "settings", settings);
}

static void put_features(struct json_out *out, const bramble_model *model)
{
    const bramble_schema *schema = bramble_model_schema(model);
    const double *importances = bramble_model_importances(model);
    json_t *features = json_array();
    for (uint32_t f = 0; f < bramble_schema_n_features(schema); f++) {
        struct json_out feature;
        json_out_init(&feature);
        json_out_text(&feature, "name", bramble_schema_feature_name(schema, f));
        json_out_text(&feature, "type", feature_type_name(bramble_schema_feature_type(schema, f)));
        if (importances) json_out_number(&feature, "importance", importances[f]);
        if (feature.failed || json_array_append(features, feature.root) != 0) out->failed = true;
        json_decref(feature.root);
    }
    json_out_put(out, "features", features);
}

static void put_layers(struct json_out *out, const bramble_model *model)
{
    json_t *layers = json_array();
    bramble_layer layer;
    for (uint32_t i = 0; bramble_model_layer(model, i, &layer); i++) {
        struct json_out one;
        json_t *shape = json_array();
        json_out_init(&one);
        for (uint32_t d = 0; d < layer.rank; d++)
            if (json_array_append_new(shape, json_integer(layer.shape[d])) != 0) out->failed = true;
        json_out_text(&one, "name", layer.name);
        json_out_text(&one, "operator", layer.op);
        json_out_put(&one, "shape", shape);
        json_out_count(&one, "parameters", layer.n_parameters);
        json_out_count(&one, "macs", layer.n_macs);
        json_out_count(&one, "row_bytes", layer.row_bytes);
        if (one.failed || json_array_append(layers, one.root) != 0) out->failed = true;
        json_decref(one.root);
    }
    json_out_put(out, "layers", layers);
}

static void put_size(struct json_out *out, const bramble_model *model, const bramble_model_info *info)
{
    if (info->n_layers) {
        json_out_count(out, "parameters", info->n_parameters);
        json_out_count(out, "macs", info->n_macs);
        json_out_count(out, "weight_bytes", info->weight_bytes);
        json_out_count(out, "row_bytes", info->row_bytes);
        put_layers(out, model);
        return;
    }
    json_out_count(out, "trees", info->n_trees);
    json_out_count(out, "nodes", info->n_nodes);
    json_out_count(out, "leaves", info->n_leaves);
    json_out_count(out, "max_depth", info->max_depth);
    json_out_number(out, "oob_score", info->oob_score);
}

static bramble_status print_json(const bramble_model *model, const struct inspect_values *v,
                                 bramble_error *error)
{
    bramble_model_info info;
    bramble_model_info_get(model, &info);
    const char *target = bramble_schema_target_name(bramble_model_schema(model));
    struct json_out out;
    json_out_init(&out);
    json_out_text(&out, "kind", info.kind);
    json_out_text(&out, "task", task_name(info.task));
    json_out_text(&out, "target", target ? target : "");
    put_size(&out, model, &info);
    json_out_text(&out, "model_hash", info.hash);
    put_settings(&out, model);
    put_features(&out, model);
    figures_put_classes(&out, bramble_model_schema(model));
    bramble_status status = put_tree(&out, model, v, error);
    if (!status) return json_out_end(&out, error);
    json_decref(out.root);
    return status;
}

static bramble_status print_tree(const bramble_model *model, const struct inspect_values *v,
                                 bramble_error *error)
{
    char *text;
    bramble_status status =
        bramble_model_tree_print(model, v->tree, v->dot ? BRAMBLE_TREE_DOT : BRAMBLE_TREE_TEXT, &text, error);
    if (status) return status;
    readable_write(stdout, text, true);
    bramble_string_free(text);
    return BRAMBLE_OK;
}

static bramble_status print_hash(const bramble_model *model)
{
    bramble_model_info info;
    bramble_model_info_get(model, &info);
    puts(info.hash);
    return BRAMBLE_OK;
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct inspect_values *v = values;
    if (v->dot && v->tree == NO_TREE)
        return error_set(error, BRAMBLE_ERR_USAGE, "--dot draws one tree; say which with --tree N");
    if (v->hash && (v->json || v->tree != NO_TREE))
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "--hash prints the hash alone; use it without --json and --tree");
    bramble_model *model;
    bramble_status status = bramble_model_load(&model, v->model, error);
    if (status) return status;
    if (v->json)
        status = print_json(model, v, error);
    else if (v->hash)
        status = print_hash(model);
    else if (v->tree != NO_TREE)
        status = print_tree(model, v, error);
    else
        print_text(model);
    bramble_model_free(model);
    return status;
}

static const char *const paragraphs[] = {
    "Shows what a model is: its task, its input and classes, its size, the settings and data it was made "
    "with. Of a forest also how much each feature contributed (impurity-based importances, which sum to 1); "
    "of a network its layers: what each puts out, its parameters, multiply-adds and memory for one row.",
    "The hash is one of the trees or weights alone: two forests with the same hash are the same, whatever "
    "made them.",
    NULL,
};

static const struct argument arguments[] = {
    {.name = "MODEL", .help = "a model that bramble train made", .offset = FIELD(inspect_values, model)},
    {.name = NULL},
};

static const struct option options[] = {
    {.name = "tree",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = FIELD(inspect_values, tree),
     .max = UINT32_MAX - 1,
     .help = "print this tree (from 0) as indented text"},
    {.name = "dot",
     .kind = OPTION_FLAG,
     .offset = FIELD(inspect_values, dot),
     .help = "with --tree: as Graphviz's input instead"},
    {.name = "hash",
     .kind = OPTION_FLAG,
     .offset = FIELD(inspect_values, hash),
     .help = "print the hash of the trees or weights and nothing else"},
    OPTION_JSON_OF(inspect_values),
    {.name = NULL},
};

static const struct json_field fields[] = {
    {"kind", "forest or network"},
    {"task", "classification or regression"},
    {"target", "name of the target's column"},
    {"trees", "number of trees; a forest's, as the next four"},
    {"nodes", "inner nodes and leaves of all trees"},
    {"leaves", "leaves of all trees"},
    {"max_depth", "depth of the deepest tree; a lone leaf has 0"},
    {"oob_score", "out-of-bag accuracy or R2; null when it was not asked for"},
    {"parameters", "numbers that were trained; a network's, as the next four"},
    {"macs", "multiply-adds that predicting a row takes"},
    {"weight_bytes", "memory of all weights"},
    {"row_bytes", "memory of what layers hand on when one row is predicted"},
    {"layers",
     "a list with the name, operator, output's shape, parameters, macs and row_bytes of each layer"},
    {"model_hash", "hash of the trees or weights"},
    {"settings", "seed, parameters, checksum of the data and version it was made with"},
    {"features", "a list with the name, type and, of a forest, importance of each feature"},
    {"classes", "names of the classes"},
    {"tree", "with --tree: its number"},
    {"tree_text", "with --tree: the tree as text, or for Graphviz with --dot"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble inspect model.onnx", "settings, size and importances"},
    {"bramble inspect model.onnx --tree 0 --dot | dot -Tsvg > tree.svg", "a picture of the first tree"},
    {NULL, NULL},
};

const struct command command_inspect = {
    .name = "inspect",
    .summary = "show a model's settings, size, importances, trees or layers",
    .paragraphs = paragraphs,
    .arguments = arguments,
    .options = options,
    .fields = fields,
    .examples = examples,
    .defaults = &(const struct inspect_values){.tree = NO_TREE},
    .values_size = sizeof(struct inspect_values),
    .run = run,
};
