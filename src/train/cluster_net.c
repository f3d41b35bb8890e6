#include "train/cluster_net.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "cluster/blob.h"
#include "cluster/journal.h"
#include "data/infile.h"
#include "data/rows_file.h"
#include "train/net_job.h"
#include "train/net_loop.h"
#include "train/net_model.h"
#include "train/net_pipeline.h"
#include "train/net_together.h"
#include "train/net_settings.h"
#include "train/net_snapshot.h"
#include "train/net_steps.h"
#include "train/net_strategy.h"

#define LOOK_SECONDS 0.5 /* between looks into the journal, at least */
#define LOOK_SHARE 50    /* looks take at most one part in so many of the time */

enum { STATE_BYTES_MOST = 1000000000 }; /* of the beginning and a snapshot together */

/* One training, as far as it got. */
struct training {
    struct engine *engine;
    const bramble_net_options *options;
    const char *folder;
    const struct cluster_net_watch *watch;
    struct bramble_model *model;
    struct net_data data;
    float *optimiser; /* what it keeps of each weight, where it was read */
    struct job job;
    uint64_t fingerprint[2], steps; /* of the whole */
    /* What the journal said when it was looked into last. */
    struct net_history history;
    struct net_position position;
    size_t told;          /* epochs */
    double looked, pause; /* clock; seconds until the next look */
    double start, learning_rate;
    uint64_t first_samples; /* that were trained before this call; UINT64_MAX: not known yet */
    uint32_t tasks_seen;
    bool mixed; /* nodes are of two kinds of processors, and it was told */
};

static char *path_in(const char *folder, const char *name)
{
    struct str path = {0};
    str_printf(&path, "%s/%s", folder, name);
    return str_take(&path);
}

/* --- what the nodes get --- */

static bramble_status store_rows(struct training *t, bramble_error *error)
{
    char *path = path_in(t->folder, "rows");
    bramble_status status = path ? BRAMBLE_OK : error_memory(error, "a file's name");
    if (!status)
        status = rows_file_write(path, &t->data.rows, t->data.validation.n_rows, &t->data.encoder, error);
    if (!status) status = blob_hash_file(path, t->job.hash, &t->job.data_bytes, error);
    if (!status) status = blob_adopt(path, t->job.hash, &t->job.data, error);
    mem_free(path);
    return status;
}

static const struct program *program_of(const bramble_net_options *options)
{
    return options->parallel == BRAMBLE_PARALLEL_PIPELINE ? &net_pipeline : &net_together;
}

/* Results belong to these data, this network, these options and this version, and are good for no others. */
static bramble_status describe_job(struct training *t, bramble_error *error)
{
    struct str key = {0};
    bramble_status status = net_job_write(&t->job.text, t->options, t->data.encoder.task, error);
    if (status) return status;
    str_printf(&key, "%s net %s %016" PRIx64 "%016" PRIx64 " %s", BRAMBLE_VERSION, t->job.hash,
               t->fingerprint[0], t->fingerprint[1], t->job.text);
    t->job.key = str_take(&key);
    t->job.journal = path_in(t->folder, "journal");
    t->job.program = mem_strdup(program_of(t->options)->name);
    uint64_t batch = net_step_rows(t->options);
    t->steps = t->options->epochs * ((t->data.train.n_rows + batch - 1) / batch);
    t->job.n_tasks = net_together_tasks(t->steps);
    t->job.chained = program_of(t->options)->chained;
    return t->job.key && t->job.journal && t->job.program ? BRAMBLE_OK : error_memory(error, "a job");
}

/* Nodes build the network from the model's file: they must come to the very same one. */
static bramble_status check_copy(const struct training *t, const void *bytes, size_t length,
                                 bramble_error *error)
{
    struct bramble_model *copy = NULL;
    bramble_status status = model_decode(&copy, bytes, length, "the network", error);
    if (status) return status;
    const struct net_graph *net = t->model->net;
    bool same = copy->kind == MODEL_NET && copy->net->n_nodes == net->n_nodes &&
                copy->net->n_parameters == net->n_parameters && copy->net->n_states == net->n_states &&
                memcmp(copy->net->weights, net->weights,
                       (net->n_parameters + net->n_states) * sizeof *net->weights) == 0;
    for (uint32_t i = 0; same && i < net->n_nodes; i++) same = copy->net->nodes[i].op == net->nodes[i].op;
    model_free(copy);
    if (same) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                     "this network cannot be sent to other machines as it is; train it on this one");
}

