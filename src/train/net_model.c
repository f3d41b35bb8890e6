#include "train/net_model.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/onnx_net_read.h"
#include "net/initialise.h"
#include "net/presets.h"
#include "train/net_settings.h"

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text), tail = strlen(ending);
    return length > tail && strcmp(text + length - tail, ending) == 0;
}

static struct net_shape input_shape(const struct encoder *encoder)
{
    if (!encoder->shape[0]) return (struct net_shape){.rank = 1, .dim = {encoder->n_inputs}};
    return (struct net_shape){.rank = 3, .dim = {encoder->shape[0], encoder->shape[1], encoder->shape[2]}};
}

/* The same numbers in the same order: the same shape, or one of the two is a plain list and there is but one
 * channel, so that heights and widths do not come apart. */
static bool shapes_fit(const struct net_shape *net, const struct net_shape *data)
{
    if (shape_equal(net, data)) return true;
    const struct net_shape *image = net->rank == 3 ? net : data, *list = net->rank == 3 ? data : net;
    return image->rank == 3 && image->dim[2] == 1 && list->rank == 1 && shape_size(net) == shape_size(data);
}

static bramble_status check_fit(const struct net_graph *net, const struct encoder *encoder, const char *spec,
                                bramble_error *error)
{
    char wants[64], gives[64];
    const struct net_value *input = &net->values[net->input], *output = &net->values[net->output];
    struct net_shape shape = input_shape(encoder);
    bool images = input->shape.rank == 3 && shape.rank == 3 && input->shape.dim[2] == shape.dim[2];
    if (!shapes_fit(&input->shape, &shape))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: the network takes %s numbers and a row of the data becomes %s%s", spec,
                         shape_text(&input->shape, wants), shape_text(&shape, gives),
                         images ? "; image_size fits folders of images to it" : "");
    if (output->size != encoder->n_outputs)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: the network puts out %zu numbers and the data need %u; change its last layer",
                         spec, output->size, encoder->n_outputs);
    return BRAMBLE_OK;
}

static bramble_status neither(const char *spec, bramble_error *error)
{
    struct str names = {0};
    for (uint32_t i = 0; preset_name(i); i++) str_printf(&names, "%s%s", i ? ", " : "", preset_name(i));
    bramble_status status = error_set(error, BRAMBLE_ERR_USAGE,
                                      "net: \"%.100s\" is neither a preset (%s) nor a file that can be read",
                                      spec, names.data ? names.data : "");
    str_fini(&names);
    return status;
}

/* From a preset or a list of layers; its weights are still to be drawn. */
static bramble_status build_network(struct net_graph **out, const struct encoder *encoder,
                                    const bramble_net_options *options, bramble_error *error)
{
    const struct layer_list_options fit = {.input = input_shape(encoder), .n_outputs = encoder->n_outputs};
    bool preset = preset_text(options->net) != NULL;
    if (!preset && access(options->net, F_OK) != 0) return neither(options->net, error);
    struct net_graph *net = mem_zalloc(1, sizeof *net);
    if (!net) return error_memory(error, "a network");
    bramble_status status = preset ? preset_build(net, options->net, &fit, error)
                                   : layer_list_read(net, options->net, &fit, error);
    if (status) {
        mem_free(net);
        return status;
    }
    *out = net;
    return BRAMBLE_OK;
}

/* Of a model of ours the network behind its encoder; of another's file all of it. */
static bramble_status read_onnx(struct net_graph **out, const bramble_net_options *options,
                                bramble_error *error)
{
    struct bramble_model *model;
    if (model_load(&model, options->net, NULL)) return onnx_net_read(out, NULL, true, options->net, error);
    struct net_graph *net = model->net;
    model->net = NULL;
    model_free(model);
    if (!net) return error_set(error, BRAMBLE_ERR_DATA, "%s: this is a forest; name a network", options->net);
    *out = net;
    return BRAMBLE_OK;
}

static bool is_onnx(const bramble_net_options *options)
{
    return ends_with(options->net, ".onnx") && access(options->net, F_OK) == 0;
}

static bramble_status make_network(struct net_graph **out, const struct encoder *encoder,
                                   const bramble_net_options *options, bramble_error *error)
{
    if (is_onnx(options)) return read_onnx(out, options, error);
    return build_network(out, encoder, options, error);
}

static bramble_status find_places(struct net_place **out, const struct net_graph *net, size_t n,
                                  bramble_error *error)
{
    if (net->values[net->input].size != n) return BRAMBLE_OK;
    struct net_place *places = mem_alloc(n, sizeof *places);
    if (!places) return error_memory(error, "a network's input");
    if (net_places(net, places))
        *out = places;
    else
        mem_free(places);
    return BRAMBLE_OK;
}

