#include "net/dense.h"

#include <string.h>

#include "base/error.h"
#include "net/kernels/products.h"
#include "net/weight_part.h"

struct dense {
    uint32_t rows, k, n; /* rows: a sample's */
    size_t k_stride, n_stride;
    bool bias, relu;
    bool wants_dx;
};

static struct dense dense_of(const struct net_graph *graph, const struct net_node *node)
{
    const struct net_value *x = &graph->values[node->inputs[0]], *w = &graph->values[node->inputs[1]];
    bool turned = node->attributes.transpose_b;
    struct dense d = {.k = w->shape.dim[turned], .n = w->shape.dim[!turned], .relu = node->attributes.relu};
    d.rows = (uint32_t)(x->size / d.k);
    d.k_stride = turned ? 1 : d.n;
    d.n_stride = turned ? d.k : 1;
    d.bias = node->n_inputs > 2 && node->inputs[2] != NET_NONE;
    d.wants_dx = x->kind == NET_ACTIVATION;
    return d;
}

static bool per_sample(const struct net_value *value)
{
    return value->kind == NET_INPUT || value->kind == NET_ACTIVATION;
}

static bramble_status check_weight(const struct net_value *x, const struct net_value *w, bool turned,
                                   bramble_error *error)
{
    char text[64];
    if (!per_sample(x) || per_sample(w))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "the first input must come from the data, the second be a weight");
    if (w->shape.rank != 2 || !w->size)
        return error_set(error, BRAMBLE_ERR_DATA, "the weight is %s, it must be a matrix",
                         shape_text(&w->shape, text));
    uint32_t k = w->shape.dim[turned], last = x->shape.rank ? x->shape.dim[x->shape.rank - 1] : 0;
    if (last != k)
        return error_set(error, BRAMBLE_ERR_DATA, "the input's last axis has %u numbers, the weight takes %u",
                         last, k);
    return BRAMBLE_OK;
}

bramble_status dense_infer(const struct net_graph *graph, const struct net_node *node,
                           struct net_shape *shapes, bramble_error *error)
{
    const struct net_value *x = &graph->values[node->inputs[0]], *w = &graph->values[node->inputs[1]];
    bool turned = node->attributes.transpose_b;
    bramble_status status = check_weight(x, w, turned, error);
    if (status != BRAMBLE_OK) return status;
    struct dense d = dense_of(graph, node);
    if (d.bias) {
        const struct net_value *bias = &graph->values[node->inputs[2]];
        if (per_sample(bias) || bias->shape.rank != 1 || bias->size != d.n)
            return error_set(error, BRAMBLE_ERR_DATA, "the bias must be a weight of %u numbers", d.n);
    }
    if ((uint64_t)d.rows * d.n > UINT32_MAX / MICROBATCH || x->size > UINT32_MAX / MICROBATCH)
        return error_set(error, BRAMBLE_ERR_DATA, "a sample has too many numbers");
    shapes[0] = x->shape;
    shapes[0].dim[x->shape.rank - 1] = d.n;
    return BRAMBLE_OK;
}

/* Packed for forward, and behind that, where it is wanted, turned for backward. */
size_t dense_prepared_bytes(const struct net_graph *graph, const struct net_node *node)
{
    struct dense d = dense_of(graph, node);
    return (packed_size(d.k, d.n) + (d.wants_dx ? packed_size(d.n, d.k) : 0)) * sizeof(float);
}

void dense_prepare(const struct net_graph *graph, const struct net_node *node, void *prepared, bool training)
{
    struct dense d = dense_of(graph, node);
    const float *w = graph_numbers(graph, node->inputs[1]);
    float *packed = prepared;
    packed_fill(packed, d.k, d.n, 0, d.k, w, d.k_stride, d.n_stride);
    if (training && d.wants_dx)
        packed_fill(packed + packed_size(d.k, d.n), d.n, d.k, 0, d.n, w, d.n_stride, d.k_stride);
}

/* dy with what a Relu has cut off taken out. */
size_t dense_scratch_bytes(const struct net_graph *graph, const struct net_node *node, uint32_t samples)
{
    struct dense d = dense_of(graph, node);
    return d.relu && d.wants_dx ? (size_t)samples * d.rows * d.n * sizeof(float) : 0;
}

void dense_forward(const struct net_call *call)
{
    struct dense d = dense_of(call->graph, call->node);
    const struct net_product p = {.a = call->x[0],
                                  .a_stride = d.k,
                                  .n_rows = call->samples * d.rows,
                                  .n_segments = 1,
                                  .length = d.k,
                                  .b = call->prepared,
                                  .n = d.n,
                                  .bias = d.bias ? call->x[2] : NULL,
                                  .relu = d.relu,
                                  .y = call->y[0],
                                  .y_stride = d.n};
    net_kernels_or_best(call->kernels)->product(&p);
}

