/* The work of bramble train net, step by step. */
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "interrupt.h"
#include "json_out.h"
#include "kept_run.h"
#include "net_training.h"
#include "report/progress.h"
#include "report/readable.h"
#include "run_curve.h"

/* What a progress callback needs. */
struct watcher {
    struct progress *progress;
    struct gathering *gathering; /* or NULL */
    bramble_run *run;
    bool begun;
    char figures[80];
};

/* The event "epoch", for curves. What cannot be written is done without: training goes on. */
static void log_epoch(bramble_run *run, const bramble_net_progress *done)
{
    struct json_out out;
    char *fields = NULL;
    json_out_init(&out);
    json_out_count(&out, "epoch", done->epoch);
    json_out_number(&out, run_figure_keys[RUN_LOSS], done->loss);
    json_out_number(&out, run_figure_keys[RUN_ACCURACY], done->accuracy);
    json_out_number(&out, run_figure_keys[RUN_VALIDATION_LOSS], done->validation_loss);
    json_out_number(&out, run_figure_keys[RUN_VALIDATION_ACCURACY], done->validation_accuracy);
    json_out_number(&out, run_figure_keys[RUN_LEARNING_RATE], done->learning_rate);
    json_out_number(&out, run_figure_keys[RUN_RATE], done->samples_per_second);
    json_out_put(&out, "best", json_boolean(done->best));
    if (!json_out_take(&out, &fields, NULL)) bramble_run_event(run, "epoch", fields, NULL);
    mem_free(fields);
}

static bool report_progress(const bramble_net_progress *done, void *context)
{
    struct watcher *watcher = context;
    if (!watcher->begun) watcher->progress->before = done->samples_done;
    watcher->begun = true;
    int n = snprintf(watcher->figures, sizeof watcher->figures, "epoch %u of %u", done->epoch, done->epochs);
    if (!isnan(done->loss))
        n += snprintf(watcher->figures + n, sizeof watcher->figures - (size_t)n, ", loss %.4f", done->loss);
    if (!isnan(done->accuracy))
        snprintf(watcher->figures + n, sizeof watcher->figures - (size_t)n, ", accuracy %.1f %%",
                 100 * done->accuracy);
    watcher->progress->figures = watcher->figures;
    const struct gathered now = {done->samples_done, done->samples_total, done->seconds, done->members,
                                 done->n_members};
    if (watcher->gathering)
        gathering_show(watcher->gathering, watcher->progress, &now);
    else
        progress_step(watcher->progress, done->samples_done, done->samples_total, done->seconds);
    if (done->epoch_done && watcher->run) log_epoch(watcher->run, done);
    return !interrupt_seen();
}

static bramble_status stopped(const struct net_training *t, bramble_error *error)
{
    if (!t->run) return training_stopped(error);
    return error_set(error, BRAMBLE_ERR_CANCELLED, "stopped; 'bramble resume %s' goes on from here",
                     bramble_run_id(t->run));
}

static char *checkpoint_path(bramble_run *run)
{
    struct str path = {0};
    str_printf(&path, "%s/checkpoint", bramble_run_folder(run));
    return str_take(&path);
}

static bramble_status fit(struct net_training *t, struct progress *progress, bramble_error *error)
{
    bramble_net_options options = t->values->net;
    struct watcher watcher = {.progress = progress, .gathering = t->gathering, .run = t->run};
    char *checkpoint = t->run ? checkpoint_path(t->run) : NULL;
    if (t->run && !checkpoint) return error_memory(error, "the checkpoint's name");
    options.checkpoint = checkpoint;
    if (t->gathering) options.engine = gathering_engine(t->gathering);
    options.progress = report_progress;
    options.progress_context = &watcher;
    interrupt_watch();
    progress_note(progress, "preparing the network");
    bramble_status status = bramble_net_train(&t->model, t->data.train, &options, &t->stats, error);
    progress->figures = NULL;
    bramble_table_free(t->data.train);
    t->data.train = NULL;
    mem_free(checkpoint);
    if (status == BRAMBLE_ERR_CANCELLED || (!status && interrupt_seen())) return stopped(t, error);
    return status;
}

