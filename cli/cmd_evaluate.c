/* bramble evaluate: how good a model is on data it has not seen. */
#include <stdio.h>

#include "base/clock.h"
#include "common.h"
#include "figures.h"
#include "report/progress.h"
#include "report/readable.h"

struct evaluate_values {
    const char *model, *data, *target, *sample_weight;
    int split;
    uint32_t threads;
    bool json;
};

struct evaluated {
    const char *data;
    bramble_model *model;
    bramble_table *table;
    bramble_evaluation evaluation;
    bramble_split split;
    double seconds;
};

static void print_text(const struct evaluated *e)
{
    readable_write(stdout, e->data, false);
    printf(": %s in %s (%s rows/s)\n", readable_items(e->evaluation.n_rows, "row", "rows").text,
           readable_seconds(e->seconds).text,
           readable_rate((double)e->evaluation.n_rows / (e->seconds > 0 ? e->seconds : 1e-9)).text);
    figures_print(&e->evaluation);
    printf("\n");
    figures_print_confusion(&e->evaluation, bramble_model_schema(e->model), progress_columns(stdout));
}

static bramble_status print_json(const struct evaluated *e, bramble_error *error)
{
    const bramble_schema *schema = bramble_model_schema(e->model);
    bramble_model_info info;
    bramble_model_info_get(e->model, &info);
    struct json_out out;
    json_out_init(&out);
    json_out_text(&out, "task", task_name(info.task));
    json_out_count(&out, "rows", e->evaluation.n_rows);
    json_out_text(&out, "split", split_choices[e->split].word);
    figures_put(&out, &e->evaluation);
    figures_put_confusion(&out, &e->evaluation);
    figures_put_classes(&out, schema);
    json_out_number(&out, "evaluate_seconds", e->seconds);
    json_out_text(&out, "model_hash", info.hash);
    return json_out_end(&out, error);
}

static bramble_status evaluate(struct evaluated *e, const struct evaluate_values *v, bramble_error *error)
{
    bramble_status status = bramble_model_load(&e->model, v->model, error);
    if (status) return status;
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.schema = bramble_model_schema(e->model);
    options.target = v->target;
    options.sample_weight = v->sample_weight;
    status = read_for_model(&e->table, v->data, &options, v->split, !v->json, &e->split, error);
    if (status) return status;
    double start = clock_seconds();
    status = bramble_model_evaluate(e->model, e->table, v->threads, &e->evaluation, error);
    e->seconds = clock_seconds() - start;
    return status;
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct evaluate_values *v = values;
    struct evaluated e = {.data = v->data};
    bramble_status status = evaluate(&e, v, error);
    if (!status && v->json)
        status = print_json(&e, error);
    else if (!status)
        print_text(&e);
    bramble_evaluation_fini(&e.evaluation);
    bramble_table_free(e.table);
    bramble_model_free(e.model);
    return status;
}

static const char *const paragraphs[] = {
    "Predicts every row of DATA and compares with the target that stands there. Columns are found by name, "
    "or by "
    "position in data without names. For classes it gives accuracy, log-loss, macro-F1 (the mean of every "
    "class's "
    "F1) and the confusion matrix; for numbers the root mean square error, the mean absolute error and R2 "
    "(the "
    "share of the variance that is explained).",
    "Where DATA hold a training and a test part, the test part is taken, and a line on standard error says "
    "so.",
    NULL,
};

static const struct argument arguments[] = {
    {.name = "MODEL", .help = "a model that bramble train made", .offset = FIELD(evaluate_values, model)},
    {.name = "DATA",
     .help = "rows with their target, in any format bramble data describes",
     .offset = FIELD(evaluate_values, data)},
    {.name = NULL},
};

static const struct option options[] = {
    OPTION_SPLIT_OF(evaluate_values, "test, where there is one"),
    OPTION_TARGET_BESIDE(evaluate_values),
    OPTION_SAMPLE_WEIGHT_OF(evaluate_values),
    OPTION_THREADS_AT(FIELD(evaluate_values, threads)),
    OPTION_JSON_OF(evaluate_values),
    {.name = NULL},
};

static const struct json_field fields[] = {
    {"task", "classification or regression"},
    {"rows", "rows evaluated"},
    {"split", "the part of the data: train or test (train where there is only one)"},
    {"accuracy", "share of the rows predicted right; with weights, of the weight"},
    {"log_loss", "mean of -ln(probability given to the true class)"},
    {"macro_f1", "mean over the classes of the harmonic mean of precision and recall"},
    {"confusion", "a list for each true class: how many rows (or how much weight) went to each class"},
    {"classes", "names of the classes, in the order of confusion"},
    {"r2", "regression: share of the variance explained"},
    {"rmse", "regression: root mean square error"},
    {"mae", "regression: mean absolute error"},
    {"evaluate_seconds", "time to predict and compare, without reading"},
    {"model_hash", "hash of the trees or weights"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble evaluate model.onnx test.csv", "accuracy and the confusion matrix"},
    {"bramble evaluate model.onnx images/ --split train --json",
     "how well the training part is known by heart"},
    {NULL, NULL},
};

const struct command command_evaluate = {
    .name = "evaluate",
    .summary = "measure how good a model is on data with a target",
    .paragraphs = paragraphs,
    .arguments = arguments,
    .options = options,
    .fields = fields,
    .examples = examples,
    .defaults = &(const struct evaluate_values){.split = SPLIT_ANY},
    .values_size = sizeof(struct evaluate_values),
    .run = run,
};
