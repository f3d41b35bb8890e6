#include "api/prediction.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"

enum { THREADS_MAX = 1024 };

struct job {
    const struct forest *forest;
    const struct prediction_rows *rows;
    const struct prediction_outputs *out;
    size_t block, width; /* rows a block; outputs a row: C or 1 */
    bool bytes;          /* every feature of the table is a byte, or the rows may all be */
    size_t value_size;   /* of what is gathered */
    char *gathered;      /* block x F values a thread */
    float *sums;         /* block x width floats a thread, when nobody wants probabilities */
};

static void gather_rows(const struct bramble_table *table, size_t first, size_t n, float *x)
{
    size_t n_features = table->schema.n_features;
    for (size_t f = 0; f < n_features; f++) {
        const struct column *column = &table->columns[f];
        bramble_feature_type type = table->schema.features[f].type;
        for (size_t r = 0; r < n; r++) x[r * n_features + f] = column_value(column, type, first + r);
    }
}

static void gather_bytes(const struct bramble_table *table, size_t first, size_t n, uint8_t *x)
{
    size_t n_features = table->schema.n_features;
    for (size_t f = 0; f < n_features; f++) {
        const uint8_t *column = table->columns[f].bytes + first;
        for (size_t r = 0; r < n; r++) x[r * n_features + f] = column[r];
    }
}

static bool all_bytes(const struct bramble_table *table)
{
    for (uint32_t f = 0; f < table->schema.n_features; f++)
        if (table->schema.features[f].type != BRAMBLE_FEATURE_BYTE) return false;
    return true;
}

/* Pixels and counts often come as floats. Rows of whole numbers 0..255 alone, as bytes; else false. */
static bool narrow_rows(const float *x, size_t n_values, uint8_t *bytes)
{
    for (size_t i = 0; i < n_values; i++) {
        float value = x[i] >= 0 && x[i] <= 255 ? x[i] : 0;
        bytes[i] = (uint8_t)(int)value;
        if ((float)bytes[i] != x[i]) return false;
    }
    return true;
}

/* Judged by the first of the rows given as floats. */
static bool looks_like_bytes(const struct prediction_rows *rows, size_t n_features)
{
    for (size_t f = 0; rows->n_rows && f < n_features; f++) {
        uint8_t byte;
        if (!narrow_rows(rows->x + f, 1, &byte)) return false;
    }
    return true;
}

/* Leaf shares or values of rows begin..begin + n - 1, averaged. */
static void sum_rows(const struct job *job, uint32_t thread, size_t begin, size_t n, float *sums)
{
    size_t n_features = job->forest->n_features;
    void *gathered = job->gathered + thread * job->block * n_features * job->value_size;
    if (job->rows->table && !job->bytes) {
        gather_rows(job->rows->table, job->rows->first + begin, n, gathered);
        forest_predict_rows(job->forest, gathered, n, 1, sums);
    } else if (job->rows->table) {
        gather_bytes(job->rows->table, job->rows->first + begin, n, gathered);
        forest_predict_bytes(job->forest, gathered, n, 1, sums);
    } else {
        const float *x = job->rows->x + begin * n_features;
        if (job->bytes && narrow_rows(x, n * n_features, gathered))
            forest_predict_bytes(job->forest, gathered, n, 1, sums);
        else
            forest_predict_rows(job->forest, x, n, 1, sums);
    }
}

static uint32_t most_probable(const float *shares, size_t n_classes)
{
    uint32_t best = 0;
    for (uint32_t c = 1; c < n_classes; c++)
        if (shares[c] > shares[best]) best = c;
    return best;
}

static void predict_block(void *context, uint32_t thread, uint64_t i)
{
    const struct job *job = context;
    size_t begin = i * job->block, n = job->rows->n_rows - begin;
    if (n > job->block) n = job->block;
    float *sums =
        job->out->proba ? job->out->proba + begin * job->width : job->sums + thread * job->block * job->width;
    sum_rows(job, thread, begin, n, sums);
    for (size_t r = 0; r < n; r++) {
        uint32_t best = job->forest->n_classes ? most_probable(sums + r * job->width, job->width) : 0;
        if (job->out->classes) job->out->classes[begin + r] = best;
        if (job->out->values) job->out->values[begin + r] = job->forest->n_classes ? best : (double)sums[r];
    }
}

bramble_status prediction_run(const struct forest *forest, const struct prediction_rows *rows,
                              uint32_t threads, const struct prediction_outputs *out, bramble_error *error)
{
    struct job job = {.forest = forest,
                      .rows = rows,
                      .out = out,
                      .bytes =
                          rows->table ? all_bytes(rows->table) : looks_like_bytes(rows, forest->n_features),
                      .width = forest->n_classes ? forest->n_classes : 1};
    job.value_size = job.bytes ? sizeof(uint8_t) : sizeof(float);
    job.block = forest_predict_block_rows(forest, job.bytes);
    if (job.block > rows->n_rows && rows->n_rows) job.block = rows->n_rows;
    uint64_t n_blocks = (rows->n_rows + job.block - 1) / job.block;
    if (!threads) threads = threads_available();
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    if (threads > n_blocks) threads = n_blocks ? (uint32_t)n_blocks : 1;
    job.gathered = mem_alloc(threads * job.block, forest->n_features * job.value_size);
    if (!out->proba) job.sums = mem_alloc(threads * job.block, job.width * sizeof(float));
    bramble_status status = BRAMBLE_OK;
    if (job.gathered && (job.sums || out->proba))
        threads_run(threads, n_blocks, predict_block, &job);
    else
        status = error_memory(error, "rows to predict");
    mem_free(job.gathered);
    mem_free(job.sums);
    return status;
}

static bool same_categories(const struct feature *a, const struct feature *b)
{
    if (a->n_categories != b->n_categories || a->has_other != b->has_other) return false;
    for (uint32_t c = 0; c < a->n_categories; c++)
        if (strcmp(a->categories[c], b->categories[c]) != 0) return false;
    return true;
}

bramble_status prediction_check_table(const struct bramble_model *model, const struct bramble_table *table,
                                      bramble_error *error)
{
    const struct bramble_schema *wanted = &model->schema, *given = &table->schema;
    if (given->n_features != wanted->n_features)
        return error_set(
            error, BRAMBLE_ERR_DATA,
            "the table has %u features and the model was trained on %u; read it with the model's "
            "schema",
            given->n_features, wanted->n_features);
    for (uint32_t f = 0; f < wanted->n_features; f++) {
        const struct feature *a = &wanted->features[f], *b = &given->features[f];
        bool a_category = a->type == BRAMBLE_FEATURE_CATEGORY,
             b_category = b->type == BRAMBLE_FEATURE_CATEGORY;
        if (a_category != b_category)
            return error_set(error, BRAMBLE_ERR_DATA,
                             "feature %u (\"%s\") is a %s in the table and a %s in the model; read the table "
                             "with the model's schema",
                             f, b->name, b_category ? "category" : "number",
                             a_category ? "category" : "number");
        if (a_category && !same_categories(a, b))
            return error_set(
                error, BRAMBLE_ERR_DATA,
                "feature %u (\"%s\") has other categories in the table than in the model; read the "
                "table with the model's schema",
                f, b->name);
    }
    return BRAMBLE_OK;
}
