#include "train/net_score.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"

void net_chunk_fini(struct net_chunk *chunk)
{
    row_encoder_free(chunk->coder);
    mem_free(chunk->x);
    mem_free(chunk->outputs);
    mem_free(chunk->hot);
    *chunk = (struct net_chunk){0};
}

bramble_status net_chunk_init(struct net_chunk *chunk, const struct net_data *data, bramble_error *error)
{
    size_t n_outputs = data->encoder.n_outputs;
    *chunk = (struct net_chunk){.data = data};
    bramble_status status = row_encoder_new(&chunk->coder, &data->encoder, &data->validation, error);
    if (status) return status;
    chunk->x = mem_alloc_aligned(NET_CHUNK_ROWS, data->encoder.n_inputs * sizeof *chunk->x);
    chunk->outputs = mem_alloc_aligned(NET_CHUNK_ROWS, n_outputs * sizeof *chunk->outputs);
    chunk->hot = mem_alloc(NET_CHUNK_ROWS, n_outputs * sizeof *chunk->hot);
    if (chunk->x && chunk->outputs && chunk->hot) return BRAMBLE_OK;
    net_chunk_fini(chunk);
    return error_memory(error, "the validation rows");
}

size_t net_chunks(const struct net_data *data)
{
    return (data->validation.n_rows + NET_CHUNK_ROWS - 1) / NET_CHUNK_ROWS;
}

uint32_t net_chunk_rows(const struct net_data *data, size_t number)
{
    size_t left = data->validation.n_rows - number * NET_CHUNK_ROWS;
    return left < NET_CHUNK_ROWS ? (uint32_t)left : NET_CHUNK_ROWS;
}

void net_chunk_encode(struct net_chunk *chunk, size_t number)
{
    const struct rows *rows = &chunk->data->validation;
    uint32_t n = net_chunk_rows(chunk->data, number);
    size_t first = number * NET_CHUNK_ROWS, n_inputs = chunk->data->encoder.n_inputs;
    spill_want(rows->spill, rows->bytes + first * rows->row_bytes, n * rows->row_bytes);
    for (uint32_t i = 0; i < n; i++) row_encoder_encode(chunk->coder, first + i, chunk->x + i * n_inputs);
}

struct net_score_part net_chunk_judge(struct net_chunk *chunk, size_t number)
{
    const struct net_data *data = chunk->data;
    uint32_t n = net_chunk_rows(data, number);
    size_t first = number * NET_CHUNK_ROWS;
    const char *targets = (const char *)data->validation.targets + first * NET_TARGET_BYTES;
    const void *wanted = net_targets(&data->loss, &data->encoder, targets, n, chunk->hot);
    const float *weight = data->validation.weights ? data->validation.weights + first : NULL;
    struct loss_sum part =
        loss_microbatch(&data->loss, chunk->outputs, wanted, weight, n, data->encoder.n_outputs, 1, NULL);
    return (struct net_score_part){part.loss, part.weight, part.correct_weight};
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
    struct net_chunk chunk;
    size_t n = n_parts, begin = peers ? peers->first(peers->context, n_parts, &n) : 0;
    bramble_status status = net_chunk_init(&chunk, data, error);
    if (status) return status;
    for (size_t p = begin; !status && p < begin + n; p++) {
        net_chunk_encode(&chunk, p);
        status = net_run(net, chunk.x, net_chunk_rows(data, p), threads, chunk.outputs, error);
        if (!status) parts[p] = net_chunk_judge(&chunk, p);
    }
    net_chunk_fini(&chunk);
    return !status && peers ? peers->gather(peers->context, parts, n_parts, error) : status;
}

struct net_score net_score_sum(const struct net_data *data, const struct net_score_part *parts)
{
    struct net_score_part sum = {0};
    for (size_t p = 0; p < net_chunks(data); p++) {
        sum.loss += parts[p].loss;
        sum.weight += parts[p].weight;
        sum.correct_weight += parts[p].correct_weight;
    }
    struct net_score score = {.loss = sum.loss / sum.weight, .accuracy = NAN};
    if (data->encoder.task == BRAMBLE_TASK_CLASSIFICATION)
        score.accuracy = sum.correct_weight / rows_weight(&data->validation);
    return score;
}

bramble_status net_score_rows(struct net_score *out, const struct net_graph *net, const struct net_data *data,
                              uint32_t threads, const struct net_score_peers *peers, bramble_error *error)
{
    size_t n_parts = net_chunks(data);
    struct net_score_part *parts = mem_zalloc(n_parts, sizeof *parts);
    if (!parts) return error_memory(error, "the validation rows");
    bramble_status status = score_parts(parts, n_parts, net, data, threads, peers, error);
    if (!status) *out = net_score_sum(data, parts);
    mem_free(parts);
    return status;
}
