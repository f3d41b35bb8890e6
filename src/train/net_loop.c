#include "train/net_loop.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "train/net_score.h"
#include "train/net_settings.h"
#include "train/net_steps.h"

static const double progress_seconds = 0.1;

static uint64_t samples_done(const struct net_loop *loop)
{
    return loop->kept.position.epoch * loop->data->train.n_rows + loop->kept.position.epoch_samples;
}

/* `epoch` counts from 1. False: stop. */
static bool tell(struct net_loop *loop, bramble_net_progress *now, double clock)
{
    const struct net_position *at = &loop->kept.position;
    uint64_t total = (uint64_t)loop->options->epochs * loop->data->train.n_rows, done = samples_done(loop);
    loop->told = clock;
    if (!loop->options->progress) return true;
    now->epochs = loop->options->epochs;
    now->samples_done = done;
    now->samples_total = total;
    now->step = at->steps;
    now->learning_rate = loop->learning_rate;
    now->seconds = clock - loop->start;
    now->samples_per_second = loop->step_seconds > 0 ? (double)loop->samples / loop->step_seconds : 0;
    now->seconds_left = loop->samples ? (double)(total - done) * now->seconds / (double)loop->samples : NAN;
    return loop->options->progress(now, loop->options->progress_context);
}

static bool tell_step(struct net_loop *loop, double clock)
{
    const struct net_position *at = &loop->kept.position;
    bramble_net_progress now = {.epoch = (uint32_t)at->epoch + 1,
                                .loss = NAN,
                                .accuracy = NAN,
                                .validation_loss = NAN,
                                .validation_accuracy = NAN};
    if (now.epoch > loop->options->epochs) now.epoch = loop->options->epochs;
    if (at->epoch_samples) {
        now.loss = at->loss / (double)at->epoch_samples;
        if (loop->classes) now.accuracy = (double)at->correct / (double)at->epoch_samples;
    }
    return tell(loop, &now, clock);
}

static bramble_status write_checkpoint(struct net_loop *loop, bramble_error *error)
{
    if (!loop->keep) return BRAMBLE_OK;
    bramble_status status = loop->keep(loop->context, &loop->kept, error);
    loop->written = clock_seconds();
    return status;
}

/* One step on the next batch. */
static bramble_status step(struct net_loop *loop, const struct net_batch *batch, bramble_error *error)
{
    struct net_position *at = &loop->kept.position;
    loop->learning_rate = schedule_learning_rate(&loop->schedule, at->steps);
    struct step_result result =
        loop->take ? loop->take(loop->context, loop->trainer, batch, loop->learning_rate)
                   : trainer_step_weighted(loop->trainer, batch->x, batch->target, batch->sample_weight,
                                           batch->samples, loop->learning_rate);
    if (result.broken) return BRAMBLE_ERR_CANCELLED;
    if (net_step_failed(&result))
        return net_diverged(loop->model->net, &result, at->steps + 1, loop->learning_rate, error);
    at->steps++;
    at->epoch_samples += batch->samples;
    at->loss += result.loss * (double)batch->samples;
    at->correct += result.correct;
    loop->samples += batch->samples;
    return BRAMBLE_OK;
}

/* Between steps: what is due by the clock. */
static bramble_status look_up(struct net_loop *loop, bramble_error *error)
{
    double clock = clock_seconds();
    if (clock - loop->told >= progress_seconds && !tell_step(loop, clock)) {
        loop->stopped = true;
        return BRAMBLE_OK;
    }
    if (clock - loop->written < loop->options->checkpoint_seconds) return BRAMBLE_OK;
    return write_checkpoint(loop, error);
}

static bramble_status train_epoch(struct net_loop *loop, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    while (!status && !loop->stopped && loop->kept.position.epoch_samples < loop->data->train.n_rows) {
        double begun = clock_seconds();
        struct net_batch batch = net_data_next(loop->data);
        status = step(loop, &batch, error);
        loop->step_seconds += clock_seconds() - begun;
        if (!status) status = look_up(loop, error);
    }
    return status;
}

