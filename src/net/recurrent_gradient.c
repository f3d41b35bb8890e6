/* Gradients of W, R and B of LSTM and GRU: a block of a gate's rows at a time, a microbatch a leaf. */
#include <string.h>

#include "net/fold.h"
#include "net/recurrent.h"

enum { BLOCK_ROWS = 16 };

/* Some rows of one gate in one direction, in all of W, R and B, and the microbatch that is at work. */
struct block {
    const struct net_kernels *kernels;
    struct recurrent shape;
    uint32_t direction, gate, first, rows; /* first: within the gate */
    size_t samples;
    const float *x, *kept, *y, *h0; /* the direction's part; h0 may be NULL */
};

static uint32_t blocks_of_gate(const struct recurrent *r)
{
    return (r->hidden + BLOCK_ROWS - 1) / BLOCK_ROWS;
}

/* A leaf: rows of W's gradient, of R's, then W's biases and R's. */
static size_t leaf_numbers(const struct recurrent *r, uint32_t rows)
{
    return rows * ((size_t)r->inputs + r->hidden + 2);
}

uint32_t recurrent_gradient_parts(const struct net_graph *graph, const struct net_node *node)
{
    struct recurrent r = recurrent_shape(graph, node);
    return r.directions * r.gates * blocks_of_gate(&r);
}

size_t recurrent_gradient_scratch_bytes(const struct net_graph *graph, const struct net_node *node)
{
    struct recurrent r = recurrent_shape(graph, node);
    return (FOLD_LEVELS + 1) * leaf_numbers(&r, BLOCK_ROWS) * sizeof(float);
}

static struct block block_at(const struct net_gradient_call *call, uint32_t part)
{
    struct recurrent r = recurrent_shape(call->graph, call->node);
    uint32_t blocks = blocks_of_gate(&r), gate = part / blocks, first = part % blocks * BLOCK_ROWS;
    uint32_t left = r.hidden - first;
    return (struct block){.kernels = net_kernels_or_best(call->kernels),
                          .shape = r,
                          .direction = gate / r.gates,
                          .gate = gate % r.gates,
                          .first = first,
                          .rows = left < BLOCK_ROWS ? left : BLOCK_ROWS};
}

static void enter_microbatch(struct block *block, const struct net_gradient_call *call, uint64_t m)
{
    const struct recurrent *r = &block->shape;
    uint64_t first = m * MICROBATCH, left = call->samples - first;
    size_t wide = (size_t)r->directions * r->hidden, side = (size_t)block->direction * r->hidden;
    bool starts = recurrent_has(call->node, RECURRENT_H0);
    block->samples = left < MICROBATCH ? left : MICROBATCH;
    block->x = call->x[RECURRENT_X] + first * r->steps * r->inputs;
    block->y = call->y[0] + first * r->steps * wide + side;
    block->h0 = starts ? call->x[RECURRENT_H0] + first * wide + side : NULL;
    block->kept = (const float *)((const char *)call->kept + m * call->kept_bytes) +
                  block->direction * block->samples * r->steps * r->width;
}

/* sum := all steps' gradients' rows, times what lies at b: I or H numbers for each of them. */
static void multiply_all(const struct block *block, const float *gradients, const float *b, size_t b_stride,
                         uint32_t columns, float *sum)
{
    const struct recurrent *r = &block->shape;
    block->kernels->outer(&(struct net_outer){.a = gradients,
                                              .b = b,
                                              .a_inner = r->width,
                                              .b_inner = b_stride,
                                              .n_outer = 1,
                                              .n_inner = (uint32_t)block->samples * r->steps,
                                              .n_rows = block->rows,
                                              .n = columns,
                                              .g = sum,
                                              .g_stride = columns});
}

