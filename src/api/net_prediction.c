#include "api/net_prediction.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/operator.h"
#include "net/step.h"

enum { CHUNK_NUMBERS = 1 << 21, CHUNK_ROWS_MIN = MICROBATCH, CHUNK_ROWS_MAX = 1024 };

/* Rows on their way through the network. */
struct chunk {
    const struct bramble_model *model;
    const struct prediction_rows *rows;
    const struct prediction_outputs *out;
    size_t n_outputs;
    float *x, *outputs;
};

static void encode(const struct chunk *chunk, size_t first, size_t n)
{
    const struct encoder *encoder = &chunk->model->encoder;
    const struct prediction_rows *rows = chunk->rows;
    if (rows->table) {
        encoder_encode(encoder, rows->table, rows->first + first, n, chunk->x);
        return;
    }
    for (size_t r = 0; r < n; r++)
        for (uint32_t f = 0; f < encoder->n_features; f++)
            encoder_encode_value(encoder, f, rows->x[(first + r) * encoder->n_features + f],
                                 chunk->x + r * encoder->n_inputs);
}

static uint32_t greatest(const float *x, size_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return best;
}

/* An embedding makes no finite number of a place that it lacks. */
static bramble_status check_finite(const struct chunk *chunk, size_t first, size_t n, bramble_error *error)
{
    for (size_t i = 0; i < n * chunk->n_outputs; i++)
        if (!isfinite(chunk->outputs[i]))
            return error_set(error, BRAMBLE_ERR_DATA,
                             "row %zu: the network puts out no finite number for it; are its values like "
                             "those it was trained on?",
                             first + i / chunk->n_outputs + 1);
    return BRAMBLE_OK;
}

static void decode(const struct chunk *chunk, size_t first, size_t n)
{
    const struct prediction_outputs *out = chunk->out;
    const struct encoder *encoder = &chunk->model->encoder;
    bool classes = chunk->model->schema.n_classes > 0;
    for (size_t r = 0; r < n; r++) {
        const float *outputs = chunk->outputs + r * chunk->n_outputs;
        uint32_t best = classes ? greatest(outputs, chunk->n_outputs) : 0;
        if (out->classes) out->classes[first + r] = best;
        if (out->values)
            out->values[first + r] = classes ? (double)best : encoder_target_value(encoder, outputs[0]);
        if (out->proba) encoder_probabilities(encoder, outputs, out->proba + (first + r) * chunk->n_outputs);
    }
}

static size_t chunk_rows(const struct bramble_model *model, size_t n_rows)
{
    size_t rows = CHUNK_NUMBERS / (model->encoder.n_inputs + 1);
    if (rows < CHUNK_ROWS_MIN) rows = CHUNK_ROWS_MIN;
    if (rows > CHUNK_ROWS_MAX) rows = CHUNK_ROWS_MAX;
    return rows < n_rows ? rows : n_rows;
}

bramble_status net_prediction_run(const struct bramble_model *model, const struct prediction_rows *rows,
                                  uint32_t threads, const struct prediction_outputs *out,
                                  bramble_error *error)
{
    if (!rows->n_rows) return BRAMBLE_OK;
    size_t most = chunk_rows(model, rows->n_rows);
    struct chunk chunk = {
        .model = model, .rows = rows, .out = out, .n_outputs = model->net->values[model->net->output].size};
    chunk.x = mem_alloc_aligned(most, model->encoder.n_inputs * sizeof *chunk.x);
    chunk.outputs = mem_alloc_aligned(most, chunk.n_outputs * sizeof *chunk.outputs);
    bramble_status status = BRAMBLE_OK;
    if (!chunk.x || !chunk.outputs) status = error_memory(error, "rows to predict");
    for (size_t first = 0; !status && first < rows->n_rows; first += most) {
        size_t n = rows->n_rows - first < most ? rows->n_rows - first : most;
        encode(&chunk, first, n);
        status = net_run(model->net, chunk.x, n, threads, chunk.outputs, error);
        if (!status) status = check_finite(&chunk, first, n, error);
        if (!status) decode(&chunk, first, n);
    }
    mem_free(chunk.x);
    mem_free(chunk.outputs);
    return status;
}