static bramble_status evaluate(struct net_training *t, struct progress *progress, bramble_error *error)
{
    if (!t->data.test) return BRAMBLE_OK;
    progress_note(progress, "predicting the test data");
    bramble_status status =
        bramble_model_evaluate(t->model, t->data.test, t->values->net.threads, &t->evaluation, error);
    t->tested = !status;
    return status;
}

/* What a way of training costs; NULL: the network is the one that one machine makes. */
static const char *cost_of(const bramble_net_options *options)
{
    if (options->staleness)
        return "nodes do not wait for each other: the network is not one machine's, and another each time";
    if (options->compress && options->parallel != BRAMBLE_PARALLEL_LOCAL)
        return "gradients travel rounded to 8 bits: the network is not one machine's";
    if (options->parallel == BRAMBLE_PARALLEL_LOCAL)
        return "nodes train by themselves and average their weights: the network is not one machine's";
    return NULL;
}

static bramble_status train(struct net_training *t, bramble_error *error)
{
    static const char *const unit[] = {"sample", "samples"};
    const struct train_net_values *v = t->values;
    struct progress progress;
    progress_init(&progress, v->quiet ? NULL : stderr, "samples");
    if (v->json && !progress.terminal) progress.out = NULL;
    bramble_status status = BRAMBLE_OK;
    if (v->cluster) interrupt_watch(); /* the nodes are to be sent home */
    if (v->cluster) status = gathering_begin(&t->gathering, v->cluster, unit, t->run, error);
    if (t->gathering && cost_of(&v->net)) gathering_note(t->gathering, cost_of(&v->net));
    if (!status) status = train_data_read(&t->data, &v->source, v->net.seed, &progress, error);
    if (!status) status = fit(t, &progress, error);
    if (!status) status = evaluate(t, &progress, error);
    if (!status) status = trained_model_save(t->model, v->out, &t->model_bytes, error);
    progress_clear(&progress);
    return status;
}

/* The run's curve, as its log of events has it. */
static bramble_status plot(const struct net_training *t, bramble_error *error)
{
    if (!t->values->plot) return BRAMBLE_OK;
    if (!t->run)
        return error_set(error, BRAMBLE_ERR_IO, "%s: there is no curve to draw, as this run is not kept",
                         t->values->plot);
    struct run_curve curve;
    const bramble_run_info info = {.id = bramble_run_id(t->run), .folder = bramble_run_folder(t->run)};
    bramble_status status = run_curve_read(&curve, &info, error);
    if (status) return status;
    status = run_curves_plot(t->values->plot, &(const struct named_curve){info.id, &curve}, 1, error);
    run_curve_fini(&curve);
    return status;
}

/* What came of it, to stdout and for the run store: *summary, mem_free it. */
static bramble_status tell(const struct net_training *t, char **summary, bramble_error *error)
{
    bramble_status status = net_training_to_json(t, summary, t->values->json ? error : NULL);
    if (t->values->json && status) return status;
    if (t->values->json)
        puts(*summary);
    else if (!t->values->quiet)
        net_training_print_text(t);
    return BRAMBLE_OK;
}

bramble_status net_training_carry_out(const struct train_net_values *v, bramble_run *run,
                                      bramble_error *error)
{
    struct net_training t = {.values = v, .run = run};
    char *summary = NULL;
    bramble_status status = train(&t, error);
    if (!status) status = plot(&t, error);
    if (!status) status = tell(&t, &summary, error);
    gathering_end(t.gathering); /* its events go into the run */
    char *checkpoint = run ? checkpoint_path(run) : NULL;
    kept_run_end(run, status, error, summary);
    if (!status && checkpoint) unlink(checkpoint); /* nobody goes on from there any more */
    mem_free(checkpoint);
    mem_free(summary);
    bramble_evaluation_fini(&t.evaluation);
    bramble_model_free(t.model);
    train_data_fini(&t.data);
    return status;
}
