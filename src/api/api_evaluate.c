/* bramble_model_evaluate: a model's figures on a table that knows the truth. */
#include <bramble/model.h>

#include <math.h>
#include <string.h>

#include "api/prediction.h"
#include "base/error.h"
#include "base/mem.h"
#include "report/metrics.h"

enum { CHUNK_FLOATS = 1 << 22, CHUNK_ROWS_MIN = 256, CHUNK_ROWS_MAX = 1 << 16 };

/* A chunk of rows on its way into the figures. */
struct chunk {
    size_t rows;     /* at most */
    uint32_t *map;   /* the model's class for each of the table's */
    uint32_t *truth; /* of a row, as the model counts classes */
    uint32_t *predicted;
    float *proba;
};

static bramble_status check_target(const bramble_model *model, const bramble_table *table,
                                   bramble_error *error)
{
    if (!table->classes && !table->values)
        return error_set(
            error, BRAMBLE_ERR_DATA,
            "the table has no target to compare predictions with; name the column that holds it");
    bool classification = model->schema.task == BRAMBLE_TASK_CLASSIFICATION;
    if (classification == (table->classes != NULL)) return BRAMBLE_OK;
    return error_set(
        error, BRAMBLE_ERR_DATA,
        "the table's target is %s and the model predicts %s; read the table with the model's schema",
        classification ? "a number" : "a class", classification ? "classes" : "numbers");
}

static bramble_status map_classes(const bramble_schema *from, const bramble_schema *to, uint32_t *map,
                                  bramble_error *error)
{
    for (uint32_t c = 0; c < from->n_classes; c++) {
        const char *name = from->classes[c];
        if (c < to->n_classes && strcmp(name, to->classes[c]) == 0)
            map[c] = c;
        else if (!schema_class_code(to, name, strlen(name), &map[c]))
            return error_set(error, BRAMBLE_ERR_DATA,
                             "the table has rows of class \"%s\", which the model was not trained on; leave "
                             "them out or train again",
                             name);
    }
    return BRAMBLE_OK;
}

static bramble_status chunk_init(struct chunk *chunk, const bramble_model *model, const bramble_table *table,
                                 bramble_error *error)
{
    size_t rows = CHUNK_FLOATS / model->schema.n_classes;
    if (rows < CHUNK_ROWS_MIN) rows = CHUNK_ROWS_MIN;
    if (rows > CHUNK_ROWS_MAX) rows = CHUNK_ROWS_MAX;
    if (rows > table->n_rows) rows = table->n_rows;
    *chunk = (struct chunk){.rows = rows,
                            .map = mem_alloc(table->schema.n_classes, sizeof *chunk->map),
                            .truth = mem_alloc(rows, sizeof *chunk->truth),
                            .predicted = mem_alloc(rows, sizeof *chunk->predicted),
                            .proba = mem_alloc(rows, model->schema.n_classes * sizeof *chunk->proba)};
    if (!chunk->map || !chunk->truth || !chunk->predicted || !chunk->proba)
        return error_memory(error, "an evaluation");
    return map_classes(&table->schema, &model->schema, chunk->map, error);
}

static void chunk_fini(struct chunk *chunk)
{
    mem_free(chunk->map);
    mem_free(chunk->truth);
    mem_free(chunk->predicted);
    mem_free(chunk->proba);
}

static bramble_status add_rows(struct metrics_classes *metrics, const struct chunk *chunk,
                               const bramble_model *model, const bramble_table *table, uint32_t threads,
                               bramble_error *error)
{
    for (size_t first = 0; first < table->n_rows; first += chunk->rows) {
        size_t n = table->n_rows - first < chunk->rows ? table->n_rows - first : chunk->rows;
        struct prediction_rows rows = {.table = table, .first = first, .n_rows = n};
        struct prediction_outputs out = {.classes = chunk->predicted, .proba = chunk->proba};
        bramble_status status = prediction_run(model, &rows, threads, &out, error);
        if (status) return status;
        for (size_t r = 0; r < n; r++) chunk->truth[r] = chunk->map[table->classes[first + r]];
        metrics_classes_add(metrics, n, chunk->truth, chunk->predicted, chunk->proba,
                            table->weights ? table->weights + first : NULL);
    }
    return BRAMBLE_OK;
}

static bramble_status evaluate_classes(const bramble_model *model, const bramble_table *table,
                                       uint32_t threads, bramble_evaluation *result, bramble_error *error)
{
    size_t n_classes = result->n_classes = model->schema.n_classes;
    double *confusion = mem_alloc(n_classes * n_classes, sizeof *confusion);
    if (!confusion) return error_memory(error, "a confusion matrix");
    struct chunk chunk;
    struct metrics_classes metrics;
    metrics_classes_init(&metrics, (uint32_t)n_classes, confusion);
    bramble_status status = chunk_init(&chunk, model, table, error);
    if (!status) status = add_rows(&metrics, &chunk, model, table, threads, error);
    chunk_fini(&chunk);
    if (status) {
        mem_free(confusion);
        return status;
    }
    result->confusion = confusion;
    result->accuracy = metrics_accuracy(&metrics);
    result->log_loss = metrics_log_loss(&metrics);
    result->macro_f1 = metrics_macro_f1(&metrics);
    return BRAMBLE_OK;
}

static bramble_status evaluate_numbers(const bramble_model *model, const bramble_table *table,
                                       uint32_t threads, bramble_evaluation *result, bramble_error *error)
{
    double *predicted = mem_alloc(table->n_rows, sizeof *predicted);
    if (!predicted) return error_memory(error, "an evaluation");
    struct prediction_rows rows = {.table = table, .n_rows = table->n_rows};
    bramble_status status =
        prediction_run(model, &rows, threads, &(struct prediction_outputs){.values = predicted}, error);
    if (!status) {
        struct metrics_numbers metrics =
            metrics_numbers(table->n_rows, table->values, predicted, table->weights);
        result->rmse = metrics.rmse;
        result->mae = metrics.mae;
        result->r2 = metrics.r2;
    }
    mem_free(predicted);
    return status;
}

bramble_status bramble_model_evaluate(const bramble_model *model, const bramble_table *table,
                                      uint32_t threads, bramble_evaluation *out, bramble_error *error)
{
    bramble_evaluation result = {.n_rows = table->n_rows,
                                 .accuracy = NAN,
                                 .log_loss = NAN,
                                 .macro_f1 = NAN,
                                 .rmse = NAN,
                                 .mae = NAN,
                                 .r2 = NAN};
    bramble_status status = check_target(model, table, error);
    if (!status) status = prediction_check_table(model, table, error);
    if (status) return status;
    status = table->classes ? evaluate_classes(model, table, threads, &result, error)
                            : evaluate_numbers(model, table, threads, &result, error);
    if (!status) *out = result;
    return status;
}

void bramble_evaluation_fini(bramble_evaluation *evaluation)
{
    mem_free(evaluation->confusion);
    evaluation->confusion = NULL;
}
