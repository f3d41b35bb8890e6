/* Gradients of W, R and B of LSTM and GRU: a block of a gate's rows at a time, a microbatch a leaf. */
#include <string.h>

#include "net/fold.h"
#include "net/recurrent.h"

enum { BLOCK_ROWS = 16 };

/* Some rows of one gate in one direction, in all of W, R and B, and the microbatch that is at work. */
struct block {
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
    return (struct block){.shape = r,
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

/* R's: gradients of each step's sums, times h before the step. */
static void add_recurrent(const struct block *block, const float *gradients, float *sum)
{
    const struct recurrent *r = &block->shape;
    bool back = block->direction == 1 || r->reverse;
    size_t wide = (size_t)r->directions * r->hidden, steps = r->steps;
    for (size_t s = 0; s < block->samples; s++) {
        const float *rows = gradients + s * steps * r->width, *y = block->y + s * steps * wide;
        const float *start = back ? rows + (steps - 1) * r->width : rows;
        if (block->h0)
            recurrent_multiply_transposed(sum, r->hidden, start, r->width, block->h0 + s * wide, wide,
                                          block->rows, r->hidden, 1);
        if (steps > 1)
            recurrent_multiply_transposed(sum, r->hidden, back ? rows : rows + r->width, r->width,
                                          back ? y + wide : y, wide, block->rows, r->hidden, steps - 1);
    }
}

static void add_bias(const struct block *block, const float *gradients, float *sum)
{
    size_t n = block->samples * block->shape.steps;
    for (size_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < block->rows; j++) sum[j] += gradients[i * block->shape.width + j];
}

static void make_leaf(const struct block *block, const struct recurrent_gate *gate, float *leaf)
{
    const struct recurrent *r = &block->shape;
    size_t n = block->samples * r->steps;
    const float *of_input = block->kept + gate->input_column + block->first;
    const float *of_recurrent = block->kept + gate->recurrent_column + block->first;
    float *recurrent = leaf + (size_t)block->rows * r->inputs;
    float *bias = recurrent + (size_t)block->rows * r->hidden;
    memset(leaf, 0, leaf_numbers(r, block->rows) * sizeof *leaf);
    recurrent_multiply_transposed(leaf, r->inputs, of_input, r->width, block->x, r->inputs, block->rows,
                                  r->inputs, n);
    if (gate->has_factor)
        recurrent_multiply_transposed(recurrent, r->hidden, of_recurrent, r->width,
                                      block->kept + gate->factor_column, r->width, block->rows, r->hidden, n);
    else
        add_recurrent(block, of_recurrent, recurrent);
    add_bias(block, of_input, bias);
    add_bias(block, of_recurrent, bias + block->rows);
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
