#include "net/dense.h"

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
    d.wants_dx = x->kind == NET_ACTIVATION || x->trained;
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
    if (d.relu) gate_numbers(call->dy[0], call->y[0], (size_t)call->samples * d.rows * d.n);
    if (!call->dx[0]) return;
    const struct net_product p = {.a = call->dy[0],
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

/*
 * A part of the gradient has `rows` of the K and `columns` of the N; those that begin at row 0 have the
 * bias', one row more. All its levels fit into the nearest cache: a microbatch adds little to each number.
 */
struct block {
    uint32_t rows, columns, row_blocks;
};

static struct block block_of(const struct dense *d)
{
    enum { NUMBERS = 1536, COLUMNS = 64, TILE_ROWS = 12 };
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

static size_t leaf_size(const struct block *block)
{
    return (size_t)(block->rows + 1) * block->columns;
}

/* Behind the leaves, room for a total that has yet to be turned. */
size_t dense_gradient_scratch_bytes(const struct net_graph *graph, const struct net_node *node)
{
    struct dense d = dense_of(graph, node);
    struct block block = block_of(&d);
    return weight_part_bytes(leaf_size(&block)) + leaf_size(&block) * sizeof(float);
}

/* rows x columns from (first, from) on. */
struct place {
    uint32_t first, rows, from, columns;
};

static struct place place_of(const struct dense *d, const struct block *block, uint32_t part)
{
    struct place p = {.first = part % block->row_blocks * block->rows,
                      .from = part / block->row_blocks * block->columns};
    p.rows = d->k - p.first < block->rows ? d->k - p.first : block->rows;
    p.columns = d->n - p.from < block->columns ? d->n - p.from : block->columns;
    return p;
}

static void write_turned(const struct dense *d, const struct place *p, float *gradient, const float *total)
{
    for (uint32_t j = 0; j < p->columns; j++)
        for (uint32_t i = 0; i < p->rows; i++)
            gradient[(p->from + j) * d->n_stride + p->first + i] = total[(size_t)i * p->columns + j];
}

void dense_parameter_gradient(const struct net_gradient_call *call, uint32_t part)
{
    struct dense d = dense_of(call->graph, call->node);
    struct block block = block_of(&d);
    struct place p = place_of(&d, &block, part);
    float *weight = call->gradient[1], *bias = p.first == 0 && d.bias ? call->gradient[2] : NULL;
    float *total = (float *)call->scratch + FOLD_LEVELS * leaf_size(&block);
    bool turned = d.n_stride != 1;
    struct weight_part sums;
    weight_part_begin(&sums, call->kernels, call->scratch, leaf_size(&block), call->samples);
    struct net_outer o = {.a_inner = d.k,
                          .b_inner = d.n,
                          .n_outer = 1,
                          .n_rows = p.rows,
                          .n = p.columns,
                          .sums_stride = p.columns,
                          .g_stride = turned ? p.columns : d.n};
    for (uint64_t sample = 0; sample < call->samples; sample += MICROBATCH) {
        uint64_t left = call->samples - sample;
        o.n_inner = (left < MICROBATCH ? (uint32_t)left : MICROBATCH) * d.rows;
        o.a = call->x[0] + sample * d.rows * d.k + p.first;
        o.b = call->dy[0] + sample * d.rows * d.n + p.from;
        if (weight) {
            o.g = turned ? total : weight + (size_t)p.first * d.n + p.from;
            weight_part_outer(&sums, &o, 0, true, true);
        }
        if (bias) {
            o.g = bias + p.from;
            weight_part_sum(&sums, &o, (size_t)p.rows * p.columns, true, true);
        }
        weight_part_next(&sums);
    }
    if (weight && turned) write_turned(&d, &p, weight, total);
}

uint64_t dense_macs(const struct net_graph *graph, const struct net_node *node)
{
    struct dense d = dense_of(graph, node);
    return (uint64_t)d.rows * d.k * d.n;
}