void dense_backward(const struct net_call *call)
{
    struct dense d = dense_of(call->graph, call->node);
    if (!call->dx[0]) return;
    const float *dy = call->dy[0];
    if (d.relu) {
        gate_numbers(call->scratch, dy, call->y[0], (size_t)call->samples * d.rows * d.n);
        dy = call->scratch;
    }
    const struct net_product p = {.a = dy,
                                  .a_stride = d.n,
                                  .n_rows = call->samples * d.rows,
                                  .n_segments = 1,
                                  .length = d.n,
                                  .b = (const float *)call->prepared + packed_size(d.k, d.n),
                                  .n = d.k,
                                  .add = call->add[0],
                                  .y = call->dx[0],
                                  .y_stride = d.k};
    net_kernels_or_best(call->kernels)->product(&p);
}

/* A part of the gradient has `rows` of the K and `columns` of the N; those that begin at row 0 have the
 * bias', one row more. */
struct block {
    uint32_t rows, columns, row_blocks;
};

static struct block block_of(const struct dense *d)
{
    enum { NUMBERS = 8192, COLUMNS = 512, TILE_ROWS = 12 };
    struct block block = {.columns = d->n < COLUMNS ? d->n : COLUMNS};
    block.rows = NUMBERS / block.columns / TILE_ROWS * TILE_ROWS;
    if (block.rows > d->k) block.rows = d->k;
    block.row_blocks = (d->k + block.rows - 1) / block.rows;
    return block;
}

uint32_t dense_gradient_parts(const struct net_graph *graph, const struct net_node *node)
{
    struct dense d = dense_of(graph, node);
    struct block block = block_of(&d);
    return block.row_blocks * ((d.n + block.columns - 1) / block.columns);
}

size_t dense_gradient_scratch_bytes(const struct net_graph *graph, const struct net_node *node)
{
    struct dense d = dense_of(graph, node);
    struct block block = block_of(&d);
    return weight_part_bytes((size_t)(block.rows + 1) * block.columns);
}

/* rows x columns of the weight's gradient, from where `gradient` points. */
static void write_weight(const struct dense *d, float *gradient, const float *total, uint32_t rows,
                         uint32_t columns)
{
    for (uint32_t i = 0; i < rows && d->n_stride == 1; i++)
        memcpy(gradient + i * d->k_stride, total + (size_t)i * columns, columns * sizeof *total);
    for (uint32_t i = 0; i < rows && d->n_stride != 1; i++)
        for (uint32_t j = 0; j < columns; j++)
            gradient[i * d->k_stride + j * d->n_stride] = total[(size_t)i * columns + j];
}

void dense_parameter_gradient(const struct net_gradient_call *call, uint32_t part)
{
    struct dense d = dense_of(call->graph, call->node);
    struct block block = block_of(&d);
    uint32_t first = part % block.row_blocks * block.rows, from = part / block.row_blocks * block.columns;
    uint32_t rows = d.k - first < block.rows ? d.k - first : block.rows;
    uint32_t columns = d.n - from < block.columns ? d.n - from : block.columns;
    bool bias = first == 0 && d.bias && call->gradient[2], weight = call->gradient[1];
    struct weight_part sums;
    weight_part_begin(&sums, call->kernels, call->scratch, (size_t)((weight ? rows : 0) + bias) * columns);
    struct net_outer o = {
        .a_inner = d.k, .b_inner = d.n, .n_outer = 1, .n_rows = rows, .n = columns, .g_stride = columns};
    for (uint64_t sample = 0; sample < call->samples; sample += MICROBATCH) {
        uint64_t left = call->samples - sample;
        o.n_inner = (left < MICROBATCH ? (uint32_t)left : MICROBATCH) * d.rows;
        o.a = call->x[0] + sample * d.rows * d.k + first;
        o.b = call->dy[0] + sample * d.rows * d.n + from;
        o.gate = d.relu ? call->y[0] + sample * d.rows * d.n + from : NULL;
        if (weight) weight_part_outer(&sums, &o, 0, true, true);
        if (bias) weight_part_sum(&sums, &o, weight ? (size_t)rows * columns : 0, true, true);
        weight_part_next(&sums);
    }
    weight_part_end(&sums);
    if (weight)
        write_weight(&d, call->gradient[1] + first * d.k_stride + from * d.n_stride, sums.total, rows,
                     columns);
    if (bias)
        memcpy(call->gradient[2] + from, sums.total + (weight ? (size_t)rows * columns : 0),
               columns * sizeof(float));
}

uint64_t dense_macs(const struct net_graph *graph, const struct net_node *node)
{
    struct dense d = dense_of(graph, node);
    return (uint64_t)d.rows * d.k * d.n;
}
