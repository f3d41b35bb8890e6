#include "train/net_fit.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "net/step.h"
#include "train/net_checkpoint.h"
#include "train/net_data.h"
#include "train/net_model.h"
#include "train/net_score.h"
#include "train/net_settings.h"
#include "train/net_steps.h"

static const double progress_seconds = 0.1;

struct fitting {
    const bramble_net_options *options;
    struct bramble_model *model; /* its network is trained in place */
    struct net_data data;
    struct schedule schedule;
    struct trainer *trainer;
    struct net_checkpoint kept; /* position is kept.position; weights and optimiser are borrowed */
    float *best;                /* weights of the best epoch; NULL: there is no validation */
    bool classes, resumed, stopped;
    double start, step_seconds; /* clock at the beginning; time spent in steps and their data */
    uint64_t samples;           /* trained by this call */
    double told, written;       /* clock at the last progress and checkpoint */
    double learning_rate;       /* of the last step */
};

static uint64_t samples_done(const struct fitting *f)
{
    return f->kept.position.epoch * f->data.train.n_rows + f->kept.position.epoch_samples;
}

/* `epoch` counts from 1. False: stop. */
static bool tell(struct fitting *f, bramble_net_progress *now, double clock)
{
    const struct net_position *at = &f->kept.position;
    uint64_t total = (uint64_t)f->options->epochs * f->data.train.n_rows, done = samples_done(f);
    f->told = clock;
    if (!f->options->progress) return true;
    now->epochs = f->options->epochs;
    now->samples_done = done;
    now->samples_total = total;
    now->step = at->steps;
    now->learning_rate = f->learning_rate;
    now->seconds = clock - f->start;
    now->samples_per_second = f->step_seconds > 0 ? (double)f->samples / f->step_seconds : 0;
    now->seconds_left = f->samples ? (double)(total - done) * now->seconds / (double)f->samples : NAN;
    return f->options->progress(now, f->options->progress_context);
}

static bool tell_step(struct fitting *f, double clock)
{
    const struct net_position *at = &f->kept.position;
    bramble_net_progress now = {.epoch = (uint32_t)at->epoch + 1,
                                .loss = NAN,
                                .accuracy = NAN,
                                .validation_loss = NAN,
                                .validation_accuracy = NAN};
    if (now.epoch > f->options->epochs) now.epoch = f->options->epochs;
    if (at->epoch_samples) {
        now.loss = at->loss / (double)at->epoch_samples;
        if (f->classes) now.accuracy = (double)at->correct / (double)at->epoch_samples;
    }
    return tell(f, &now, clock);
}

static bramble_status write_checkpoint(struct fitting *f, bramble_error *error)
{
    if (!f->options->checkpoint) return BRAMBLE_OK;
    bramble_status status = net_checkpoint_write(f->options->checkpoint, &f->kept, error);
    f->written = clock_seconds();
    return status;
}

/* One step on the next batch. */
static bramble_status step(struct fitting *f, const struct net_batch *batch, bramble_error *error)
{
    struct net_position *at = &f->kept.position;
    f->learning_rate = schedule_learning_rate(&f->schedule, at->steps);
    struct step_result result = trainer_step_weighted(f->trainer, batch->x, batch->target,
                                                      batch->sample_weight, batch->samples, f->learning_rate);
    if (net_step_failed(&result))
        return net_diverged(f->model->net, &result, at->steps + 1, f->learning_rate, error);
    at->steps++;
    at->epoch_samples += batch->samples;
    at->loss += result.loss * (double)batch->samples;
    at->correct += result.correct;
    f->samples += batch->samples;
    return BRAMBLE_OK;
}

/* Between steps: what is due by the clock. */
static bramble_status look_up(struct fitting *f, bramble_error *error)
{
    double clock = clock_seconds();
    if (clock - f->told >= progress_seconds && !tell_step(f, clock)) {
        f->stopped = true;
        return BRAMBLE_OK;
    }
    if (clock - f->written < f->options->checkpoint_seconds) return BRAMBLE_OK;
    return write_checkpoint(f, error);
}

