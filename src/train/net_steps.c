#include "train/net_steps.h"

#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/operator.h"
#include "train/net_data.h"
#include "train/net_model.h"
#include "train/net_settings.h"

struct trainer_options net_trainer_options(const bramble_net_options *o, const struct loss_options *loss)
{
    struct optimiser_options optimiser = OPTIMISER_OPTIONS_INIT;
    static const enum optimiser_kind kinds[] = {[BRAMBLE_OPTIMISER_SGD] = OPTIMISER_SGD,
                                                [BRAMBLE_OPTIMISER_ADAM] = OPTIMISER_ADAM,
                                                [BRAMBLE_OPTIMISER_ADAMW] = OPTIMISER_ADAMW,
                                                [BRAMBLE_OPTIMISER_RMSPROP] = OPTIMISER_RMSPROP};
    optimiser.kind = kinds[o->optimiser];
    optimiser.momentum = net_momentum(o);
    optimiser.nesterov = o->nesterov;
    optimiser.weight_decay = o->weight_decay;
    optimiser.clip_norm = o->clip_norm;
    uint32_t most = o->batch_size + (o->parallel == BRAMBLE_PARALLEL_LOCAL ? o->batch_size / 2 + 1 : 0);
    return (struct trainer_options){
        .batch_size = most, .threads = o->threads, .seed = o->seed, .loss = *loss, .optimiser = optimiser};
}

bool net_step_failed(const struct step_result *result)
{
    return result->bad_node != NET_NONE || !isfinite(result->loss) || !isfinite(result->gradient_norm);
}

static bramble_status make_room(struct net_steps *steps, bramble_error *error)
{
    const struct encoder *encoder = &steps->model->encoder;
    steps->x = mem_alloc_aligned(steps->batch_size, encoder->n_inputs * sizeof *steps->x);
    steps->hot = mem_alloc(steps->batch_size, encoder->n_outputs * sizeof *steps->hot);
    steps->targets = mem_alloc(steps->batch_size, NET_TARGET_BYTES);
    steps->weights = mem_alloc(steps->batch_size, sizeof *steps->weights);
    bool all = steps->x && steps->hot && steps->targets && steps->weights;
    return all ? BRAMBLE_OK : error_memory(error, "a batch");
}

static bramble_status build(struct net_steps *steps, const struct bramble_table *table,
                            const bramble_net_options *options, bramble_error *error)
{
    struct encoder encoder = {0};
    bramble_status status = net_encoder(&encoder, table, NULL, options, error);
    if (!status) status = net_model_build(&steps->model, table, &encoder, options, error);
    encoder_fini(&encoder);
    return status;
}

bramble_status net_steps_init(struct net_steps *steps, const struct bramble_table *table,
                              const bramble_net_options *options, bramble_error *error)
{
    *steps = (struct net_steps){.batch_size = options->batch_size};
    if (!table->classes && !table->values)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "the table has no target, which says what is to be learned");
    bramble_status status = net_options_check(options, error);
    if (!status) status = net_loss_of(&steps->loss, options, table->schema.task, error);
    if (!status) status = build(steps, table, options, error);
    if (!status) status = make_room(steps, error);
    if (status) return status;
    struct trainer_options training = net_trainer_options(options, &steps->loss);
    return trainer_new(&steps->trainer, steps->model->net, &training, error);
}

void net_steps_fini(struct net_steps *steps)
{
    trainer_free(steps->trainer);
    model_free(steps->model);
    mem_free(steps->x);
    mem_free(steps->hot);
    mem_free(steps->targets);
    mem_free(steps->weights);
    *steps = (struct net_steps){0};
}

static bramble_status encode_target(struct net_steps *steps, size_t row, double y, bramble_error *error)
{
    const struct encoder *encoder = &steps->model->encoder;
    if (encoder->task == BRAMBLE_TASK_REGRESSION) {
        if (!isfinite(y)) return error_set(error, BRAMBLE_ERR_DATA, "row %zu: its target is no number", row);
        ((float *)steps->targets)[row] = (float)((y - encoder->target_mean) / encoder->target_deviation);
        return BRAMBLE_OK;
    }
    if (!(y >= 0 && y < encoder->n_outputs) || y != floor(y))
        return error_set(error, BRAMBLE_ERR_DATA, "row %zu: %g is no class; they are numbered 0 to %" PRIu32,
                         row, y, encoder->n_outputs - 1);
    ((uint32_t *)steps->targets)[row] = (uint32_t)y;
    return BRAMBLE_OK;
}

