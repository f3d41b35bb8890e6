#include "train/net_score.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/operator.h"

enum { CHUNK_ROWS = 256 };

/* Rows on their way through the network. */
struct chunk {
    struct row_encoder *coder;
    float *x, *outputs, *hot;
};

static void chunk_fini(struct chunk *chunk)
{
    row_encoder_free(chunk->coder);
    mem_free(chunk->x);
    mem_free(chunk->outputs);
    mem_free(chunk->hot);
}

static bramble_status chunk_init(struct chunk *chunk, const struct net_data *data, size_t n_outputs,
                                 bramble_error *error)
{
    *chunk = (struct chunk){0};
    bramble_status status = row_encoder_new(&chunk->coder, &data->encoder, &data->validation, error);
    if (status) return status;
    chunk->x = mem_alloc_aligned(CHUNK_ROWS, data->encoder.n_inputs * sizeof *chunk->x);
    chunk->outputs = mem_alloc_aligned(CHUNK_ROWS, n_outputs * sizeof *chunk->outputs);
    chunk->hot = mem_alloc(CHUNK_ROWS, n_outputs * sizeof *chunk->hot);
    if (chunk->x && chunk->outputs && chunk->hot) return BRAMBLE_OK;
    chunk_fini(chunk);
    return error_memory(error, "the validation rows");
}

static bramble_status score_rows(struct net_score_part *out, struct chunk *chunk, const struct net_graph *net,
                                 const struct net_data *data, size_t first, uint32_t n, uint32_t threads,
                                 bramble_error *error)
{
    uint32_t n_outputs = (uint32_t)net->values[net->output].size;
    size_t n_inputs = data->encoder.n_inputs, row_bytes = data->validation.row_bytes;
    spill_want(data->validation.spill, data->validation.bytes + first * row_bytes, n * row_bytes);
    for (uint32_t i = 0; i < n; i++) row_encoder_encode(chunk->coder, first + i, chunk->x + i * n_inputs);
    bramble_status status = net_run(net, chunk->x, n, threads, chunk->outputs, error);
    if (status) return status;
    const char *targets = (const char *)data->validation.targets + first * NET_TARGET_BYTES;
    const void *wanted = net_targets(&data->loss, &data->encoder, targets, n, chunk->hot);
    const float *weight = data->validation.weights ? data->validation.weights + first : NULL;
    struct loss_sum part =
        loss_microbatch(&data->loss, chunk->outputs, wanted, weight, n, n_outputs, 1, NULL);
    *out = (struct net_score_part){part.loss, part.weight, part.correct_weight};
    return BRAMBLE_OK;
}

static double rows_weight(const struct rows *rows)
{
    double sum = 0;
    for (size_t i = 0; i < rows->n_rows; i++) sum += rows->weights ? (double)rows->weights[i] : 1;
    return sum;
}

/* Our parts, and with peers everybody's. */
static bramble_status score_parts(struct net_score_part *parts, size_t n_parts, const struct net_graph *net,
                                  const struct net_data *data, uint32_t threads,
                                  const struct net_score_peers *peers, bramble_error *error)
{
    struct chunk chunk;
    size_t n = n_parts, n_rows = data->validation.n_rows;
    size_t begin = peers ? peers->first(peers->context, n_parts, &n) : 0;
    bramble_status status = chunk_init(&chunk, data, net->values[net->output].size, error);
    if (status) return status;
    for (size_t p = begin; !status && p < begin + n; p++) {
        size_t first = p * CHUNK_ROWS, rows = n_rows - first < CHUNK_ROWS ? n_rows - first : CHUNK_ROWS;
        status = score_rows(&parts[p], &chunk, net, data, first, (uint32_t)rows, threads, error);
    }
    chunk_fini(&chunk);
    return !status && peers ? peers->gather(peers->context, parts, n_parts, error) : status;
}

bramble_status net_score_rows(struct net_score *out, const struct net_graph *net, const struct net_data *data,
                              uint32_t threads, const struct net_score_peers *peers, bramble_error *error)
{
    struct net_score_part sum = {0};
    size_t n_parts = (data->validation.n_rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
    struct net_score_part *parts = mem_zalloc(n_parts, sizeof *parts);
    if (!parts) return error_memory(error, "the validation rows");
    bramble_status status = score_parts(parts, n_parts, net, data, threads, peers, error);
    for (size_t p = 0; !status && p < n_parts; p++) {
        sum.loss += parts[p].loss;
        sum.weight += parts[p].weight;
        sum.correct_weight += parts[p].correct_weight;
    }
    mem_free(parts);
    if (status) return status;
    *out = (struct net_score){.loss = sum.loss / sum.weight, .accuracy = NAN};
    if (data->encoder.task == BRAMBLE_TASK_CLASSIFICATION)
        out->accuracy = sum.correct_weight / rows_weight(&data->validation);
    return BRAMBLE_OK;
}