/* R's: each step's gradients, times h before the step. */
static void multiply_recurrent(const struct block *block, const float *gradients, float *sum)
{
    const struct recurrent *r = &block->shape;
    bool back = block->direction == 1 || r->reverse;
    size_t wide = (size_t)r->directions * r->hidden, steps = r->steps;
    struct net_outer outer = {.a = back ? gradients + (steps - 1) * r->width : gradients,
                              .a_outer = steps * r->width,
                              .b = block->h0,
                              .b_outer = wide,
                              .n_outer = (uint32_t)block->samples,
                              .n_inner = 1,
                              .n_rows = block->rows,
                              .n = r->hidden,
                              .g = sum,
                              .g_stride = r->hidden};
    if (block->h0) block->kernels->outer(&outer);
    if (!block->h0) memset(sum, 0, (size_t)block->rows * r->hidden * sizeof *sum);
    if (steps == 1) return;
    outer.start = sum;
    outer.sums_stride = r->hidden;
    outer.a = back ? gradients : gradients + r->width;
    outer.a_inner = r->width;
    outer.b = back ? block->y + wide : block->y;
    outer.b_outer = steps * wide;
    outer.b_inner = wide;
    outer.n_inner = r->steps - 1;
    block->kernels->outer(&outer);
}

static void sum_bias(const struct block *block, const float *gradients, float *sum)
{
    size_t n = block->samples * block->shape.steps;
    memset(sum, 0, block->rows * sizeof *sum);
    for (size_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < block->rows; j++) sum[j] += gradients[i * block->shape.width + j];
}

static void make_leaf(const struct block *block, const struct recurrent_gate *gate, float *leaf)
{
    const struct recurrent *r = &block->shape;
    const float *of_input = block->kept + gate->input_column + block->first;
    const float *of_recurrent = block->kept + gate->recurrent_column + block->first;
    float *recurrent = leaf + (size_t)block->rows * r->inputs;
    float *bias = recurrent + (size_t)block->rows * r->hidden;
    multiply_all(block, of_input, block->x, r->inputs, r->inputs, leaf);
    if (gate->has_factor)
        multiply_all(block, of_recurrent, block->kept + gate->factor_column, r->width, r->hidden, recurrent);
    else
        multiply_recurrent(block, of_recurrent, recurrent);
    sum_bias(block, of_input, bias);
    sum_bias(block, of_recurrent, bias + block->rows);
}

static void write_gradients(const struct net_gradient_call *call, const struct block *block, const float *sum)
{
    const struct recurrent *r = &block->shape;
    size_t gates = (size_t)r->gates * r->hidden, rows = block->rows;
    size_t row = block->direction * gates + (size_t)block->gate * r->hidden + block->first;
    const float *recurrent = sum + rows * r->inputs, *bias = recurrent + rows * r->hidden;
    float *w = call->gradient[RECURRENT_W], *h = call->gradient[RECURRENT_R],
          *b = call->gradient[RECURRENT_B];
    if (w) memcpy(w + row * r->inputs, sum, rows * r->inputs * sizeof *w);
    if (h) memcpy(h + row * r->hidden, recurrent, rows * r->hidden * sizeof *h);
    if (!b) return;
    b += row + block->direction * gates; /* W's biases of a direction, then R's */
    memcpy(b, bias, rows * sizeof *b);
    memcpy(b + gates, bias + rows, rows * sizeof *b);
}

void recurrent_gradient(const struct net_gradient_call *call, const struct recurrent_gate *gates,
                        uint32_t part)
{
    struct block block = block_at(call, part);
    uint64_t microbatches = (call->samples + MICROBATCH - 1) / MICROBATCH;
    size_t size = leaf_numbers(&block.shape, block.rows);
    float *total = call->scratch;
    struct fold fold;
    fold_begin(&fold, total + size, size);
    for (uint64_t m = 0; m < microbatches; m++) {
        enter_microbatch(&block, call, m);
        make_leaf(&block, &gates[block.gate], fold_leaf(&fold));
        fold_add(&fold);
    }
    fold_end(&fold, total);
    write_gradients(call, &block, total);
}
