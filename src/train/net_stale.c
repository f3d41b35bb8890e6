#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "train/net_steps.h"
#include "train/net_strategy.h"
#include "train/stale.h"

/* What the first member has besides: its worker is a thread beside the one that serves. */
struct beside {
    struct net_graph graph; /* the member's, but for the weights, which are our own */
    struct trainer *trainer;
    struct net_data data; /* the member's, but for batches */
    struct batches_state at;
    bramble_error error;
    pthread_t thread;
    bool has_thread;
};

struct stale {
    struct net_member *member;
    struct stale_worker worker;
    struct stale_server server;
    struct beside beside;
};

/* Where the training is: a batch that comes next. */
static struct batches_state place_of(const struct net_member *m)
{
    const struct net_position *at = &m->loop.kept.position;
    if (at->epoch_samples == m->data.train.n_rows) return (struct batches_state){at->epoch + 1, 0};
    return (struct batches_state){at->epoch, at->epoch_samples / m->options.batch_size};
}

static struct stale_net net_of(const struct net_member *m)
{
    const struct net_graph *graph = m->model->net;
    return (struct stale_net){.exchanges = m->exchanges,
                              .trainer = m->loop.trainer,
                              .weights = graph->weights,
                              .n_parameters = graph->n_parameters,
                              .n_states = graph->n_states,
                              .n_rows = m->data.train.n_rows,
                              .batch_size = m->options.batch_size};
}

/* --- the first member's worker --- */

static void *work(void *context)
{
    struct stale *stale = context;
    struct beside *beside = &stale->beside;
    uint64_t n_batches = stale_batches(&stale->worker.net);
    bramble_status status = net_data_begin(&beside->data, beside->at.epoch, beside->at.batch, &beside->error);
    while (!status) {
        struct net_batch batch = net_data_next(&beside->data);
        if (turns_are_over(&stale->worker.turns)) return NULL;
        status = stale_worker_pass(&stale->worker, beside->at, &batch, &beside->error);
        if (++beside->at.batch == n_batches) beside->at = (struct batches_state){beside->at.epoch + 1, 0};
    }
    stale->member->exchanges->leave(
        stale->member->exchanges->context); /* who serves waits for our gradient */
    return NULL;
}

/* Signals are other threads' to take. */
static bool start_thread(struct stale *stale)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    stale->beside.has_thread = pthread_create(&stale->beside.thread, NULL, work, stale) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return stale->beside.has_thread;
}

/* Also when it waits for what nobody will send any more. */
static void end_thread(struct stale *stale)
{
    struct beside *beside = &stale->beside;
    const struct exchange *exchange = stale->member->exchanges;
    turns_end(&stale->worker.turns);
    if (!beside->has_thread) return;
    if (stale->server.in_epoch) exchange->leave(exchange->context);
    pthread_join(beside->thread, NULL);
    beside->has_thread = false;
}

static bramble_status copy_net(struct beside *beside, const struct net_member *m, bramble_error *error)
{
    const struct net_graph *net = m->model->net;
    struct trainer_options options = net_trainer_options(&m->options, &m->data.loss);
    float *weights = mem_alloc_aligned(net->n_weights, sizeof *weights);
    if (!weights) return error_memory(error, "a second copy of the network");
    memcpy(weights, net->weights, net->n_weights * sizeof *weights);
    beside->graph = *net;
    beside->graph.weights = weights;
    return trainer_new(&beside->trainer, &beside->graph, &options, error);
}

static bramble_status start_beside(struct stale *stale, bramble_error *error)
{
    struct net_member *m = stale->member;
    struct beside *beside = &stale->beside;
    struct stale_net net = net_of(m);
    bramble_status status = stale_server_init(&stale->server, &net, m->options.staleness, error);
    if (!status) status = copy_net(beside, m, error);
    if (status) return status;
    stale->worker.net.trainer = beside->trainer;
    stale->worker.net.weights = beside->graph.weights;
    beside->at = place_of(m);
    beside->data = m->data;
    beside->data.batches = NULL;
    beside->data.batching.wants = turns_want;
    beside->data.batching.wants_context = &stale->worker.turns;
    beside->data.hot = mem_alloc(m->options.batch_size, m->data.encoder.n_outputs * sizeof(float));
    return beside->data.hot && start_thread(stale) ? BRAMBLE_OK : error_memory(error, "a batch");
}

