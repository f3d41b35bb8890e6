#include "train/net_pipeline.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "train/net_loop.h"
#include "train/net_site.h"
#include "train/net_snapshot.h"
#include "train/net_steps.h"
#include "train/net_together.h"
#include "train/pipeline.h"

#define SNAPSHOT_SECONDS 2.0
#define PATIENCE_SECONDS 30.0
#define SNAPSHOT_SHARE 20 /* snapshots take at most one part in so many of the time */

static const char journal_name[] = "the run's journal";

/* A member at work. */
struct member {
    const struct together_work *work;
    const struct exchange *exchanges;
    bramble_net_options options;
    struct bramble_model *model; /* without weights */
    struct net_data data;
    struct net_loop loop; /* of what is trained here */
    struct net_history history;
    struct pipeline *pipeline;
    struct exchanged *theirs;
    uint64_t steps, samples; /* of the whole training; trained here since it began */
    uint32_t handed_in;      /* the last task that was */
    bool due;                /* all have agreed that there be a snapshot before the next step */
    double begun, snapshot, pause;
    bramble_error error; /* why the members cannot go on together */
};

/* --- the whole training's state --- */

static void whole_fini(struct net_checkpoint *whole)
{
    mem_free(whole->weights);
    mem_free(whole->optimiser);
    mem_free(whole->best);
    *whole = (struct net_checkpoint){0};
}

/* Room for it. */
static bramble_status whole_init(struct net_checkpoint *whole, const struct member *m, bramble_error *error)
{
    const struct net_graph *net = m->model->net;
    const struct trainer_options options = net_trainer_options(&m->options, &m->data.loss);
    *whole = (struct net_checkpoint){.n_weights = net->n_parameters + net->n_states,
                                     .n_optimiser = net->n_parameters * optimiser_slots(&options.optimiser)};
    whole->weights = mem_zalloc(whole->n_weights, sizeof(float));
    whole->optimiser = mem_zalloc(whole->n_optimiser, sizeof(float));
    if (m->data.validation.n_rows) whole->best = mem_zalloc(whole->n_weights, sizeof(float));
    if (whole->weights && whole->optimiser && (whole->best || !m->data.validation.n_rows)) return BRAMBLE_OK;
    whole_fini(whole);
    return error_memory(error, "the whole network's weights");
}

/* All members' parts go to the first, which hands them in. */
static bramble_status hand_in(struct member *m, uint32_t task, bramble_error *error)
{
    bool first = m->exchanges->rank == 0;
    struct net_checkpoint whole = {0};
    bramble_status status = first ? whole_init(&whole, m, error) : BRAMBLE_OK;
    if (!status) status = pipeline_gather(m->pipeline, first ? &whole : NULL, &m->loop.kept, error);
    if (!status && first) {
        void *bytes;
        size_t length;
        const struct exchanged no_model = {0};
        memcpy(whole.fingerprint, m->loop.kept.fingerprint, sizeof whole.fingerprint);
        whole.position = m->loop.kept.position;
        status = net_snapshot_encode(&bytes, &length, &no_model, &m->history, &whole, error);
        if (!status) status = m->work->done(m->work->context, task, bytes, length, error);
    }
    whole_fini(&whole);
    return status;
}

/* --- steps --- */

/* Whether the first member wants one; large networks are handed in less often. */
static bool wants_snapshot(const struct member *m)
{
    return m->exchanges->rank == 0 && clock_seconds() - m->snapshot >= m->pause &&
           net_together_task(m->loop.kept.position.steps + 1, m->steps) > m->handed_in;
}

static bramble_status snapshot(struct member *m)
{
    double start = clock_seconds();
    m->due = false;
    m->handed_in = net_together_task(m->loop.kept.position.steps, m->steps);
    bramble_status status = hand_in(m, m->handed_in, &m->error);
    m->snapshot = clock_seconds();
    double pause = SNAPSHOT_SHARE * (m->snapshot - start);
    m->pause = pause > SNAPSHOT_SECONDS ? pause : SNAPSHOT_SECONDS;
    return status;
}

