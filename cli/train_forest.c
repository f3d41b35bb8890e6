/* The work of bramble train forest, step by step. */
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "common.h"
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
    if (watcher->gathering)
        gathering_show(watcher->gathering, watcher->progress, done);
    else
        progress_step(watcher->progress, done->trees_done, done->trees_total, done->seconds);
    return !interrupt_seen();
}

static bramble_status stopped(bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_CANCELLED, "stopped; nothing was written");
}

/* The test data: set aside, another file, or the test part of the same path; none is fine too. */
static bramble_status read_test(struct training *t, bramble_error *error)
{
    const struct train_forest_values *v = t->values;
    if (v->holdout > 0) return bramble_table_holdout(t->train, v->holdout, v->forest.seed, &t->test, error);
    const char *path = v->test;
    if (!path && bramble_path_has_test(v->data)) path = v->data;
    if (!path) return BRAMBLE_OK;
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.schema = bramble_table_schema(t->train);
    options.sample_weight = v->sample_weight;
    bramble_split taken;
    return read_for_model(&t->test, path, &options, SPLIT_ANY, false, &taken, error);
}

static bramble_status read_data(struct training *t, struct progress *progress, bramble_error *error)
{
    const struct train_forest_values *v = t->values;
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.target = v->target;
    options.sample_weight = v->sample_weight;
    options.task = (bramble_task)v->task;
    progress_note(progress, "reading %s", v->data);
    double start = clock_seconds();
    bramble_status status = bramble_table_read(&t->train, v->data, &options, error);
    if (!status) status = read_test(t, error);
    t->load_seconds = clock_seconds() - start;
    if (status) return status;
    if (!bramble_table_has_target(t->train))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: there is no target to learn; name its column with --target", v->data);
    t->n_rows = bramble_table_n_rows(t->train);
    t->n_test_rows = t->test ? bramble_table_n_rows(t->test) : 0;
    return BRAMBLE_OK;
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
    bramble_status status = bramble_forest_train(&t->model, t->train, &options, &t->stats, error);
    bramble_table_free(t->train);
    t->train = NULL;
    if (status == BRAMBLE_ERR_CANCELLED || (!status && interrupt_seen())) return stopped(error);
    return status;
}

static bramble_status evaluate(struct training *t, struct progress *progress, bramble_error *error)
{
    if (!t->test) return BRAMBLE_OK;
    progress_note(progress, "predicting the test data");
    bramble_status status =
        bramble_model_evaluate(t->model, t->test, t->values->forest.threads, &t->evaluation, error);
    t->tested = !status;
    return status;
}

/* A signal waits until the file is whole; one that came before leaves none. */
static bramble_status save(struct training *t, bramble_error *error)
{
    interrupt_hold();
    bramble_status status = BRAMBLE_OK;
    if (interrupt_seen())
        status = stopped(error);
    else
        status = bramble_model_save(t->model, t->values->out, error);
    interrupt_release();
    struct stat file;
    if (!status && stat(t->values->out, &file) == 0) t->model_bytes = (uint64_t)file.st_size;
    return status;
}

static bramble_status train(struct training *t, bramble_error *error)
{
    const struct train_forest_values *v = t->values;
    struct progress progress;
    progress_init(&progress, v->quiet ? NULL : stderr, "trees");
    if (v->json && !progress.terminal) progress.out = NULL;
    bramble_status status = BRAMBLE_OK;
    if (v->cluster) interrupt_watch(); /* the nodes are to be sent home */
    if (v->cluster) status = gathering_begin(&t->gathering, v->cluster, t->run, error);
    if (!status) status = read_data(t, &progress, error);
    if (!status) status = grow(t, &progress, error);
    if (!status) status = evaluate(t, &progress, error);
    if (!status) status = save(t, error);
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
    bramble_table_free(t.train);
    bramble_table_free(t.test);
    return status;
}
