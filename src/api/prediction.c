#include "api/prediction.h"

#include <string.h>

#include "api/net_prediction.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "forest/quantised.h"

enum {
    THREADS_MAX = 1024,
    BLOCK_VALUES = 1 << 17, /* of rows that go down the trees together: their codes take 256 KB */
    BLOCK_ROWS_MIN = 64,
    BLOCK_ROWS_MAX = 8192,
};

struct job {
    const struct forest *forest;
    const struct prediction_rows *rows;
    const struct prediction_outputs *out;
    size_t block, width;         /* rows a block; outputs a row: C or 1 */
    struct quantised *quantised; /* NULL: too few rows to pay */
    uint16_t *codes;             /* block x F a thread, if quantised */
    float *gathered;             /* block x F a thread, if the rows are a table's */
    float *sums;                 /* block x width a thread, when nobody wants probabilities */
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

/* Leaf shares or values of rows begin..begin + n - 1, averaged. */
static void sum_rows(const struct job *job, uint32_t thread, size_t begin, size_t n, float *sums)
{
    size_t n_features = job->forest->n_features, room = thread * job->block * n_features;
    const float *x = job->rows->table ? job->gathered + room : job->rows->x + begin * n_features;
    if (job->rows->table) gather_rows(job->rows->table, job->rows->first + begin, n, job->gathered + room);
    if (job->quantised)
        quantised_predict_rows(job->quantised, x, n, job->codes + room, sums);
    else
        forest_predict_rows(job->forest, x, n, sums);
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

/* Rows whose values stay at hand while a tree after the other is walked; few enough for each thread to have
 * some. */
static size_t block_rows(const struct forest *forest, size_t n_rows, uint32_t threads)
{
    size_t rows = BLOCK_VALUES / forest->n_features, share = n_rows / threads + 1;
    if (rows > BLOCK_ROWS_MAX) rows = BLOCK_ROWS_MAX;
    if (rows > share) rows = share;
    if (rows < BLOCK_ROWS_MIN) rows = BLOCK_ROWS_MIN;
    return rows < n_rows ? rows : n_rows;
}

/* False: out of memory. */
static bool allocate(struct job *job, uint32_t threads)
{
    size_t rows = threads * job->block, n_features = job->forest->n_features;
    bool quantised = quantised_pays(job->forest, job->rows->n_rows);
    if (quantised) job->quantised = quantised_new(job->forest);
    if (quantised) job->codes = mem_alloc(rows * n_features, sizeof *job->codes);
    if (job->rows->table) job->gathered = mem_alloc(rows * n_features, sizeof *job->gathered);
    if (!job->out->proba) job->sums = mem_alloc(rows * job->width, sizeof *job->sums);
    return (!quantised || (job->quantised && job->codes)) && (!job->rows->table || job->gathered) &&
           (job->out->proba || job->sums);
}

static bramble_status forest_run(const struct forest *forest, const struct prediction_rows *rows,
                                 uint32_t threads, const struct prediction_outputs *out, bramble_error *error)
{
    if (!rows->n_rows) return BRAMBLE_OK;
    if (!threads) threads = threads_available();
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    struct job job = {.forest = forest,
                      .rows = rows,
                      .out = out,
                      .block = block_rows(forest, rows->n_rows, threads),
                      .width = forest->n_classes ? forest->n_classes : 1};
    uint64_t n_blocks = (rows->n_rows + job.block - 1) / job.block;
    if (threads > n_blocks) threads = (uint32_t)n_blocks;
    bramble_status status = BRAMBLE_OK;
    if (allocate(&job, threads))
        threads_run(threads, n_blocks, predict_block, &job);
    else
        status = error_memory(error, "rows to predict");
    quantised_free(job.quantised);
    mem_free(job.codes);
    mem_free(job.gathered);
    mem_free(job.sums);
    return status;
}

bramble_status prediction_run(const struct bramble_model *model, const struct prediction_rows *rows,
                              uint32_t threads, const struct prediction_outputs *out, bramble_error *error)
{
    const struct spill *spill = rows->table ? rows->table->spill : NULL;
    spill_scattered(spill, true); /* some rows at a time, of all columns */
    bramble_status status = model->kind == MODEL_NET ? net_prediction_run(model, rows, threads, out, error)
                                                     : forest_run(model->forest, rows, threads, out, error);
    spill_scattered(spill, false);
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