static bramble_status read_whole(const char *path, char **bytes, size_t *length, bramble_error *error)
{
    struct infile *file;
    bramble_status status = infile_open(&file, path, error);
    if (status) return status;
    size_t size = infile_size(file);
    *bytes = mem_alloc(size + 1, 1);
    status = *bytes ? infile_read_full(file, *bytes, size, length, error)
                    : error_memory(error, "the network's file");
    infile_close(file);
    return status;
}

/* Its bytes, as model_save writes them; mem_free them, whatever happens. */
static bramble_status model_file(struct training *t, char **bytes, size_t *length, bramble_error *error)
{
    char *path = path_in(t->folder, "beginning.onnx");
    bramble_status status = path ? model_save(t->model, path, error) : error_memory(error, "a file's name");
    if (!status) status = read_whole(path, bytes, length, error);
    if (path) unlink(path);
    mem_free(path);
    return status ? status : check_copy(t, *bytes, *length, error);
}

/* No trainer is made: this machine may have no room for one. */
static bramble_status begin_bare(struct training *t, struct net_loop *loop,
                                 const struct optimiser_options *optimiser, bramble_error *error)
{
    struct net_graph *net = t->model->net;
    struct net_loop_state state = {.weights = net->weights, .n_weights = net->n_parameters + net->n_states};
    state.n_optimiser = net->n_parameters * optimiser_slots(optimiser);
    mem_free(t->optimiser);
    t->optimiser = state.optimiser = mem_zalloc(state.n_optimiser, sizeof *state.optimiser);
    return state.optimiser ? net_loop_begin(loop, &state, error)
                           : error_memory(error, "the optimiser's numbers");
}

/* A training that has no step yet. */
static bramble_status begin_loop(struct training *t, struct net_loop *loop, bramble_error *error)
{
    struct trainer_options options = net_trainer_options(t->options, &t->data.loss);
    *loop = (struct net_loop){.options = t->options, .model = t->model, .data = &t->data};
    bramble_status status = program_of(t->options) == &net_pipeline
                                ? begin_bare(t, loop, &options.optimiser, error)
                                : net_loop_init(loop, &options, error);
    memcpy(loop->kept.fingerprint, t->fingerprint, sizeof t->fingerprint);
    return status;
}

static bramble_status write_beginning(struct training *t, struct journal *journal, bramble_error *error)
{
    void *bytes = NULL;
    char *file = NULL;
    size_t length = 0, file_length = 0;
    struct net_loop loop = {0};
    const struct net_history nothing = {0};
    bramble_status status = model_file(t, &file, &file_length, error);
    if (!status) status = begin_loop(t, &loop, error);
    const struct exchanged model = {file, file_length};
    if (!status) status = net_snapshot_encode(&bytes, &length, &model, &nothing, &loop.kept, error);
    size_t state = (2 * loop.kept.n_weights + loop.kept.n_optimiser) * sizeof(float) +
                   t->options->epochs * sizeof(struct net_epoch);
    if (!status && length + state > STATE_BYTES_MOST)
        status =
            error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                      "this network is too large to be sent to nodes: with what its optimiser keeps it takes "
                      "%.1f GB, and a message has at most %.1f; train it on one machine",
                      (double)(length + state) * 1e-9, STATE_BYTES_MOST * 1e-9);
    if (!status) status = journal_append(journal, 0, bytes, (uint32_t)length, error);
    net_loop_fini(&loop);
    mem_free(file);
    mem_free(bytes);
    return status;
}

static bramble_status find_beginning(void *context, uint32_t task, const void *bytes, uint32_t length,
                                     bramble_error *error)
{
    (void)bytes, (void)length, (void)error;
    *(bool *)context |= task == 0;
    return BRAMBLE_OK;
}

/* Task 0, unless an earlier run did it. */
static bramble_status begin_journal(struct training *t, bramble_error *error)
{
    bool begun = false;
    struct journal *journal = NULL;
    bramble_status status = journal_append_open(&journal, t->job.journal, t->job.key, error);
    if (!status) status = journal_read(t->job.journal, t->job.key, find_beginning, &begun, error);
    journal_close(journal);
    if (status || begun) return status;
    unlink(t->job.journal); /* what may be in it is of no use without its beginning */
    status = journal_append_open(&journal, t->job.journal, t->job.key, error);
    if (status) return status;
    status = write_beginning(t, journal, error);
    journal_close(journal);
    return status;
}