static void free_beside(struct beside *beside)
{
    trainer_free(beside->trainer);
    mem_free(beside->graph.weights);
    batches_free(beside->data.batches);
    mem_free(beside->data.hot);
}

/* --- a member --- */

/* The first member's own thread only serves: its batches are but counted. */
static bool nobody_wants(void *context, struct batches_state batch, uint32_t samples, uint32_t sample)
{
    (void)context, (void)batch, (void)samples, (void)sample;
    return false;
}

static bramble_status start(struct net_member *m, bramble_error *error)
{
    struct stale *stale = mem_zalloc(1, sizeof *stale);
    struct stale_net net = net_of(m);
    if (!stale) return error_memory(error, "training a network");
    m->strategy = stale;
    stale->member = m;
    bramble_status status = stale_worker_init(&stale->worker, &net, error);
    if (status) return status;
    if (m->exchanges->rank == 0) {
        m->data.batching.wants = nobody_wants;
        return start_beside(stale, error);
    }
    struct batches_state at = place_of(m);
    at.batch = handout_first(m->exchanges->rank, at.batch, stale_batches(&net));
    turns_tell(&stale->worker.turns, at);
    m->data.batching.wants = turns_want;
    m->data.batching.wants_context = &stale->worker.turns;
    return BRAMBLE_OK;
}

static void stop(struct net_member *m)
{
    struct stale *stale = m->strategy;
    if (!stale) return;
    end_thread(stale);
    batches_free(m->data.batches); /* whose thread asks for turns */
    m->data.batches = NULL;
    if (m->exchanges->rank == 0) free_beside(&stale->beside);
    stale_server_fini(&stale->server);
    stale_worker_fini(&stale->worker);
    mem_free(stale);
}

static struct step_result take_as_worker(struct net_member *m, const struct net_batch *batch)
{
    struct stale *stale = m->strategy;
    struct step_result result = {.bad_node = NET_NONE};
    result.broken = stale_worker_pass(&stale->worker, place_of(m), batch, &m->error) != BRAMBLE_OK;
    m->samples += batch->n;
    return result;
}

/* A gradient of some batch stands for the one that is next, which may have other samples: the mean of all of
 * an epoch's is right. */
static struct step_result take(struct net_member *m, struct trainer *trainer, const struct net_batch *batch,
                               double learning_rate)
{
    struct stale *stale = m->strategy;
    struct stale_applied applied;
    bramble_error error = {0};
    (void)trainer;
    if (m->exchanges->rank != 0) return take_as_worker(m, batch);
    if (!stale->server.in_epoch) {
        struct batches_state at = place_of(m);
        stale_server_begin(&stale->server, at.batch);
        turns_tell(
            &stale->worker.turns,
            (struct batches_state){at.epoch, handout_first(0, at.batch, stale_batches(&stale->server.net))});
    }
    if (stale_server_serve(&stale->server, learning_rate, &applied, &error)) {
        end_thread(stale);
        bool by_worker = error.status == BRAMBLE_ERR_CANCELLED && stale->beside.error.status;
        m->error = by_worker ? stale->beside.error : error;
        return (struct step_result){.broken = true};
    }
    if (applied.member == 0) m->samples += applied.samples;
    if (applied.samples != batch->samples) applied.result.loss *= (double)applied.samples / batch->samples;
    return applied.result;
}

static bool is_whole(struct net_member *m)
{
    struct stale *stale = m->strategy;
    return stale_server_is_whole(&stale->server);
}

const struct net_strategy net_stale = {start, take, stop, is_whole};
