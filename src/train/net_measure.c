#include "train/net_measure.h"

#include <math.h>

#include "base/clock.h"
#include "base/error.h"
#include "net/buckets.h"
#include "net/fold.h"
#include "net/step.h"
#include "train/net_data.h"
#include "train/net_model.h"
#include "train/net_settings.h"
#include "train/net_steps.h"

#define LARGE_SECONDS 1.2 /* are spent on whole batches, ... */
#define SMALL_SECONDS 0.4 /* ... and on small ones */
#define LEARNING_RATE 1e-6
#define LOCAL_STEPS 64 /* net.h's, when the options give none */
#define TOGETHER 1.25  /* a ring's member beside itself alone (decision 19) */

enum { LEAST_STEPS = 2, PARTS = 3, SMALL = 8 /* times smaller */ };

struct measuring {
    const bramble_net_options *options;
    struct net_data data;
    struct bramble_model *model;
    struct trainer *trainer;
};

/* --- what is exchanged --- */

/* Gradients of parameters are worked out when all else is done, or, between phases, along the way. */
static double ready_at(const struct plan *plan, double share)
{
    double first = plan->gathers ? 1.0 / 3 : 2.0 / 3;
    return first + (1 - first) * share;
}

static void put_buckets(struct plan_net *net, const struct plan *plan, const struct buckets *buckets)
{
    double parts = 0;
    for (uint32_t b = 0; b < buckets->n; b++) {
        uint32_t at = net->n_buckets < PLAN_BUCKETS_MOST ? net->n_buckets++ : PLAN_BUCKETS_MOST - 1;
        parts += buckets->n_parts[b];
        net->buckets[at].numbers += (double)buckets->list[b].n;
        net->buckets[at].ready = ready_at(plan, fmin(parts / plan->n_parts, 1));
    }
}

static bramble_status describe(struct plan_net *net, const struct net_graph *graph, uint32_t batch,
                               bramble_error *error)
{
    struct plan plan;
    struct buckets buckets;
    bramble_status status = plan_init(&plan, graph, true, batch, error);
    if (status) return status;
    status = buckets_init(&buckets, &plan, error);
    if (!status) {
        net->by_pieces = !plan.gathers;
        net->gathers = plan.n_phases > 1 ? plan.n_phases - 1 : 1;
        net->weights = (double)(graph->n_parameters + graph->n_states);
        put_buckets(net, &plan, &buckets);
        buckets_fini(&buckets);
    }
    plan_fini(&plan);
    return status;
}

/* --- memory --- */

static bramble_status bytes_of(double *out, const struct measuring *m, uint32_t batch, bramble_error *error)
{
    struct trainer_options options = net_trainer_options(m->options, &m->data.loss);
    struct trainer *trainer;
    options.batch_size = batch;
    options.together = true;
    bramble_status status = trainer_new(&trainer, m->model->net, &options, error);
    if (status) return status;
    *out = (double)trainer_bytes(trainer);
    trainer_free(trainer);
    return BRAMBLE_OK;
}

/* By a straight line through a batch and half of one. */
static bramble_status measure_memory(struct plan_net *net, const struct measuring *m, bramble_error *error)
{
    double whole = 0, half = 0, weights = 2 * net->weights * sizeof(float);
    uint32_t few = (net->batch + 1) / 2;
    bramble_status status = bytes_of(&whole, m, net->batch, error);
    if (!status) status = bytes_of(&half, m, few, error);
    if (status) return status;
    net->sample_bytes = net->batch > few ? fmax((whole - half) / (net->batch - few), 0) : 0;
    net->fixed_bytes = weights + fmax(whole - net->batch * net->sample_bytes, 0);
    net->data_bytes = (double)m->data.rows.n_rows * (double)m->data.rows.row_bytes;
    return BRAMBLE_OK;
}

/* --- time --- */

static void take(const struct measuring *m, const struct net_batch *batch, uint32_t samples)
{
    trainer_step_weighted(m->trainer, batch->x, batch->target, batch->sample_weight, samples, LEARNING_RATE);
}

/* Seconds that a batch takes, its data too; *spread is how far parts of the time are from each other. */
static double measure_batches(struct measuring *m, double *spread)
{
    double fastest = INFINITY, slowest = 0, all = 0, n = 0;
    for (unsigned part = 0; part < PARTS; part++) {
        double begun = clock_seconds(), seconds = 0, samples = 0;
        for (unsigned i = 0; i < LEAST_STEPS || seconds < LARGE_SECONDS / PARTS; i++) {
            struct net_batch batch = net_data_next(&m->data);
            take(m, &batch, batch.n);
            samples += batch.n;
            seconds = clock_seconds() - begun;
        }
        double each = seconds / samples;
        fastest = fmin(fastest, each);
        slowest = fmax(slowest, each);
        all += seconds;
        n += samples;
    }
    *spread = fmin((slowest - fastest) / 2 / fastest, 0.9);
    return all / n * m->options->batch_size;
}

static double measure_small(struct measuring *m, uint32_t samples)
{
    struct net_batch batch = net_data_next(&m->data);
    double begun = clock_seconds(), seconds = 0;
    unsigned steps = 0;
    if (samples > batch.n) samples = batch.n;
    for (; steps < LEAST_STEPS || seconds < SMALL_SECONDS; steps++) {
        take(m, &batch, samples);
        seconds = clock_seconds() - begun;
    }
    return seconds / steps;
}

/* t = sample_seconds (samples + overhead). */
static void measure_time(struct net_measured *out, struct measuring *m)
{
    double batch = m->options->batch_size, few = floor(batch / SMALL);
    struct net_batch first = net_data_next(&m->data);
    take(m, &first, first.n); /* touches its memory */
    double large = measure_batches(m, &out->spread), sample = large / batch;
    if (few >= MICROBATCH) {
        double small = measure_small(m, (uint32_t)few);
        double slope = (large - small) / (batch - few);
        if (slope > 0 && slope < sample) {
            sample = slope;
            out->net.overhead = large / slope - batch;
        }
    }
    out->sample_seconds = sample;
}

static bramble_status prepare(struct measuring *m, const struct bramble_table *table, bramble_error *error)
{
    bramble_status status = net_options_check(m->options, error);
    if (!status) status = net_data_open(&m->data, table, m->options, error);
    if (!status) status = net_model_build(&m->model, table, &m->data.encoder, m->options, error);
    if (status) return status;
    const struct trainer_options training = net_trainer_options(m->options, &m->data.loss);
    status = trainer_new(&m->trainer, m->model->net, &training, error);
    return status ? status : net_data_begin(&m->data, 0, 0, error);
}

bramble_status net_measure(struct net_measured *out, const struct bramble_table *table,
                           const bramble_net_options *options, bramble_error *error)
{
    struct measuring m = {.options = options};
    struct net_measured measured = {.net.batch = options->batch_size};
    measured.net.together = TOGETHER;
    measured.net.local_steps = options->local_steps ? options->local_steps : LOCAL_STEPS;
    bramble_status status = prepare(&m, table, error);
    if (!status) status = describe(&measured.net, m.model->net, options->batch_size, error);
    if (!status) status = measure_memory(&measured.net, &m, error);
    if (!status) {
        measure_time(&measured, &m);
        measured.net.samples = (double)m.data.rows.n_rows * options->epochs;
        measured.parameters = m.model->net->n_parameters;
        *out = measured;
    }
    trainer_free(m.trainer);
    net_data_fini(&m.data);
    model_free(m.model);
    return status;
}
