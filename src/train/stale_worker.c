#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "train/stale.h"

uint64_t stale_batches(const struct stale_net *net)
{
    return (net->n_rows + net->batch_size - 1) / net->batch_size;
}

uint32_t stale_samples(const struct stale_net *net, uint64_t batch)
{
    uint64_t left = net->n_rows - batch * net->batch_size;
    return left < net->batch_size ? (uint32_t)left : net->batch_size;
}

static size_t numbers_of(const struct stale_net *net)
{
    return net->n_parameters + net->n_states;
}

bramble_status stale_worker_init(struct stale_worker *out, const struct stale_net *net, bramble_error *error)
{
    *out = (struct stale_worker){.net = *net};
    turns_init(&out->turns);
    out->letter = mem_alloc(sizeof(struct stale_gradient) + numbers_of(net) * sizeof(float), 1);
    return out->letter ? BRAMBLE_OK : error_memory(error, "a gradient");
}

void stale_worker_fini(struct stale_worker *worker)
{
    turns_fini(&worker->turns);
    mem_free(worker->letter);
}

static bramble_status hand_in(struct stale_worker *worker, struct batches_state at,
                              const struct net_batch *batch, bramble_error *error)
{
    const struct stale_net *net = &worker->net;
    const struct exchange *exchange = &net->exchanges[0];
    trainer_set_steps(net->trainer, at.epoch * stale_batches(net) + at.batch);
    struct step_result result =
        trainer_gradients(net->trainer, batch->x, batch->target, batch->sample_weight, batch->samples);
    const struct stale_gradient head = {at.batch, result.correct, result.loss, result.bad_node, 0};
    bool good = isfinite(result.loss) && result.bad_node == NET_NONE;
    size_t length = sizeof head;
    memcpy(worker->letter, &head, sizeof head);
    if (good) {
        char *at_states = worker->letter + sizeof head + net->n_parameters * sizeof(float);
        memcpy(worker->letter + sizeof head, trainer_gradient(net->trainer),
               net->n_parameters * sizeof(float));
        if (net->n_states) memcpy(at_states, net->weights + net->n_parameters, net->n_states * sizeof(float));
        length += numbers_of(net) * sizeof(float);
    }
    return exchange->send(exchange->context, 0, worker->letter, length, error);
}

/* Weights, and which batch is ours next, or that the epoch is over. */
static bramble_status get_weights(struct stale_worker *worker, struct batches_state at, bramble_error *error)
{
    const struct stale_net *net = &worker->net;
    const struct exchange *exchange = &net->exchanges[1];
    uint32_t from;
    struct exchanged letter;
    struct stale_weights head = {0};
    size_t length = numbers_of(net) * sizeof(float);
    bramble_status status = exchange->receive(exchange->context, &from, &letter, error);
    if (status) return status;
    if (letter.length >= sizeof head) memcpy(&head, letter.bytes, sizeof head);
    if (from != 0 || letter.length != sizeof head + length || head.batch <= at.batch ||
        head.batch > stale_batches(net))
        return error_set(error, BRAMBLE_ERR_IO, "member %u of the run sent what are no weights", from + 1);
    if (length) memcpy(net->weights, (const char *)letter.bytes + sizeof head, length);
    worker->epoch_over = head.batch == stale_batches(net);
    turns_tell(&worker->turns,
               (struct batches_state){at.epoch, worker->epoch_over ? UINT64_MAX : head.batch});
    return BRAMBLE_OK;
}

bramble_status stale_worker_pass(struct stale_worker *worker, struct batches_state at,
                                 const struct net_batch *batch, bramble_error *error)
{
    const struct exchange *exchange = &worker->net.exchanges[0];
    uint64_t n_batches = stale_batches(&worker->net);
    bramble_status status = BRAMBLE_OK;
    if (batch->n) status = hand_in(worker, at, batch, error);
    bool last = at.batch + 1 == n_batches;
    if (!status && !worker->epoch_over && (batch->n || last)) status = get_weights(worker, at, error);
    if (status || !last) return status;
    worker->epoch_over = false;
    if (exchange->rank != 0) /* the server begins epochs for the worker beside it */
        turns_tell(&worker->turns,
                   (struct batches_state){at.epoch + 1, handout_first(exchange->rank, 0, n_batches)});
    return BRAMBLE_OK;
}
