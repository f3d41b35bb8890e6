/* The work of bramble train forest, step by step. */
#include <stdio.h>

#include "base/mem.h"
#include "gathering.h"
#include "interrupt.h"
#include "kept_run.h"
#include "report/progress.h"
#include "training.h"

/* What a progress callback needs. */
struct watcher {
    struct progress *progress;
    struct gathering *gathering;
};

static bool report_progress(const bramble_progress *done, void *context)
{
    const struct watcher *watcher = context;
    const struct gathered now = {done->trees_done, done->trees_total, done->seconds, done->members,
                                 done->n_members};
    if (watcher->gathering)
        gathering_show(watcher->gathering, watcher->progress, &now);
    else
        progress_step(watcher->progress, done->trees_done, done->trees_total, done->seconds);
    return !interrupt_seen();
}

static bramble_status grow(struct training *t, struct progress *progress, bramble_error *error)
{
    bramble_forest_options options = t->values->forest;
    struct watcher watcher = {progress, t->gathering};
    options.progress = report_progress;
    options.progress_context = &watcher;
    if (t->gathering) options.engine = gathering_engine(t->gathering);
    interrupt_watch();
    progress_note(progress, "sorting features into bins");
    bramble_status status = bramble_forest_train(&t->model, t->data.train, &options, &t->stats, error);
    bramble_table_free(t->data.train);
    t->data.train = NULL;
    if (status == BRAMBLE_ERR_CANCELLED || (!status && interrupt_seen())) return training_stopped(error);
    return status;
}

static bramble_status evaluate(struct training *t, struct progress *progress, bramble_error *error)
{
    if (!t->data.test) return BRAMBLE_OK;
    progress_note(progress, "predicting the test data");
    bramble_status status =
        bramble_model_evaluate(t->model, t->data.test, t->values->forest.threads, &t->evaluation, error);
    t->tested = !status;
    return status;
}

static bramble_status train(struct training *t, bramble_error *error)
{
    static const char *const unit[] = {"tree", "trees"};
    const struct train_forest_values *v = t->values;
    struct progress progress;
    progress_init(&progress, v->quiet ? NULL : stderr, "trees");
    if (v->json && !progress.terminal) progress.out = NULL;
    bramble_status status = BRAMBLE_OK;
    if (v->cluster) interrupt_watch(); /* the nodes are to be sent home */
    if (v->cluster) status = gathering_begin(&t->gathering, v->cluster, unit, t->run, error);
    if (!status) status = train_data_read(&t->data, &v->source, v->forest.seed, &progress, error);
    if (!status) status = grow(t, &progress, error);
    if (!status) status = evaluate(t, &progress, error);
    if (!status) status = trained_model_save(t->model, v->out, &t->model_bytes, error);
    progress_clear(&progress);
    return status;
}

/* What came of it, to stdout and for the run store: *summary, mem_free it. */
static bramble_status tell(const struct training *t, char **summary, bramble_error *error)
{
    bramble_status status = training_to_json(t, summary, t->values->json ? error : NULL);
    if (t->values->json && status) return status;
    if (t->values->json)
        puts(*summary);
    else if (!t->values->quiet)
        training_print_text(t);
    return BRAMBLE_OK;
}

bramble_status training_carry_out(const struct train_forest_values *v, bramble_run *run, bramble_error *error)
{
    struct training t = {.values = v, .run = run};
    char *summary = NULL;
    bramble_status status = train(&t, error);
    if (!status) status = tell(&t, &summary, error);
    gathering_end(t.gathering); /* its events go into the run */
    kept_run_end(run, status, error, summary);
    mem_free(summary);
    bramble_evaluation_fini(&t.evaluation);
    bramble_model_free(t.model);
    train_data_fini(&t.data);
    return status;
}