static bramble_status encode(struct net_steps *steps, const float *x, const double *y, size_t n_rows,
                             bramble_error *error)
{
    const struct encoder *encoder = &steps->model->encoder;
    for (size_t r = 0; r < n_rows; r++) {
        bramble_status status = encode_target(steps, r, y[r], error);
        if (status) return status;
        for (uint32_t f = 0; f < encoder->n_features; f++)
            encoder_encode_value(encoder, f, x[r * encoder->n_features + f],
                                 steps->x + r * encoder->n_inputs);
    }
    return BRAMBLE_OK;
}

/* Divided by the greatest, weights that are all the same are 1, and the step is as without any. */
static bramble_status encode_weights(struct net_steps *steps, const double *weight, size_t n_rows,
                                     bramble_error *error)
{
    double greatest = 0;
    for (size_t r = 0; r < n_rows; r++) {
        if (!(weight[r] >= 0 && isfinite(weight[r])))
            return error_set(error, BRAMBLE_ERR_DATA,
                             "row %zu: %g is no weight; weights are finite and at least 0", r, weight[r]);
        if (weight[r] > greatest) greatest = weight[r];
    }
    for (size_t r = 0; r < n_rows; r++) steps->weights[r] = greatest > 0 ? (float)(weight[r] / greatest) : 0;
    return BRAMBLE_OK;
}

bramble_status net_diverged(const struct net_graph *net, const struct step_result *result, uint64_t step,
                            double learning_rate, bramble_error *error)
{
    const struct net_node *node = result->bad_node < net->n_nodes ? &net->nodes[result->bad_node] : NULL;
    const char *what = isfinite(result->loss) ? "gradient" : "loss";
    if (node)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "the training diverged at step %" PRIu64
                         ": layer \"%.80s\" (%s) puts out numbers that "
                         "are not finite; take a smaller learning rate than %g, warm up, or set clip_norm",
                         step, node->name, node->op->name, learning_rate);
    return error_set(error, BRAMBLE_ERR_DATA,
                     "the training diverged at step %" PRIu64
                     ": the %s is not finite; take a smaller learning "
                     "rate than %g, warm up, or set clip_norm",
                     step, what, learning_rate);
}

bramble_status net_steps_take(struct net_steps *steps, const float *x, const double *y, const double *weight,
                              size_t n_rows, double learning_rate, bramble_step *out, bramble_error *error)
{
    const struct encoder *encoder = &steps->model->encoder;
    if (n_rows < 1 || n_rows > steps->batch_size)
        return error_set(error, BRAMBLE_ERR_USAGE, "a step takes 1 to %" PRIu32 " rows, and not %zu",
                         steps->batch_size, n_rows);
    if (!(learning_rate >= 0 && learning_rate <= 1e9))
        return error_set(error, BRAMBLE_ERR_USAGE, "learning_rate: %g is out of range", learning_rate);
    bramble_status status = encode(steps, x, y, n_rows, error);
    if (!status && weight) status = encode_weights(steps, weight, n_rows, error);
    if (status) return status;
    const void *target = net_targets(&steps->loss, encoder, steps->targets, n_rows, steps->hot);
    struct step_result result = trainer_step_weighted(steps->trainer, steps->x, target,
                                                      weight ? steps->weights : NULL, n_rows, learning_rate);
    uint64_t step = trainer_steps(steps->trainer);
    if (net_step_failed(&result))
        return net_diverged(steps->model->net, &result, step + 1, learning_rate, error);
    *out = (bramble_step){
        .step = step, .loss = result.loss, .gradient_norm = result.gradient_norm, .accuracy = NAN};
    if (encoder->task == BRAMBLE_TASK_CLASSIFICATION) out->accuracy = (double)result.correct / (double)n_rows;
    return BRAMBLE_OK;
}
