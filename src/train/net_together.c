#include "train/net_together.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "train/net_loop.h"
#include "train/net_site.h"
#include "train/net_shares.h"
#include "train/net_settings.h"
#include "train/net_snapshot.h"
#include "train/net_steps.h"
#include "train/net_strategy.h"

#define SNAPSHOT_SECONDS 2.0
#define SNAPSHOT_SHARE 20 /* snapshots take at most one part in so many of the time */

enum { TASKS_MOST = 10000 };

uint32_t net_together_tasks(uint64_t steps)
{
    return 1 + (uint32_t)(steps < TASKS_MOST ? steps : TASKS_MOST);
}

uint32_t net_together_task(uint64_t done, uint64_t steps)
{
    uint32_t parts = net_together_tasks(steps) - 1;
    uint32_t task = done >= steps ? parts : (uint32_t)((double)done / (double)steps * parts);
    return task < parts ? task : parts - 1;
}

/* --- steps --- */

static struct step_result take(void *context, struct trainer *trainer, const struct net_batch *batch,
                               double learning_rate)
{
    struct net_member *m = context;
    return net_strategy_of(&m->options)->take(m, trainer, batch, learning_rate);
}

/* --- validation --- */

/* Members' parts lie in their order. */
static size_t first_part(void *context, size_t n_parts, size_t *n)
{
    const struct net_member *m = context;
    const uint32_t *shares = net_shares_of(m->shares, (uint32_t)n_parts);
    size_t first = 0;
    for (uint32_t i = 0; i < m->exchanges->rank; i++) first += shares[i];
    *n = shares[m->exchanges->rank];
    return first;
}

static bramble_status gather_parts(void *context, struct net_score_part *parts, size_t n_parts,
                                   bramble_error *error)
{
    const struct net_member *m = context;
    size_t n, begin = first_part(context, n_parts, &n);
    bramble_status status =
        m->exchanges->all_gather(m->exchanges->context, parts + begin, n * sizeof *parts, m->theirs, error);
    const uint32_t *shares = net_shares_of(m->shares, (uint32_t)n_parts);
    for (uint32_t i = 0; !status && i < m->exchanges->n_members; parts += shares[i++]) {
        if (m->theirs[i].length != shares[i] * sizeof *parts)
            return error_set(error, BRAMBLE_ERR_IO, "member %u of the run sent no part of the validation",
                             i + 1);
        if (shares[i]) memcpy(parts, m->theirs[i].bytes, m->theirs[i].length);
    }
    return status;
}

/* --- what becomes of it --- */

static bool report(const bramble_net_progress *now, void *context)
{
    struct net_member *m = context;
    double seconds = clock_seconds() - m->begun;
    m->work->credit(m->work->context, m->samples < UINT32_MAX ? (uint32_t)m->samples : UINT32_MAX,
                    seconds > 0 ? (double)m->samples / seconds : 0);
    const struct net_epoch epoch = {.loss = now->loss,
                                    .accuracy = now->accuracy,
                                    .validation_loss = now->validation_loss,
                                    .validation_accuracy = now->validation_accuracy,
                                    .learning_rate = now->learning_rate,
                                    .best = now->best};
    if (now->epoch_done && net_history_add(&m->history, &epoch, &m->error)) return false;
    return m->work->go_on(m->work->context);
}

static bramble_status hand_in(const struct net_member *m, uint32_t task, bramble_error *error)
{
    void *bytes;
    size_t length;
    const struct exchanged no_model = {0};
    bramble_status status =
        net_snapshot_encode(&bytes, &length, &no_model, &m->history, &m->loop.kept, error);
    return status ? status : m->work->done(m->work->context, task, bytes, length, error);
}

/* Large networks are handed in less often, and where members must first wait for each other. */
static bramble_status keep(void *context, const struct net_checkpoint *kept, bramble_error *error)
{
    struct net_member *m = context;
    double start = clock_seconds();
    uint32_t task = net_together_task(kept->position.steps, m->steps);
    if (task <= m->handed_in) return BRAMBLE_OK;
    const struct net_strategy *strategy = net_strategy_of(&m->options);
    if (!m->wanted) m->wanted = start;
    if (strategy->is_whole && !strategy->is_whole(m)) {
        m->options.checkpoint_seconds = 0;
        return BRAMBLE_OK;
    }
    m->handed_in = task;
    bramble_status status = hand_in(m, task, error);
    double pause = SNAPSHOT_SHARE * (clock_seconds() - m->wanted);
    m->wanted = 0;
    m->options.checkpoint_seconds = pause > SNAPSHOT_SECONDS ? pause : SNAPSHOT_SECONDS;
    return status;
}