static bramble_status train_epoch(struct fitting *f, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    while (!status && !f->stopped && f->kept.position.epoch_samples < f->data.train.n_rows) {
        double begun = clock_seconds();
        struct net_batch batch = net_data_next(&f->data);
        status = step(f, &batch, error);
        f->step_seconds += clock_seconds() - begun;
        if (!status) status = look_up(f, error);
    }
    return status;
}

/* Whether this epoch is better than all before: by accuracy where there are classes, then by loss. */
static bool is_best(const struct fitting *f, const struct net_score *score)
{
    const struct net_position *at = &f->kept.position;
    if (!at->best_epoch) return true;
    if (f->classes && score->accuracy != at->best_accuracy) return score->accuracy > at->best_accuracy;
    return score->loss < at->best_loss;
}

static bramble_status validate(struct fitting *f, struct net_score *score, bool *best, bramble_error *error)
{
    *score = (struct net_score){NAN, NAN};
    *best = false;
    if (!f->best) return BRAMBLE_OK;
    bramble_status status = net_score_rows(score, f->model->net, &f->data, f->options->threads, error);
    if (status) return status;
    *best = is_best(f, score);
    if (!*best) return BRAMBLE_OK;
    struct net_position *at = &f->kept.position;
    memcpy(f->best, f->model->net->weights, f->kept.n_weights * sizeof *f->best);
    at->best_epoch = at->epoch + 1;
    at->best_loss = score->loss;
    at->best_accuracy = score->accuracy;
    return BRAMBLE_OK;
}

static bramble_status end_epoch(struct fitting *f, bramble_error *error)
{
    struct net_position *at = &f->kept.position;
    struct net_score score;
    bool best;
    bramble_status status = validate(f, &score, &best, error);
    if (status) return status;
    at->last_loss = at->loss / (double)at->epoch_samples;
    at->last_accuracy = f->classes ? (double)at->correct / (double)at->epoch_samples : NAN;
    at->epoch++;
    at->epoch_samples = at->correct = 0;
    at->loss = 0;
    bramble_net_progress now = {.epoch = (uint32_t)at->epoch,
                                .loss = at->last_loss,
                                .accuracy = at->last_accuracy,
                                .epoch_done = true,
                                .validation_loss = score.loss,
                                .validation_accuracy = score.accuracy,
                                .best = best};
    if (!tell(f, &now, clock_seconds())) f->stopped = true;
    return BRAMBLE_OK;
}

static bool is_done(const struct fitting *f)
{
    const struct net_position *at = &f->kept.position;
    if (at->epoch >= f->options->epochs) return true;
    return f->options->patience && at->best_epoch && at->epoch - at->best_epoch >= f->options->patience;
}

static bramble_status run_epochs(struct fitting *f, bramble_error *error)
{
    const struct net_position *at = &f->kept.position;
    bool between = at->epoch_samples == f->data.train.n_rows; /* the epoch's end is still to come */
    uint64_t batch = between ? 0 : at->epoch_samples / f->options->batch_size;
    bramble_status status = net_data_begin(&f->data, at->epoch + between, batch, error);
    if (!status && !tell_step(f, f->start)) f->stopped = true;
    while (!status && !f->stopped && !is_done(f)) {
        status = train_epoch(f, error);
        if (!status && !f->stopped) status = end_epoch(f, error);
    }
    if (status || !f->stopped || is_done(f)) return status;
    status = write_checkpoint(f, error);
    return status ? status : error_set(error, BRAMBLE_ERR_CANCELLED, "training was stopped");
}

/* Whether so many steps lead to where the position is in its epoch; a training that is done is in none. */
static bool is_between_steps(const struct fitting *f)
{
    const struct net_position *at = &f->kept.position;
    uint64_t rows = f->data.train.n_rows, batch = f->options->batch_size;
    uint64_t epoch_steps = (rows + batch - 1) / batch;
    bool in_epoch = at->epoch_samples == rows || (at->epoch_samples < rows && at->epoch_samples % batch == 0);
    if (at->epoch > f->options->epochs || !in_epoch || (is_done(f) && at->epoch_samples)) return false;
    return at->steps == at->epoch * epoch_steps + (at->epoch_samples + batch - 1) / batch;
}

/* What a checkpoint says must be a place in this training. With validation the first epoch is the best until
 * another is better, so that there is one from then on. */