/* --- how far they are --- */

static bramble_status look_at(void *context, uint32_t task, const void *bytes, uint32_t length,
                              bramble_error *error)
{
    (void)task;
    struct training *t = context;
    struct net_snapshot snapshot;
    struct net_position position;
    uint64_t fingerprint[2];
    bramble_status status = net_snapshot_open(&snapshot, bytes, length, error);
    if (status) return status;
    if (net_checkpoint_peek(snapshot.checkpoint.bytes, snapshot.checkpoint.length, &position, fingerprint))
        t->position = position;
    return net_snapshot_history(&t->history, &snapshot, error);
}

/* Large networks' are looked into less often. */
static void look(struct training *t, uint32_t tasks_done)
{
    double now = clock_seconds();
    if (tasks_done == t->tasks_seen || now - t->looked < t->pause) return;
    t->tasks_seen = tasks_done;
    journal_read(t->job.journal, t->job.key, look_at, t, NULL);
    t->looked = clock_seconds();
    double pause = LOOK_SHARE * (t->looked - now);
    t->pause = pause > LOOK_SECONDS ? pause : LOOK_SECONDS;
}

static bramble_net_progress progress_now(struct training *t, const struct engine_status *nodes)
{
    uint64_t rows = t->data.train.n_rows, total = t->options->epochs * rows;
    double done = (double)(nodes->tasks_done > 1 ? nodes->tasks_done - 1 : 0) / (t->job.n_tasks - 1);
    uint64_t samples = (uint64_t)(done * (double)total);
    if (t->first_samples == UINT64_MAX && nodes->tasks_done) t->first_samples = samples;
    uint64_t trained = samples > t->first_samples ? samples - t->first_samples : 0;
    double seconds = clock_seconds() - t->start;
    return (bramble_net_progress){
        .epoch = (uint32_t)t->position.epoch + 1 > t->options->epochs ? t->options->epochs
                                                                      : (uint32_t)t->position.epoch + 1,
        .epochs = t->options->epochs,
        .samples_done = samples,
        .samples_total = total,
        .step = t->position.steps,
        .loss = NAN,
        .accuracy = NAN,
        .validation_loss = NAN,
        .validation_accuracy = NAN,
        .learning_rate = t->learning_rate,
        .samples_per_second = seconds > 0 ? (double)trained / seconds : 0,
        .seconds = seconds,
        .seconds_left = trained ? (double)(total - samples) * seconds / (double)trained : NAN};
}

static bool tell_epoch(struct training *t, bramble_net_progress now, const struct engine_status *nodes)
{
    const struct net_epoch *epoch = &t->history.epochs[t->told++];
    now.epoch = (uint32_t)t->told;
    now.epoch_done = true;
    now.loss = epoch->loss;
    now.accuracy = epoch->accuracy;
    now.validation_loss = epoch->validation_loss;
    now.validation_accuracy = epoch->validation_accuracy;
    now.learning_rate = t->learning_rate = epoch->learning_rate;
    now.best = epoch->best;
    return t->watch->status(t->watch->context, &now, nodes);
}

/* Once, when nodes of two kinds of processors are at work: what having one result costs them. */
static void tell_of_mixed(struct training *t, const struct engine_status *nodes)
{
    const struct member_status *first = NULL, *other = NULL;
    char text[160];
    for (size_t i = 0; i < nodes->n_members; i++) {
        const struct member_status *member = &nodes->members[i];
        if (member->state != MEMBER_WORKING) continue;
        if (!first) first = member;
        if (strcmp(first->arch, member->arch) != 0) other = member;
    }
    if (t->mixed || !other || !net_is_exact(t->options)) return;
    t->mixed = true;
    snprintf(text, sizeof text,
             "nodes are %s and %s: the network is one machine's all the same; both always compute in one "
             "order, and lose no speed by being mixed",
             first->arch, other->arch);
    engine_note(t->engine, text);
}

