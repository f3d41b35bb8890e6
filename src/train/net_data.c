#include "train/net_data.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "train/net_model.h"
#include "train/net_rows.h"
#include "train/net_settings.h"

enum { CROP_PADDING = 4, CUTOUT = 8 };

bramble_status net_loss_of(struct loss_options *out, const bramble_net_options *o, bramble_task task,
                           bramble_error *error)
{
    bool classes = task == BRAMBLE_TASK_CLASSIFICATION;
    bool for_classes = o->loss == BRAMBLE_LOSS_CROSS_ENTROPY || o->loss == BRAMBLE_LOSS_BINARY_CROSS_ENTROPY;
    if (o->loss != BRAMBLE_LOSS_AUTO && for_classes != classes)
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "loss: the target is %s; take %s, or leave the choice to bramble",
                         classes ? "a class" : "a number",
                         classes ? "cross_entropy or binary_cross_entropy" : "mean_squared_error or huber");
    *out = (struct loss_options){.kind = classes ? LOSS_CROSS_ENTROPY : LOSS_MEAN_SQUARED_ERROR,
                                 .label_smoothing = classes ? o->label_smoothing : 0,
                                 .delta = o->huber_delta};
    if (o->loss == BRAMBLE_LOSS_BINARY_CROSS_ENTROPY) out->kind = LOSS_BINARY_CROSS_ENTROPY;
    if (o->loss == BRAMBLE_LOSS_HUBER) out->kind = LOSS_HUBER;
    return BRAMBLE_OK;
}

static bramble_status read_augment(struct augment_options *out, const char *text, bramble_error *error)
{
    *out = (struct augment_options){0};
    for (const char *word = text ? text : ""; *word;) {
        size_t length = strcspn(word, ",");
        if (length == 4 && strncmp(word, "crop", 4) == 0)
            out->crop_padding = CROP_PADDING;
        else if (length == 4 && strncmp(word, "flip", 4) == 0)
            out->flip = true;
        else if (length == 6 && strncmp(word, "cutout", 6) == 0)
            out->cutout = CUTOUT;
        else if (!(length == 4 && strncmp(word, "none", 4) == 0))
            return error_set(error, BRAMBLE_ERR_USAGE,
                             "augment: \"%.*s\" is none of crop, flip and cutout; put commas between several",
                             length < 40 ? (int)length : 40, word);
        word += length + (word[length] == ',');
    }
    return BRAMBLE_OK;
}

static bool weighs_nothing(const struct rows *rows)
{
    bool nothing = rows->n_rows && rows->weights;
    for (size_t i = 0; nothing && i < rows->n_rows; i++) nothing = rows->weights[i] == 0;
    return nothing;
}

static bramble_status weights_check(const struct net_data *data, bramble_error *error)
{
    if (weighs_nothing(&data->train))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "all rows that were drawn to train on weigh 0; use another seed, or more rows");
    if (weighs_nothing(&data->validation))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "all validation rows weigh 0; use another seed, or set more rows aside");
    return BRAMBLE_OK;
}

static bramble_status encoder_for_places(struct encoder *out, const struct bramble_table *table,
                                         const struct encoder_rows *rows, const struct net_place *places,
                                         bramble_error *error)
{
    _Static_assert(NET_NONE == ENCODER_NO_TABLE, "one word for none");
    uint32_t n = table->schema.n_features, *tables = mem_alloc(n, sizeof *tables);
    if (!tables) return error_memory(error, "how rows become a network's input");
    for (uint32_t f = 0; f < n; f++) tables[f] = places[f].table;
    bramble_status status = encoder_init_places(out, table, rows, tables, error);
    mem_free(tables);
    return status;
}

bramble_status net_encoder(struct encoder *out, const struct bramble_table *table,
                           const struct encoder_rows *rows, const bramble_net_options *options,
                           bramble_error *error)
{
    struct net_place *places;
    bramble_status status = net_model_places(&places, options, &table->schema, error);
    if (status) return status;
    status =
        places ? encoder_for_places(out, table, rows, places, error) : encoder_init(out, table, rows, error);
    mem_free(places);
    if (!status) out->one_vs_rest = options->loss == BRAMBLE_LOSS_BINARY_CROSS_ENTROPY;
    return status;
}