static bramble_status check_position(const struct fitting *f, bramble_error *error)
{
    const struct net_position *at = &f->kept.position;
    bool best = f->best && at->epoch ? at->best_epoch >= 1 && at->best_epoch <= at->epoch : !at->best_epoch;
    if (best && is_between_steps(f) && at->correct <= at->epoch_samples) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_DATA,
                     "%s: this checkpoint is damaged (it is at no step of this training); remove it to begin "
                     "the training anew",
                     f->options->checkpoint);
}

static bramble_status go_on(struct fitting *f, bramble_error *error)
{
    f->kept.weights = f->model->net->weights;
    f->kept.n_weights = f->model->net->n_parameters + f->model->net->n_states;
    f->kept.optimiser = trainer_optimiser_state(f->trainer, &f->kept.n_optimiser);
    f->kept.best = f->best;
    f->kept.position.last_loss = f->kept.position.last_accuracy = NAN;
    f->kept.position.best_loss = f->kept.position.best_accuracy = NAN;
    if (!f->options->checkpoint) return BRAMBLE_OK;
    net_checkpoint_sweep(f->options->checkpoint);
    bramble_status status = net_checkpoint_read(f->options->checkpoint, &f->kept, &f->resumed, error);
    if (!status) status = check_position(f, error);
    if (!status) trainer_set_steps(f->trainer, f->kept.position.steps);
    return status;
}

static bramble_status prepare(struct fitting *f, const struct bramble_table *table, bramble_error *error)
{
    bramble_status status = net_data_open(&f->data, table, f->options, error);
    if (!status) status = net_model_build(&f->model, table, &f->data.encoder, f->options, error);
    if (!status) status = net_fingerprint(f->model, f->kept.fingerprint, error);
    if (status) return status;
    f->classes = table->schema.task == BRAMBLE_TASK_CLASSIFICATION;
    uint64_t batch = f->options->batch_size;
    f->schedule = net_schedule(f->options, (f->data.train.n_rows + batch - 1) / batch);
    size_t n_weights = f->model->net->n_parameters + f->model->net->n_states;
    if (f->data.validation.n_rows && !(f->best = mem_zalloc(n_weights, sizeof *f->best)))
        return error_memory(error, "the best epoch's weights");
    struct trainer_options options = net_trainer_options(f->options, &f->data.loss);
    status = trainer_new(&f->trainer, f->model->net, &options, error);
    return status ? status : go_on(f, error);
}

static void finish(struct fitting *f, bramble_net_stats *stats)
{
    const struct net_position *at = &f->kept.position;
    if (f->best) memcpy(f->model->net->weights, f->best, f->kept.n_weights * sizeof *f->best);
    *stats = (bramble_net_stats){.epochs = (uint32_t)at->epoch,
                                 .best_epoch = (uint32_t)(f->best ? at->best_epoch : at->epoch),
                                 .steps = at->steps,
                                 .rows = f->data.train.n_rows,
                                 .validation_rows = f->data.validation.n_rows,
                                 .loss = at->last_loss,
                                 .accuracy = at->last_accuracy,
                                 .validation_loss = at->best_loss,
                                 .validation_accuracy = at->best_accuracy,
                                 .fit_seconds = clock_seconds() - f->start,
                                 .samples_per_second =
                                     f->step_seconds > 0 ? (double)f->samples / f->step_seconds : 0,
                                 .threads = f->options->threads ? f->options->threads : threads_available(),
                                 .trainer_bytes = trainer_bytes(f->trainer),
                                 .file_bytes = rows_file_bytes(&f->data.rows),
                                 .resumed = f->resumed};
}

bramble_status net_fit(struct bramble_model **out, const struct bramble_table *table,
                       const bramble_net_options *options, bramble_net_stats *stats, bramble_error *error)
{
    double now = clock_seconds();
    struct fitting f = {.options = options, .start = now, .written = now};
    bramble_status status = net_options_check(options, error);
    if (!status) status = prepare(&f, table, error);
    if (!status) status = run_epochs(&f, error);
    if (!status) {
        finish(&f, stats);
        *out = f.model;
        f.model = NULL;
    }
    trainer_free(f.trainer);
    net_data_fini(&f.data);
    mem_free(f.best);
    model_free(f.model);
    return status;
}