static struct step_result take(void *context, struct trainer *trainer, const struct net_batch *batch,
                               double learning_rate)
{
    struct member *m = context;
    (void)trainer;
    if (m->due && snapshot(m)) return (struct step_result){.bad_node = NET_NONE, .broken = true};
    m->due = wants_snapshot(m);
    struct step_result result =
        pipeline_step(m->pipeline, batch, m->loop.kept.position.steps + 1, learning_rate, &m->due);
    if (result.broken) m->error = *pipeline_error(m->pipeline);
    if (pipeline_stage(m->pipeline) != NET_NONE) m->samples += batch->samples;
    return result;
}

static bramble_status score(void *context, struct net_score *out, bramble_error *error)
{
    struct member *m = context;
    return pipeline_score(m->pipeline, &m->data, out, error);
}

static bool wants(void *context, struct batches_state batch, uint32_t samples, uint32_t sample)
{
    (void)batch, (void)samples, (void)sample;
    return pipeline_wants(context);
}

static bool report(const bramble_net_progress *now, void *context)
{
    struct member *m = context;
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

/* --- beginnings and ends --- */

static void member_fini(struct member *m)
{
    pipeline_free(m->pipeline);
    net_loop_fini(&m->loop);
    net_data_fini(&m->data);
    mem_free(m->theirs);
    net_history_fini(&m->history);
    model_free(m->model);
}

/* What the first member says, to all. */
static bramble_status hear(struct member *m, const void *bytes, size_t length, bramble_error *error)
{
    bool first = m->exchanges->rank == 0;
    return m->exchanges->all_gather(m->exchanges->context, bytes, first ? length : 0, m->theirs, error);
}

/* The network as it was before the first step. */
static bramble_status read_model(struct member *m, const struct net_snapshot *beginning, bramble_error *error)
{
    bramble_status status = hear(m, beginning->model.bytes, beginning->model.length, error);
    if (!status)
        status = model_decode(&m->model, m->theirs[0].bytes, m->theirs[0].length, journal_name, error);
    if (status) return status;
    if (m->model->kind != MODEL_NET ||
        m->model->net->values[m->model->net->input].size != m->data.encoder.n_inputs ||
        m->model->net->values[m->model->net->output].size != m->data.encoder.n_outputs)
        return error_set(error, BRAMBLE_ERR_DATA, "%s: its network is not one for these rows", journal_name);
    return BRAMBLE_OK;
}

/* How far it is, of all that the first member has; the others' arrays stay empty. */
static bramble_status read_whole(struct member *m, const struct net_snapshot *last,
                                 struct net_checkpoint *whole, bramble_error *error)
{
    if (m->exchanges->rank) return hear(m, NULL, 0, error);
    struct net_position position;
    bramble_status status = whole_init(whole, m, error);
    if (status) return status;
    if (!net_checkpoint_peek(last->checkpoint.bytes, last->checkpoint.length, &position, whole->fingerprint))
        return error_set(error, BRAMBLE_ERR_DATA, "%s: it has no checkpoint", journal_name);
    status =
        net_checkpoint_decode(last->checkpoint.bytes, last->checkpoint.length, whole, journal_name, error);
    if (!status) status = net_snapshot_history(&m->history, last, error);
    return status ? status : hear(m, &whole->position, sizeof whole->position, error);
}

/* Where the network does not fit those who are there, others may still be on their way: they will begin anew
 * with us. False: they do. */
static bool wait_for_nodes(const struct member *m)
{
    double end = clock_seconds() + PATIENCE_SECONDS;
    while (clock_seconds() < end) {
        if (!m->work->go_on(m->work->context)) return false;
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
    }
    return true;
}

static bramble_status make_pipeline(struct member *m, bramble_error *error)
{
    struct net_graph *net = m->model->net;
    const struct trainer_options options = net_trainer_options(&m->options, &m->data.loss);
    const struct pipeline_options own = {.batch_size = m->options.batch_size,
                                         .threads = m->options.threads,
                                         .seed = options.seed,
                                         .loss = options.loss,
                                         .optimiser = options.optimiser};
    bramble_status status = pipeline_new(&m->pipeline, net, &own, m->exchanges, error);
    if (status == BRAMBLE_ERR_UNSUPPORTED) {
        bramble_error why = *error;
        return wait_for_nodes(m) ? error_set(error, BRAMBLE_ERR_USAGE, "%s", why.message)
                                 : BRAMBLE_ERR_CANCELLED;
    }
    if (status) return status;
    mem_free(net->weights);
    net->weights = NULL;
    const struct pipeline_state state = pipeline_state(m->pipeline);
    m->loop = (struct net_loop){.options = &m->options, .model = m->model, .data = &m->data};
    return net_loop_begin(
        &m->loop,
        &(struct net_loop_state){state.weights, state.optimiser, state.n_weights, state.n_optimiser}, error);
}

/* From here on everybody has its part, and nobody the whole. */
static bramble_status read_state(struct member *m, bramble_error *error)
{
    struct net_snapshot first = {0}, last = {0};
    struct net_checkpoint whole = {0};
    struct net_position position;
    bool has_whole = m->exchanges->rank == 0;
    bramble_status status = BRAMBLE_OK;
    if (has_whole) {
        status = net_snapshot_open(&first, m->work->first.bytes, m->work->first.length, error);
        last = first;
        if (!status && m->work->last.length)
            status = net_snapshot_open(&last, m->work->last.bytes, m->work->last.length, error);
    }
    if (!status) status = read_model(m, &first, error);
    if (!status) status = read_whole(m, &last, &whole, error);
    if (!status && m->theirs[0].length != sizeof position)
        status = error_set(error, BRAMBLE_ERR_IO, "member 1 of the run sent no beginning");
    if (!status) memcpy(&position, m->theirs[0].bytes, sizeof position);
    if (!status) m->work->begun(m->work->context);
    if (!status) status = make_pipeline(m, error);
    if (!status) {
        m->loop.kept.position = position;
        memcpy(m->loop.kept.fingerprint, whole.fingerprint, sizeof whole.fingerprint);
        status = pipeline_scatter(m->pipeline, has_whole ? &whole : NULL, &m->loop.kept, error);
    }
    whole_fini(&whole);
    return status ? status : net_loop_go_on(&m->loop, journal_name, error);
}

/* `m` stays where it is. */
static bramble_status member_init(struct member *m, const struct net_site *site,
                                  const struct exchange *exchanges, const struct together_work *work,
                                  bramble_error *error)
{
    *m = (struct member){.work = work, .exchanges = exchanges, .options = site->job.options};
    m->options.threads = work->threads;
    m->options.progress = report;
    m->options.progress_context = m;
    m->theirs = mem_alloc(exchanges->n_members, sizeof *m->theirs);
    if (!m->theirs) return error_memory(error, "the members of the run");
    bramble_status status = net_data_share(&m->data, site->file, &m->options, error);
    if (!status) status = read_state(m, error);
    if (status) return status;
    uint64_t rows = m->data.train.n_rows, batch = m->options.batch_size;
    m->steps = m->options.epochs * ((rows + batch - 1) / batch);
    m->data.batching.wants = wants;
    m->data.batching.wants_context = m->pipeline;
    m->loop.take = take;
    m->loop.score = score;
    m->loop.context = m;
    m->handed_in = net_together_task(m->loop.kept.position.steps, m->steps);
    m->begun = m->snapshot = clock_seconds();
    m->pause = SNAPSHOT_SECONDS;
    return BRAMBLE_OK;
}

static bramble_status run(void *context, const struct exchange *exchanges, const struct together_work *work,
                          bramble_error *error)
{
    struct member member;
    bramble_status status = member_init(&member, context, exchanges, work, error);
    if (!status) status = net_loop_run(&member.loop, error);
    if (status == BRAMBLE_ERR_CANCELLED && member.error.status) {
        if (error) *error = member.error;
        status = member.error.status;
    }
    if (!status) status = hand_in(&member, net_together_tasks(member.steps) - 1, error);
    member_fini(&member);
    return status;
}

const struct program net_pipeline = {.name = "net_pipeline",
                                     .open = net_site_open,
                                     .close = net_site_close,
                                     .run_together = run,
                                     .chained = true,
                                     .first_begins = true};