static bool show(void *context, const struct engine_status *nodes)
{
    struct training *t = context;
    bool go_on = true;
    tell_of_mixed(t, nodes);
    look(t, nodes->tasks_done);
    bramble_net_progress now = progress_now(t, nodes);
    while (go_on && t->told < t->history.n) go_on = tell_epoch(t, now, nodes);
    if (t->position.epoch_samples) {
        now.loss = t->position.loss / (double)t->position.epoch_samples;
        if (t->data.encoder.task == BRAMBLE_TASK_CLASSIFICATION)
            now.accuracy = (double)t->position.correct / (double)t->position.epoch_samples;
    }
    return go_on && t->watch->status(t->watch->context, &now, nodes);
}

/* The epochs that ended since the last look. */
static void tell_rest(struct training *t)
{
    const struct engine_status nodes = {.tasks_done = t->job.n_tasks, .n_tasks = t->job.n_tasks};
    t->pause = 0;
    t->tasks_seen = 0;
    look(t, t->job.n_tasks);
    while (t->told < t->history.n) tell_epoch(t, progress_now(t, &nodes), NULL);
}

/* --- what came of it --- */

static bramble_status take_last(void *context, uint32_t task, const void *bytes, uint32_t length,
                                bramble_error *error)
{
    static const char name[] = "the run's journal";
    struct net_loop *loop = context;
    struct net_snapshot snapshot;
    (void)task;
    bramble_status status = net_snapshot_open(&snapshot, bytes, length, error);
    return status ? status
                  : net_checkpoint_decode(snapshot.checkpoint.bytes, snapshot.checkpoint.length, &loop->kept,
                                          name, error);
}

/* There is nothing left to train: the loop ends at once. */
static bramble_status finish(struct training *t, bramble_net_stats *stats, bramble_error *error)
{
    struct net_loop loop = {0};
    bramble_status status = begin_loop(t, &loop, error);
    if (!status) status = journal_read(t->job.journal, t->job.key, take_last, &loop, error);
    if (!status) status = net_loop_go_on(&loop, t->job.journal, error);
    if (!status && !net_loop_is_done(&loop))
        status = error_set(error, BRAMBLE_ERR_DATA, "%s: the nodes' last word is lost; resume the run",
                           t->job.journal);
    if (!status) status = net_loop_run(&loop, error);
    if (!status) *stats = net_loop_stats(&loop);
    net_loop_fini(&loop);
    return status;
}

static bramble_status prepare(struct training *t, const struct bramble_table *table, bramble_error *error)
{
    bramble_status status = net_options_check(t->options, error);
    if (!status) status = net_strategy_check(t->options, error);
    if (!status) status = net_data_open(&t->data, table, t->options, error);
    if (!status) status = net_model_build(&t->model, table, &t->data.encoder, t->options, error);
    if (!status) status = net_fingerprint(t->model, t->fingerprint, error);
    if (!status) status = store_rows(t, error);
    if (!status) status = describe_job(t, error);
    return status ? status : begin_journal(t, error);
}

bramble_status cluster_net_fit(struct bramble_model **out, struct engine *engine, const char *folder,
                               const struct bramble_table *table, const bramble_net_options *options,
                               const struct cluster_net_watch *watch, bramble_net_stats *stats,
                               bramble_error *error)
{
    bramble_net_options own = *options;
    own.progress = NULL;
    struct training t = {.engine = engine,
                         .options = &own,
                         .folder = folder,
                         .watch = watch,
                         .first_samples = UINT64_MAX,
                         .start = clock_seconds()};
    bramble_status status = prepare(&t, table, error);
    if (!status) status = engine_run(engine, &t.job, show, &t, error);
    if (!status) tell_rest(&t);
    if (!status) status = finish(&t, stats, error);
    if (!status) {
        double seconds = clock_seconds() - t.start;
        uint64_t samples = (uint64_t)stats->epochs * stats->rows;
        uint64_t before = t.first_samples < samples ? t.first_samples : 0;
        stats->fit_seconds = seconds;
        stats->samples_per_second = (double)(samples - before) / seconds;
        stats->threads = engine_threads(engine);
        stats->resumed = before > 0;
        *out = t.model;
        t.model = NULL;
    }
    job_fini(&t.job);
    mem_free(t.optimiser);
    net_history_fini(&t.history);
    net_data_fini(&t.data);
    model_free(t.model);
    return status;
}
