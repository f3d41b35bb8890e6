#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "net/finite.h"
#include "train/average.h"
#include "train/net_steps.h"
#include "train/net_strategy.h"

/* As published for averages that are far apart. */
static const float outer_rate = 0.7f, outer_momentum = 0.9f;

struct local {
    struct average *average;
    float *before; /* weights and states as the round began with them */
};

/* What a member's batches of a round came to, as all are told. */
struct told {
    double samples, weight, loss, correct; /* loss: the sum of each batch's times its weight */
    double gradient_norm;                  /* of the last step */
    double failed, bad_node;               /* a step did; where, NET_NONE: it is not known */
};

static void stop(struct net_member *m)
{
    struct local *local = m->strategy;
    if (!local) return;
    average_free(local->average);
    mem_free(local->before);
    mem_free(local);
    m->strategy = NULL;
}

static bramble_status start(struct net_member *m, bramble_error *error)
{
    struct local *local = mem_zalloc(1, sizeof *local);
    size_t n = m->loop.kept.n_weights;
    m->strategy = local;
    if (!local || !(local->before = mem_alloc(n, sizeof *local->before)))
        return error_memory(error, "training by averages");
    trainer_set_steps(m->loop.trainer, 0); /* the optimiser's numbers begin here, too */
    return average_new(&local->average, m->exchanges, n, m->options.compress == BRAMBLE_COMPRESS_INT8, error);
}

/* --- a member's own steps --- */

static double weight_of(const float *weights, uint32_t n)
{
    double sum = weights ? 0 : n;
    for (uint32_t i = 0; weights && i < n; i++) sum += weights[i];
    return sum;
}

/* The member's rows in batches as large as each other, about as large as they are meant to be. */
static void train(struct net_member *m, struct trainer *trainer, const struct net_batch *batch,
                  double learning_rate, struct told *told)
{
    uint32_t size = m->options.batch_size, n_batches = (batch->n + size / 2) / size;
    size_t inputs = m->data.encoder.n_inputs;
    if (n_batches == 0) n_batches = batch->n > 0;
    for (uint32_t b = 0; b < n_batches && !told->failed; b++) {
        uint32_t first = (uint32_t)((uint64_t)batch->n * b / n_batches);
        uint32_t n = (uint32_t)((uint64_t)batch->n * (b + 1) / n_batches) - first;
        const float *weights = batch->sample_weight ? batch->sample_weight + first : NULL;
        const void *target = loss_target_at(&m->data.loss, batch->target, first, m->data.encoder.n_outputs);
        struct step_result result =
            trainer_step_weighted(trainer, batch->x + first * inputs, target, weights, n, learning_rate);
        double weight = weight_of(weights, n);
        told->samples += n;
        told->weight += weight;
        told->loss += result.loss * weight;
        told->correct += (double)result.correct;
        told->gradient_norm = result.gradient_norm;
        told->failed = net_step_failed(&result);
        told->bad_node = result.bad_node;
    }
}

/* --- together --- */

/* What one says of a round of so many samples. */
static bool is_result(const struct exchanged *sent, double samples, struct told *out)
{
    if (sent->length != sizeof *out) return false;
    memcpy(out, sent->bytes, sizeof *out);
    return out->samples >= 0 && out->samples <= samples && out->correct >= 0 &&
           out->correct <= out->samples && out->bad_node >= 0 && out->bad_node <= NET_NONE;
}

static bramble_status gather(struct net_member *m, const struct told *mine, double samples, struct told *all)
{
    const struct exchange *exchange = m->exchanges;
    bramble_status status = exchange->all_gather(exchange->context, mine, sizeof *mine, m->theirs, &m->error);
    *all = (struct told){.bad_node = NET_NONE};
    for (uint32_t i = 0; !status && i < exchange->n_members; i++) {
        struct told told;
        if (!is_result(&m->theirs[i], samples, &told))
            return error_set(&m->error, BRAMBLE_ERR_IO, "member %u of the run sent no result of its round",
                             i + 1);
        all->samples += told.samples;
        all->weight += told.weight;
        all->loss += told.loss;
        all->correct += told.correct;
        if (told.gradient_norm > all->gradient_norm) all->gradient_norm = told.gradient_norm;
        if (told.failed) all->failed = 1;
        if (told.bad_node < all->bad_node) all->bad_node = told.bad_node;
    }
    if (!status && !all->failed && all->samples != samples)
        status = error_set(&m->error, BRAMBLE_ERR_IO,
                           "the members of the run trained on %.0f samples of a round of %.0f", all->samples,
                           samples);
    return status;
}

/* Nesterov's momentum on the way that all went on average; what is not trained is the average itself. */
static void go(struct net_member *m, const float *before, const float *way)
{
    struct net_graph *net = m->model->net;
    float *speed = m->loop.kept.optimiser;
    for (size_t i = 0; i < net->n_parameters; i++) {
        speed[i] = outer_momentum * speed[i] + way[i];
        net->weights[i] = before[i] + outer_rate * (way[i] + outer_momentum * speed[i]);
    }
    for (size_t i = net->n_parameters; i < m->loop.kept.n_weights; i++) net->weights[i] = before[i] + way[i];
}

static bramble_status average(struct net_member *m, double share)
{
    struct local *local = m->strategy;
    struct net_graph *net = m->model->net;
    size_t n = m->loop.kept.n_weights;
    for (size_t i = 0; i < n; i++) net->weights[i] -= local->before[i];
    bramble_status status = average_take(local->average, net->weights, share, &m->error);
    if (!status) go(m, local->before, net->weights);
    return status;
}

static struct step_result take(struct net_member *m, struct trainer *trainer, const struct net_batch *batch,
                               double learning_rate)
{
    struct local *local = m->strategy;
    struct told mine = {.bad_node = NET_NONE}, all;
    float *weights = m->model->net->weights;
    size_t bytes = m->loop.kept.n_weights * sizeof *weights;
    memcpy(local->before, weights, bytes);
    double start = clock_seconds();
    net_shares_division(m->shares, m->loop.kept.position.steps, batch->samples);
    train(m, trainer, batch, learning_rate, &mine);
    net_shares_took(m->shares, clock_seconds() - start);
    bramble_status status = gather(m, &mine, batch->samples, &all);
    bool good = !all.failed;
    if (!status && good) status = average(m, mine.samples / all.samples);
    if (!status && (!good || !numbers_are_finite(weights, m->loop.kept.n_weights))) all.gradient_norm = NAN;
    if (status || !good) memcpy(weights, local->before, bytes);
    m->samples += batch->n;
    if (!status) status = net_shares_settle(m->shares, m->loop.kept.position.steps, m->exchanges, &m->error);
    return (struct step_result){.loss = all.weight > 0 ? all.loss / all.weight : 0,
                                .gradient_norm = all.gradient_norm,
                                .correct = (uint64_t)all.correct,
                                .bad_node = (uint32_t)all.bad_node,
                                .broken = status != BRAMBLE_OK};
}

const struct net_strategy net_local = {.start = start, .take = take, .stop = stop};