/* --- beginnings and ends --- */

static void member_fini(struct net_member *m)
{
    net_strategy_of(&m->options)->stop(m); /* may still be at a step of the trainer's */
    net_loop_fini(&m->loop);
    net_data_fini(&m->data);
    net_shares_free(m->shares);
    mem_free(m->theirs);
    net_history_fini(&m->history);
    model_free(m->model);
}

/* The model the training began with, and how far it is. */
static bramble_status read_state(struct net_member *m, bramble_error *error)
{
    static const char name[] = "the run's journal";
    struct net_snapshot first = {0}, last;
    bramble_status status = net_snapshot_open(&first, m->work->first.bytes, m->work->first.length, error);
    last = first;
    if (!status && m->work->last.length)
        status = net_snapshot_open(&last, m->work->last.bytes, m->work->last.length, error);
    if (!status) status = model_decode(&m->model, first.model.bytes, first.model.length, name, error);
    if (status) return status;
    if (m->model->kind != MODEL_NET ||
        m->model->net->values[m->model->net->input].size != m->data.encoder.n_inputs ||
        m->model->net->values[m->model->net->output].size != m->data.encoder.n_outputs)
        return error_set(error, BRAMBLE_ERR_DATA, "%s: its network is not one for these rows", name);
    m->loop = (struct net_loop){.options = &m->options, .model = m->model, .data = &m->data};
    struct trainer_options options = net_trainer_options(&m->options, &m->data.loss);
    options.together = m->options.parallel != BRAMBLE_PARALLEL_LOCAL;
    status = net_loop_init(&m->loop, &options, error);
    if (status) return status;
    struct net_position position;
    if (!net_checkpoint_peek(last.checkpoint.bytes, last.checkpoint.length, &position,
                             m->loop.kept.fingerprint))
        return error_set(error, BRAMBLE_ERR_DATA, "%s: it has no checkpoint", name);
    status = net_checkpoint_decode(last.checkpoint.bytes, last.checkpoint.length, &m->loop.kept, name, error);
    if (!status) status = net_loop_go_on(&m->loop, name, error);
    return status ? status : net_snapshot_history(&m->history, &last, error);
}

/* `m` stays where it is. */
static bramble_status member_init(struct net_member *m, const struct net_site *node,
                                  const struct exchange *exchanges, const struct together_work *work,
                                  bramble_error *error)
{
    *m = (struct net_member){.work = work, .exchanges = exchanges, .options = node->job.options};
    m->options.threads = work->threads;
    m->options.progress = report;
    m->options.progress_context = m;
    m->options.checkpoint_seconds = SNAPSHOT_SECONDS;
    bramble_status status = net_data_share(&m->data, node->file, &m->options, error);
    if (!status) status = read_state(m, error);
    if (status) return status;
    work->begun(work->context);
    uint64_t rows = m->data.train.n_rows, batch = net_step_rows(&m->options);
    m->steps = m->options.epochs * ((rows + batch - 1) / batch);
    status = net_shares_new(&m->shares, &exchanges[0], rows, (uint32_t)batch, work->threads, error);
    if (!status && !(m->theirs = mem_alloc(exchanges->n_members, sizeof *m->theirs)))
        status = error_memory(error, "the members of the run");
    m->data.batching.wants = net_shares_want;
    m->data.batching.wants_context = m->shares;
    if (!status) status = net_strategy_of(&m->options)->start(m, error);
    if (status) return status;
    m->loop.take = take;
    m->scoring = (struct net_score_peers){m, first_part, gather_parts};
    m->loop.scoring = &m->scoring;
    if (exchanges->rank == 0) m->loop.keep = keep;
    m->loop.context = m;
    m->handed_in = net_together_task(m->loop.kept.position.steps, m->steps);
    m->begun = clock_seconds();
    return BRAMBLE_OK;
}

static bramble_status node_run(void *context, const struct exchange *exchanges,
                               const struct together_work *work, bramble_error *error)
{
    struct net_member member;
    bramble_status status = member_init(&member, context, exchanges, work, error);
    if (!status) status = net_loop_run(&member.loop, error);
    if (status == BRAMBLE_ERR_CANCELLED && member.error.status) {
        if (error) *error = member.error;
        status = member.error.status;
    }
    if (!status && exchanges->rank == 0)
        status = hand_in(&member, net_together_tasks(member.steps) - 1, error);
    member_fini(&member);
    return status;
}

const struct program net_together = {.name = "net_together",
                                     .open = net_site_open,
                                     .close = net_site_close,
                                     .run_together = node_run,
                                     .chained = true};