bramble_status net_model_places(struct net_place **out, const bramble_net_options *options,
                                const struct bramble_schema *schema, bramble_error *error)
{
    bool classes = schema->task == BRAMBLE_TASK_CLASSIFICATION;
    const struct encoder encoder = {.n_inputs = schema->n_features,
                                    .n_outputs = classes ? schema->n_classes : 1};
    struct net_graph *net;
    *out = NULL;
    if (preset_text(options->net)) return BRAMBLE_OK;
    bramble_status status = make_network(&net, &encoder, options, error);
    if (status) return status == BRAMBLE_ERR_MEMORY ? status : BRAMBLE_OK;
    status = find_places(out, net, schema->n_features, error);
    graph_fini(net);
    mem_free(net);
    return status;
}

static bramble_status check_feature(const struct bramble_table *table, uint32_t f, uint32_t base,
                                    uint32_t rows, const char *spec, bramble_error *error)
{
    const struct feature *feature = &table->schema.features[f];
    for (size_t r = 0; r < table->n_rows; r++) {
        float value = column_value(&table->columns[f], feature->type, r);
        double place = isnan(value) ? 0 : (double)value + base;
        if (place >= 0 && place < rows && place == floor(place)) continue;
        return error_set(
            error, BRAMBLE_ERR_DATA,
            "%s: \"%.80s\" has place %g in row %zu, and the embedding has 0 to %u; make it larger "
            "or correct the data",
            spec, feature->name, place, r + 1, rows - 1);
    }
    return BRAMBLE_OK;
}

/* What is looked up is there. */
static bramble_status check_places(const struct net_graph *net, const struct bramble_table *table,
                                   const struct encoder *encoder, const char *spec, bramble_error *error)
{
    struct net_place *places = NULL;
    bramble_status status = find_places(&places, net, encoder->n_features, error);
    for (uint32_t f = 0; places && !status && f < encoder->n_features; f++)
        if (places[f].table != NET_NONE)
            status = check_feature(table, f, encoder->features[f].base, places[f].rows, spec, error);
    mem_free(places);
    return status;
}

static bramble_status fill(struct bramble_model *model, const struct bramble_table *table,
                           const struct encoder *encoder, const bramble_net_options *options,
                           bramble_error *error)
{
    bramble_status status = schema_copy(&model->schema, &table->schema, error);
    if (!status) status = encoder_copy(&model->encoder, encoder, error);
    if (!status) status = make_network(&model->net, encoder, options, error);
    if (!status) status = check_fit(model->net, encoder, options->net, error);
    if (!status && (!is_onnx(options) || options->from_scratch)) weights_draw(model->net, options->seed);
    if (!status) status = check_places(model->net, table, encoder, options->net, error);
    return status ? status : net_settings_record(model, table, options, error);
}

bramble_status net_model_build(struct bramble_model **out, const struct bramble_table *table,
                               const struct encoder *encoder, const bramble_net_options *options,
                               bramble_error *error)
{
    struct bramble_model *model = mem_zalloc(1, sizeof *model);
    if (!model) return error_memory(error, "the model");
    model->kind = MODEL_NET;
    bramble_status status = fill(model, table, encoder, options, error);
    if (status)
        model_free(model);
    else
        *out = model;
    return status;
}

static bramble_status copy_settings(struct bramble_model *out, const struct bramble_model *model,
                                    bramble_error *error)
{
    out->settings = mem_zalloc(model->n_settings, sizeof *out->settings);
    if (!out->settings) return error_memory(error, "the model's settings");
    for (uint32_t i = 0; i < model->n_settings; i++) {
        struct setting *setting = &out->settings[out->n_settings++];
        setting->key = mem_strdup(model->settings[i].key);
        setting->value = mem_strdup(model->settings[i].value);
        if (!setting->key || !setting->value) return error_memory(error, "the model's settings");
    }
    return BRAMBLE_OK;
}

static bramble_status copy_network(struct bramble_model *out, const struct bramble_model *model,
                                   bramble_error *error)
{
    struct net_graph *net = mem_zalloc(1, sizeof *net);
    if (!net) return error_memory(error, "a network");
    bramble_status status = graph_copy(net, model->net, error);
    if (status)
        mem_free(net);
    else
        out->net = net;
    return status;
}

bramble_status net_model_copy(struct bramble_model **out, const struct bramble_model *model,
                              bramble_error *error)
{
    struct bramble_model *copy = mem_zalloc(1, sizeof *copy);
    if (!copy) return error_memory(error, "the model");
    copy->kind = MODEL_NET;
    bramble_status status = schema_copy(&copy->schema, &model->schema, error);
    if (!status) status = encoder_copy(&copy->encoder, &model->encoder, error);
    if (!status) status = copy_network(copy, model, error);
    if (!status) status = copy_settings(copy, model, error);
    if (status)
        model_free(copy);
    else
        *out = copy;
    return status;
}