/* Whether this epoch is better than all before: by accuracy where there are classes, then by loss. */
static bool is_best(const struct net_loop *loop, const struct net_score *score)
{
    const struct net_position *at = &loop->kept.position;
    if (!at->best_epoch) return true;
    if (loop->classes && score->accuracy != at->best_accuracy) return score->accuracy > at->best_accuracy;
    return score->loss < at->best_loss;
}

static bramble_status validate(struct net_loop *loop, struct net_score *score, bool *best,
                               bramble_error *error)
{
    *score = (struct net_score){NAN, NAN};
    *best = false;
    if (!loop->best) return BRAMBLE_OK;
    bramble_status status = loop->score ? loop->score(loop->context, score, error)
                                        : net_score_rows(score, loop->model->net, loop->data,
                                                         loop->options->threads, loop->scoring, error);
    if (status) return status;
    *best = is_best(loop, score);
    if (!*best) return BRAMBLE_OK;
    struct net_position *at = &loop->kept.position;
    memcpy(loop->best, loop->kept.weights, loop->kept.n_weights * sizeof *loop->best);
    at->best_epoch = at->epoch + 1;
    at->best_loss = score->loss;
    at->best_accuracy = score->accuracy;
    return BRAMBLE_OK;
}

static bramble_status end_epoch(struct net_loop *loop, bramble_error *error)
{
    struct net_position *at = &loop->kept.position;
    struct net_score score;
    bool best;
    bramble_status status = validate(loop, &score, &best, error);
    if (status) return status;
    at->last_loss = at->loss / (double)at->epoch_samples;
    at->last_accuracy = loop->classes ? (double)at->correct / (double)at->epoch_samples : NAN;
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
    if (!tell(loop, &now, clock_seconds())) loop->stopped = true;
    return BRAMBLE_OK;
}

bool net_loop_is_done(const struct net_loop *loop)
{
    const struct net_position *at = &loop->kept.position;
    if (at->epoch >= loop->options->epochs) return true;
    return loop->options->patience && at->best_epoch && at->epoch - at->best_epoch >= loop->options->patience;
}

/* Whether so many steps lead to where the position is in its epoch; a training that is done is in none. */
static bool is_between_steps(const struct net_loop *loop)
{
    const struct net_position *at = &loop->kept.position;
    uint64_t rows = loop->data->train.n_rows, batch = net_step_rows(loop->options);
    uint64_t epoch_steps = (rows + batch - 1) / batch;
    bool in_epoch = at->epoch_samples == rows || (at->epoch_samples < rows && at->epoch_samples % batch == 0);
    if (at->epoch > loop->options->epochs || !in_epoch || (net_loop_is_done(loop) && at->epoch_samples))
        return false;
    return at->steps == at->epoch * epoch_steps + (at->epoch_samples + batch - 1) / batch;
}

/* What a checkpoint says must be a place in this training. With validation the first epoch is the best until
 * another is better, so that there is one from then on. */
static bramble_status check_position(const struct net_loop *loop, const char *name, bramble_error *error)
{
    const struct net_position *at = &loop->kept.position;
    bool best =
        loop->best && at->epoch ? at->best_epoch >= 1 && at->best_epoch <= at->epoch : !at->best_epoch;
    if (best && is_between_steps(loop) && at->correct <= at->epoch_samples) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_DATA,
                     "%s: this checkpoint is damaged (it is at no step of this training); remove it to begin "
                     "the training anew",
                     name);
}

bramble_status net_loop_go_on(struct net_loop *loop, const char *name, bramble_error *error)
{
    bramble_status status = check_position(loop, name, error);
    if (!status && loop->trainer) trainer_set_steps(loop->trainer, loop->kept.position.steps);
    return status;
}

