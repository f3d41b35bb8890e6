/*
 * Gather: rows of a table: embeddings. Inputs: the table, a weight of V x ..., and numbers of rows, an
 * activation. An index that is not a whole number from 0 to V - 1 gives a row of NaN and takes no gradient:
 * training stops at a loss that is not finite, and names this node as where that began.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "net/fold.h"
#include "net/kernels/kernel.h"
#include "net/operands.h"
#include "net/operators.h"

enum { TABLE, INDICES, PART = 4096 }; /* numbers of a part of the gradient, at least a row */

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    const struct net_shape *table = operand_shape(graph, node, TABLE);
    bramble_status status = operand_check_activation(graph, node, INDICES, error);
    if (status) return status;
    struct net_shape out = *operand_shape(graph, node, INDICES);
    if (operand_per_sample(graph, node, TABLE) || !table->rank)
        return error_set(error, BRAMBLE_ERR_DATA, "input 0 (%.80s) has to be a weight: a table of rows",
                         operand(graph, node, TABLE)->name);
    if (out.rank + table->rank - 1 > NET_RANK_MAX)
        return error_set(error, BRAMBLE_ERR_DATA, "the output would have %u dimensions, %d are the most",
                         out.rank + table->rank - 1, NET_RANK_MAX);
    for (uint32_t d = 1; d < table->rank; d++) out.dim[out.rank++] = table->dim[d];
    shapes[0] = out;
    return BRAMBLE_OK;
}

static uint32_t table_rows(const struct net_graph *graph, const struct net_node *node)
{
    return operand_shape(graph, node, TABLE)->dim[0];
}

static size_t row_length(const struct net_graph *graph, const struct net_node *node)
{
    return operand_size(graph, node, TABLE) / table_rows(graph, node);
}

/* The row that a number names, or rows: none. */
static uint32_t row_named(float index, uint32_t rows)
{
    if (!(index >= 0 && (double)index < rows)) return rows;
    uint32_t row = (uint32_t)index;
    return (float)row == index ? row : rows;
}

static void forward(const struct net_call *call)
{
    uint32_t rows = table_rows(call->graph, call->node);
    size_t length = row_length(call->graph, call->node);
    size_t n = call->samples * operand_size(call->graph, call->node, INDICES);
    for (size_t i = 0; i < n; i++) {
        uint32_t row = row_named(call->x[INDICES][i], rows);
        float *y = call->y[0] + i * length;
        if (row < rows)
            memcpy(y, call->x[TABLE] + row * length, length * sizeof *y);
        else
            for (size_t j = 0; j < length; j++) y[j] = NAN;
    }
}

/* Indices have no gradient: nothing depends on them smoothly. */
static void backward(const struct net_call *call)
{
    size_t n = call->samples * operand_size(call->graph, call->node, INDICES);
    if (call->dx[INDICES] && !call->add[INDICES]) memset(call->dx[INDICES], 0, n * sizeof(float));
}

static size_t part_rows(const struct net_graph *graph, const struct net_node *node)
{
    size_t rows = PART / row_length(graph, node), all = table_rows(graph, node);
    return rows == 0 ? 1 : rows < all ? rows : all;
}

static uint32_t gradient_parts(const struct net_graph *graph, const struct net_node *node)
{
    size_t rows = part_rows(graph, node);
    return (uint32_t)((table_rows(graph, node) + rows - 1) / rows);
}

static size_t gradient_scratch_bytes(const struct net_graph *graph, const struct net_node *node)
{
    return FOLD_LEVELS * part_rows(graph, node) * row_length(graph, node) * sizeof(float);
}

KERNEL static void add_row(const float *dy, size_t n, float *sum)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) sum[i] += dy[i];
}

/* Rows from `from` to before `end`; n samples' indices. */
static bool any_named(const float *indices, size_t n, uint32_t rows, uint32_t from, uint32_t end)
{
    bool any = false;
    for (size_t i = 0; i < n && !any; i++) {
        uint32_t row = row_named(indices[i], rows);
        any = row >= from && row < end;
    }
    return any;
}

static void parameter_gradient(const struct net_gradient_call *call, uint32_t part)
{
    uint32_t rows = table_rows(call->graph, call->node);
    size_t length = row_length(call->graph, call->node), width = part_rows(call->graph, call->node);
    size_t sample = operand_size(call->graph, call->node, INDICES);
    uint32_t from = (uint32_t)(part * width), end = rows - from < width ? rows : (uint32_t)(from + width);
    float *gradient = call->gradient[TABLE] + from * length;
    const float *indices = call->x[INDICES];
    struct fold fold;
    if (!any_named(indices, call->samples * sample, rows, from, end)) {
        memset(gradient, 0, (end - from) * length * sizeof *gradient);
        return;
    }
    fold_begin(&fold, call->scratch, (end - from) * length);
    for (uint64_t first = 0; first < call->samples; first += MICROBATCH) {
        uint64_t left = call->samples - first, behind = first + (left < MICROBATCH ? left : MICROBATCH);
        float *leaf = fold_leaf(&fold);
        memset(leaf, 0, (end - from) * length * sizeof *leaf);
        for (size_t i = first * sample; i < behind * sample; i++) {
            uint32_t row = row_named(indices[i], rows);
            if (row >= from && row < end)
                add_row(call->dy[0] + i * length, length, leaf + (row - from) * length);
        }
        fold_add(&fold);
    }
    fold_end(&fold, gradient);
}

static uint32_t trained_parts(const struct net_graph *graph, const struct net_node *node)
{
    return operand(graph, node, TABLE)->kind == NET_PARAMETER ? gradient_parts(graph, node) : 0;
}

const struct net_operator op_gather = {
    .name = "Gather",
    .min_inputs = 2,
    .max_inputs = 2,
    .max_outputs = 1,
    .backward_reads = NET_READS_INPUTS,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .gradient_parts = trained_parts,
    .gradient_scratch_bytes = gradient_scratch_bytes,
    .parameter_gradient = parameter_gradient,
};
