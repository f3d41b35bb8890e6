#include "base/clock.h"
#include "train/net_strategy.h"
#include "train/ring.h"

static bramble_status start_as(struct net_member *m, enum reduce_slices slices, bramble_error *error)
{
    struct ring *ring;
    bramble_status status = ring_new(&ring, m->exchanges, slices, error);
    if (!status) m->strategy = ring;
    return status;
}

static bramble_status start(struct net_member *m, bramble_error *error)
{
    return start_as(m, m->options.compress ? REDUCE_ROUNDED : REDUCE_EVEN, error);
}

static bramble_status start_central(struct net_member *m, bramble_error *error)
{
    return start_as(m, REDUCE_CENTRAL, error);
}

static void stop(struct net_member *m)
{
    ring_free(m->strategy);
}

static struct step_result take(struct net_member *m, struct trainer *trainer, const struct net_batch *batch,
                               double learning_rate)
{
    const struct ring *ring = m->strategy;
    uint32_t n_outputs = m->data.encoder.n_outputs;
    double start = clock_seconds();
    const struct division *division =
        net_shares_division(m->shares, m->loop.kept.position.steps, batch->samples);
    const struct step_share share = {
        .peers = ring_peers(ring),
        .division = division,
        .samples = batch->samples,
        .total_weight = loss_weight(&m->data.loss, NULL, batch->all_weights, batch->samples, n_outputs),
        .weight = batch->sample_weight};
    struct step_result result =
        trainer_step_together(trainer, batch->x, batch->target, &share, learning_rate);
    if (result.broken) {
        m->error = *ring_error(ring);
        return result;
    }
    double busy = clock_seconds() - start - ring_waited(ring);
    net_shares_took(m->shares, busy);
    m->samples += batch->n;
    result.broken =
        net_shares_settle(m->shares, m->loop.kept.position.steps, &m->exchanges[0], &m->error) != BRAMBLE_OK;
    return result;
}

const struct net_strategy net_ring = {start, take, stop};
const struct net_strategy net_central = {start_central, take, stop};