/* How to encode is learned from the rows that are trained on: those set aside to judge decide nothing. */
static bramble_status learn_rows(struct net_data *data, const struct bramble_table *table,
                                 const struct net_rows *drawn, const bramble_net_options *options,
                                 bramble_error *error)
{
    struct encoder_rows learned = {drawn->train, drawn->n_train};
    bramble_status status = net_encoder(&data->encoder, table, &learned, options, error);
    if (status) return status;
    size_t n = (size_t)drawn->n_train + drawn->n_validation;
    status = rows_init_listed(&data->rows, table, &data->encoder, drawn->train, n, error);
    if (status) return status;
    data->train = rows_part(&data->rows, 0, drawn->n_train);
    data->validation = rows_part(&data->rows, drawn->n_train, drawn->n_validation);
    return weights_check(data, error);
}

static bramble_status draw_rows(struct net_data *data, const struct bramble_table *table,
                                const bramble_net_options *o, bramble_error *error)
{
    struct net_rows drawn;
    bramble_status status =
        net_rows_draw(&drawn, table->n_rows, o->max_samples, o->validation, o->seed, error);
    if (status) return status;
    status = learn_rows(data, table, &drawn, o, error);
    net_rows_fini(&drawn);
    return status;
}

static bramble_status check_table(const struct bramble_table *table, bramble_error *error)
{
    if (!table->classes && !table->values)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "the table has no target to learn; name the column that holds it");
    return BRAMBLE_OK;
}

static bramble_status begin(struct net_data *data, const bramble_net_options *o, bramble_task task,
                            bramble_error *error)
{
    *data = (struct net_data){.batching = BATCHES_OPTIONS_INIT};
    data->batching.batch_size = net_step_rows(o);
    data->batching.seed = o->seed;
    bramble_status status = net_loss_of(&data->loss, o, task, error);
    return status ? status : read_augment(&data->batching.augment, o->augment, error);
}

static bramble_status make_room(struct net_data *data, const bramble_net_options *o, bramble_error *error)
{
    size_t n_hot = data->loss.kind == LOSS_BINARY_CROSS_ENTROPY ? data->encoder.n_outputs : 0;
    data->hot = mem_alloc(net_step_rows(o), sizeof *data->hot * (n_hot ? n_hot : 1));
    return data->hot ? BRAMBLE_OK : error_memory(error, "a batch");
}

bramble_status net_data_open(struct net_data *data, const struct bramble_table *table,
                             const bramble_net_options *o, bramble_error *error)
{
    *data = (struct net_data){0};
    bramble_status status = check_table(table, error);
    if (!status) status = begin(data, o, table->schema.task, error);
    if (!status) status = draw_rows(data, table, o, error);
    return status ? status : make_room(data, o, error);
}

bramble_status net_data_share(struct net_data *data, const struct rows_file *file,
                              const bramble_net_options *o, bramble_error *error)
{
    bramble_status status = begin(data, o, file->encoder.task, error);
    if (!status) status = encoder_copy(&data->encoder, &file->encoder, error);
    if (status) return status;
    size_t n = file->rows.n_rows - file->n_validation;
    data->train = rows_part(&file->rows, 0, n);
    data->validation = rows_part(&file->rows, n, file->n_validation);
    return make_room(data, o, error);
}

void net_data_fini(struct net_data *data)
{
    batches_free(data->batches);
    rows_fini(&data->rows);
    encoder_fini(&data->encoder);
    mem_free(data->hot);
    *data = (struct net_data){0};
}

bramble_status net_data_begin(struct net_data *data, uint64_t epoch, uint64_t batch, bramble_error *error)
{
    batches_free(data->batches);
    data->batches = NULL;
    return batches_new(&data->batches, &data->encoder, &data->train, &data->batching,
                       (struct batches_state){epoch, batch}, error);
}

const void *net_targets(const struct loss_options *loss, const struct encoder *encoder, const void *targets,
                        size_t n, float *hot)
{
    if (loss->kind != LOSS_BINARY_CROSS_ENTROPY) return targets;
    const uint32_t *classes = targets;
    memset(hot, 0, n * encoder->n_outputs * sizeof *hot);
    for (size_t i = 0; i < n; i++) hot[i * encoder->n_outputs + classes[i]] = 1;
    return hot;
}

struct net_batch net_data_next(struct net_data *data)
{
    const struct batch *batch = batches_next(data->batches);
    return (struct net_batch){
        .x = batch->x,
        .target = net_targets(&data->loss, &data->encoder, batch->targets, batch->n, data->hot),
        .sample_weight = batch->weights,
        .all_weights = batch->all_weights,
        .samples = batch->samples,
        .n = batch->n};
}