bramble_status net_loop_begin(struct net_loop *loop, const struct net_loop_state *state, bramble_error *error)
{
    uint64_t batch = net_step_rows(loop->options);
    loop->start = loop->written = clock_seconds();
    loop->classes = loop->data->encoder.task == BRAMBLE_TASK_CLASSIFICATION;
    loop->schedule = net_schedule(loop->options, (loop->data->train.n_rows + batch - 1) / batch);
    if (loop->data->validation.n_rows && !(loop->best = mem_zalloc(state->n_weights, sizeof *loop->best)))
        return error_memory(error, "the best epoch's weights");
    loop->kept.weights = state->weights;
    loop->kept.n_weights = state->n_weights;
    loop->kept.optimiser = state->optimiser;
    loop->kept.n_optimiser = state->n_optimiser;
    loop->kept.best = loop->best;
    loop->kept.position.last_loss = loop->kept.position.last_accuracy = NAN;
    loop->kept.position.best_loss = loop->kept.position.best_accuracy = NAN;
    return BRAMBLE_OK;
}

bramble_status net_loop_init(struct net_loop *loop, const struct trainer_options *options,
                             bramble_error *error)
{
    struct net_graph *net = loop->model->net;
    bramble_status status = trainer_new(&loop->trainer, net, options, error);
    if (status) return status;
    struct net_loop_state state = {.weights = net->weights, .n_weights = net->n_parameters + net->n_states};
    state.optimiser = trainer_optimiser_state(loop->trainer, &state.n_optimiser);
    if (loop->options->parallel == BRAMBLE_PARALLEL_LOCAL) {
        state.optimiser = loop->speed = mem_zalloc(net->n_parameters, sizeof *loop->speed);
        state.n_optimiser = net->n_parameters;
        if (!loop->speed) return error_memory(error, "training by averages");
    }
    return net_loop_begin(loop, &state, error);
}

void net_loop_fini(struct net_loop *loop)
{
    trainer_free(loop->trainer);
    mem_free(loop->best);
    mem_free(loop->speed);
    *loop = (struct net_loop){0};
}

bramble_status net_loop_run(struct net_loop *loop, bramble_error *error)
{
    const struct net_position *at = &loop->kept.position;
    bool between = at->epoch_samples == loop->data->train.n_rows; /* the epoch's end is still to come */
    uint64_t batch = between ? 0 : at->epoch_samples / net_step_rows(loop->options);
    bramble_status status = net_data_begin(loop->data, at->epoch + between, batch, error);
    if (!status && !tell_step(loop, loop->start)) loop->stopped = true;
    while (!status && !loop->stopped && !net_loop_is_done(loop)) {
        status = train_epoch(loop, error);
        if (!status && !loop->stopped) status = end_epoch(loop, error);
    }
    if (!status && loop->stopped && !net_loop_is_done(loop)) {
        status = write_checkpoint(loop, error);
        return status ? status : error_set(error, BRAMBLE_ERR_CANCELLED, "training was stopped");
    }
    if (!status && loop->best)
        memcpy(loop->kept.weights, loop->best, loop->kept.n_weights * sizeof *loop->best);
    return status;
}

bramble_net_stats net_loop_stats(const struct net_loop *loop)
{
    const struct net_position *at = &loop->kept.position;
    const struct net_data *data = loop->data;
    uint32_t threads = loop->options->threads;
    return (bramble_net_stats){.epochs = (uint32_t)at->epoch,
                               .best_epoch = (uint32_t)(loop->best ? at->best_epoch : at->epoch),
                               .steps = at->steps,
                               .rows = data->train.n_rows,
                               .validation_rows = data->validation.n_rows,
                               .loss = at->last_loss,
                               .accuracy = at->last_accuracy,
                               .validation_loss = at->best_loss,
                               .validation_accuracy = at->best_accuracy,
                               .fit_seconds = clock_seconds() - loop->start,
                               .samples_per_second =
                                   loop->step_seconds > 0 ? (double)loop->samples / loop->step_seconds : 0,
                               .threads = threads ? threads : threads_available(),
                               .trainer_bytes = loop->trainer ? trainer_bytes(loop->trainer) : 0};
}
