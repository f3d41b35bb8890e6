/* bramble predict: what a model says about rows. */
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "common.h"
#include "figures.h"
#include "interrupt.h"
#include "predictions.h"
#include "report/readable.h"

enum { BLOCK_ROWS = 4096 };

struct predict_values {
    const char *model, *data, *out, *target;
    int split;
    uint32_t threads;
    bool proba, json;
};

struct predicted {
    bramble_model *model;
    bramble_table *table;
    struct predictions predictions;
    bramble_split split;
    double load_seconds, predict_seconds;
};

static bramble_status find_format(const char *path, const struct prediction_format **format,
                                  bramble_error *error)
{
    *format = &prediction_csv;
    if (!path || has_ending(path, prediction_csv.ending)) return BRAMBLE_OK;
    *format = &prediction_npy;
    if (has_ending(path, prediction_npy.ending)) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_USAGE, "--out: \"%s\" ends neither with .csv nor with .npy", path);
}

static bramble_status read_inputs(struct predicted *p, const struct predict_values *v, bramble_error *error)
{
    double start = clock_seconds();
    bramble_status status = bramble_model_load(&p->model, v->model, error);
    if (status) return status;
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.schema = bramble_model_schema(p->model);
    options.target = v->target;
    options.target_optional = true;
    status = read_for_model(&p->table, v->data, &options, v->split, !v->json, &p->split, error);
    p->load_seconds = clock_seconds() - start;
    return status;
}

static bramble_status predict(struct predicted *p, const struct predict_values *v, bramble_error *error)
{
    struct predictions *out = &p->predictions;
    out->schema = bramble_model_schema(p->model);
    out->n_rows = bramble_table_n_rows(p->table);
    out->n_classes = bramble_schema_n_classes(out->schema);
    if (v->proba && !out->n_classes)
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "--proba: %s predicts numbers, which have no probabilities", v->model);
    double start = clock_seconds();
    bramble_status status;
    if (v->proba) {
        out->shares = mem_alloc(out->n_rows, sizeof *out->shares * out->n_classes);
        if (!out->shares) return error_memory(error, "the probabilities");
        status = bramble_model_predict_proba(p->model, p->table, v->threads, out->shares, error);
    } else {
        out->values = mem_alloc(out->n_rows, sizeof *out->values);
        if (!out->values) return error_memory(error, "the predictions");
        status = bramble_model_predict(p->model, p->table, v->threads, out->values, error);
    }
    p->predict_seconds = clock_seconds() - start;
    return status;
}

/* Hands the bytes of the file on, a block at a time: to `file`, or to stdout when it is NULL. */
static bramble_status write_rows(const struct predictions *p, const struct prediction_format *format,
                                 struct outfile *file, bramble_error *error)
{
    struct str block = {0};
    format->head(p, &block);
    for (size_t begin = 0; !block.failed && !interrupt_seen(); begin += BLOCK_ROWS) {
        if (file)
            outfile_write(file, block.data, block.length);
        else
            fwrite(block.data, 1, block.length, stdout);
        if (begin >= p->n_rows) break;
        block.length = 0;
        format->rows(p, begin, begin + BLOCK_ROWS < p->n_rows ? begin + BLOCK_ROWS : p->n_rows, &block);
    }
    bool failed = block.failed;
    str_fini(&block);
    if (failed) return error_memory(error, "the predictions");
    if (interrupt_seen()) return error_set(error, BRAMBLE_ERR_CANCELLED, "stopped; nothing was written");
    return BRAMBLE_OK;
}

static bramble_status write_file(const struct predictions *p, const struct prediction_format *format,
                                 const char *path, bramble_error *error)
{
    struct outfile *file;
    interrupt_watch();
    bramble_status status = outfile_open(&file, path, error);
    if (status) return status;
    status = write_rows(p, format, file, error);
    if (status) {
        outfile_abandon(file);
        return status;
    }
    interrupt_hold();
    status = outfile_commit(file, error);
    interrupt_release();
    return status;
}

/* The predictions themselves, when no file takes them. */
static void put_predictions(struct json_out *out, const struct predictions *p)
{
    json_t *rows = json_array();
    for (size_t row = 0; row < p->n_rows; row++) {
        json_t *value = p->shares ? json_array() : NULL;
        for (uint32_t c = 0; p->shares && c < p->n_classes; c++)
            if (json_array_append_new(value, json_from_number(p->shares[row * p->n_classes + c])) != 0)
                out->failed = true;
        if (!p->shares && p->n_classes)
            value = json_from_text(bramble_schema_class_name(p->schema, (uint32_t)p->values[row]));
        else if (!p->shares)
            value = json_from_number(p->values[row]);
        if (json_array_append_new(rows, value) != 0) out->failed = true;
    }
    json_out_put(out, p->shares ? "probabilities" : "predictions", rows);
}

static bramble_status print_json(const struct predicted *p, const struct predict_values *v,
                                 bramble_error *error)
{
    bramble_model_info info;
    bramble_model_info_get(p->model, &info);
    struct json_out out;
    json_out_init(&out);
    json_out_text(&out, "task", task_name(info.task));
    json_out_count(&out, "rows", p->predictions.n_rows);
    json_out_text(&out, "split", split_choices[p->split].word);
    json_out_number(&out, "load_seconds", p->load_seconds);
    json_out_number(&out, "predict_seconds", p->predict_seconds);
    json_out_text(&out, "model_hash", info.hash);
    figures_put_classes(&out, p->predictions.schema);
    if (v->out)
        json_out_text(&out, "out", v->out);
    else
        put_predictions(&out, &p->predictions);
    return json_out_end(&out, error);
}

static bramble_status write_result(const struct predicted *p, const struct predict_values *v,
                                   const struct prediction_format *format, bramble_error *error)
{
    if (!v->out) return v->json ? print_json(p, v, error) : write_rows(&p->predictions, format, NULL, error);
    bramble_status status = write_file(&p->predictions, format, v->out, error);
    if (status) return status;
    if (v->json) return print_json(p, v, error);
    readable_write(stdout, v->out, false);
    printf(": %s predicted in %s (%s rows/s)\n", readable_items(p->predictions.n_rows, "row", "rows").text,
           readable_seconds(p->predict_seconds).text,
           readable_rate((double)p->predictions.n_rows / (p->predict_seconds > 0 ? p->predict_seconds : 1e-9))
               .text);
    return BRAMBLE_OK;
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct predict_values *v = values;
    const struct prediction_format *format;
    bramble_status status = find_format(v->out, &format, error);
    if (!status && v->out) status = check_output(v->out, v->data, error);
    if (status) return status;
    struct predicted p = {0};
    status = read_inputs(&p, v, error);
    if (!status) status = predict(&p, v, error);
    if (!status) status = write_result(&p, v, format, error);
    mem_free(p.predictions.values);
    mem_free(p.predictions.shares);
    bramble_table_free(p.table);
    bramble_model_free(p.model);
    return status;
}

static const char *const paragraphs[] = {
    "Predicts a class or a number for every row of DATA, in the order of the rows, as CSV with a header line "
    "on "
    "standard output, or into a file. Columns are found by name, or by position in data without names; the "
    "target's "
    "column may be there or not.",
    "A file that ends with .npy holds an array for NumPy: class names that are all whole numbers as int64, "
    "other "
    "class names as text, probabilities as float32 of rows x classes, numbers as float32.",
    "Where DATA hold a training and a test part, the test part is taken, and a line on standard error says "
    "so.",
    NULL,
};

static const struct argument arguments[] = {
    {.name = "MODEL", .help = "a model that bramble train made", .offset = FIELD(predict_values, model)},
    {.name = "DATA",
     .help = "rows in any format bramble data describes",
     .offset = FIELD(predict_values, data)},
    {.name = NULL},
};

static const struct option options[] = {
    {.name = "proba",
     .kind = OPTION_FLAG,
     .offset = FIELD(predict_values, proba),
     .help = "give the probability of every class, a column each"},
    {.name = "out",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = FIELD(predict_values, out),
     .fallback = "CSV on standard output",
     .help = "write to this file, which ends with .csv or .npy"},
    OPTION_TARGET_BESIDE(predict_values),
    OPTION_SPLIT_OF(predict_values, "test, where there is one"),
    OPTION_THREADS_AT(FIELD(predict_values, threads)),
    OPTION_JSON_OF(predict_values),
    {.name = NULL},
};

static const struct json_field fields[] = {
    {"task", "classification or regression"},
    {"rows", "rows predicted"},
    {"split", "the part of the data: train or test (train where there is only one)"},
    {"load_seconds", "time to read the model and the data"},
    {"predict_seconds", "time to predict, without reading and writing"},
    {"model_hash", "hash of the trees or weights"},
    {"classes", "names of the classes, in the order of the probabilities"},
    {"out", "with --out: the file"},
    {"predictions", "without --out: a class name or number for each row"},
    {"probabilities", "without --out, with --proba: for each row a list of the classes' probabilities"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble predict model.onnx new.csv > classes.csv", "a class for every row of new.csv"},
    {"bramble predict model.onnx new.csv --proba --out shares.npy", "probabilities as an array for NumPy"},
    {NULL, NULL},
};

const struct command command_predict = {
    .name = "predict",
    .summary = "predict the rows of a data set with a model",
    .paragraphs = paragraphs,
    .arguments = arguments,
    .options = options,
    .fields = fields,
    .examples = examples,
    .defaults = &(const struct predict_values){.split = SPLIT_ANY},
    .values_size = sizeof(struct predict_values),
    .run = run,
};
