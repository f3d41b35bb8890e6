#include "net/arithmetic.h"

#include <string.h>

#include "net/broadcast.h"
#include "net/fold.h"
#include "net/kernels/sums.h"
#include "net/operands.h"

enum { BLOCK = 512 }; /* numbers of a row that are worked on at once where they are summed */

/* A stretch of a row: what there was and what comes back; y is given where a Relu was taken in. */
struct stretch {
    const float *a, *b, *dy, *y;
    uint32_t step_a, step_b;
    size_t n;
};

KERNEL static void pass_on(const struct stretch *s, float sign, float *out, bool add)
{
    const float *dy = s->dy;
    KERNEL_LOOP
    for (size_t i = 0; i < s->n; i++) out[i] = add ? fmaf(sign, dy[i], out[i]) : sign * dy[i];
}

KERNEL static void pass_masked(const struct stretch *s, float *out, bool add)
{
    const float *dy = s->dy, *y = s->y;
    KERNEL_LOOP
    for (size_t i = 0; i < s->n; i++) {
        float g = y[i] > 0.0f ? dy[i] : 0.0f;
        out[i] = add ? out[i] + g : g;
    }
}

/* Of a product, by the other factor. */
KERNEL static void multiply_by(const struct stretch *s, const float *other, uint32_t step, float *out,
                               bool add)
{
    const float *dy = s->dy;
    if (step) {
        KERNEL_LOOP
        for (size_t i = 0; i < s->n; i++) out[i] = add ? fmaf(dy[i], other[i], out[i]) : dy[i] * other[i];
    } else {
        float one = *other;
        KERNEL_LOOP
        for (size_t i = 0; i < s->n; i++) out[i] = add ? fmaf(dy[i], one, out[i]) : dy[i] * one;
    }
}

KERNEL static void divide_by(const struct stretch *s, float *out, bool add)
{
    for (size_t i = 0; i < s->n; i++) {
        float g = s->dy[i] / s->b[i * s->step_b];
        out[i] = add ? out[i] + g : g;
    }
}

KERNEL static void by_divisor(const struct stretch *s, float *out, bool add)
{
    for (size_t i = 0; i < s->n; i++) {
        float b = s->b[i * s->step_b];
        float g = -s->dy[i] * (s->a[i * s->step_a] / b) / b;
        out[i] = add ? out[i] + g : g;
    }
}

/* Operand k's gradient, number by number. */
static void stretch_gradient(enum arithmetic what, int k, const struct stretch *s, float *out, bool add)
{
    if (what == ARITHMETIC_MUL)
        multiply_by(s, k ? s->a : s->b, k ? s->step_a : s->step_b, out, add);
    else if (what == ARITHMETIC_DIV)
        (k ? by_divisor : divide_by)(s, out, add);
    else if (s->y)
        pass_masked(s, out, add);
    else
        pass_on(s, what == ARITHMETIC_SUB && k ? -1.0f : 1.0f, out, add);
}

/* Samples of which operands' gradients are wanted. */
struct part {
    enum arithmetic what;
    const struct net_graph *graph;
    const struct net_node *node;
    uint32_t samples;
    const float *a, *b, *dy, *y;
    float *block; /* BLOCK numbers of room */
};

static struct stretch stretch_at(const struct part *p, const struct broadcast *b, size_t row,
                                 const size_t at[2], size_t from, size_t n)
{
    size_t begin = row * b->n + from;
    return (struct stretch){.a = p->a + at[0] + (b->inner[0] ? from : 0),
                            .b = p->b + at[1] + (b->inner[1] ? from : 0),
                            .dy = p->dy + begin,
                            .y = p->y ? p->y + begin : NULL,
                            .step_a = b->inner[0],
                            .step_b = b->inner[1],
                            .n = n};
}

KERNEL static void add_block(const float *g, size_t n, uint32_t step, float *sum)
{
    if (step) {
        KERNEL_LOOP
        for (size_t i = 0; i < n; i++) sum[i] += g[i];
    } else {
        *sum += row_sum(g, n);
    }
}

/* Adds the gradient of operand k, which is repeated, to dx. */
static void sum_gradient(const struct part *p, int k, float *dx)
{
    struct broadcast b;
    broadcast_init(&b, p->graph, p->node, p->samples);
    for (size_t row = 0; row < b.rows; row++) {
        size_t at[2];
        broadcast_at(&b, row, at);
        for (size_t from = 0; from < b.n; from += BLOCK) {
            size_t n = b.n - from < BLOCK ? b.n - from : BLOCK;
            struct stretch s = stretch_at(p, &b, row, at, from, n);
            stretch_gradient(p->what, k, &s, p->block, false);
            add_block(p->block, n, b.inner[k], dx + at[k] + (b.inner[k] ? from : 0));
        }
    }
}

/* The gradient of operand k, which has as many numbers as what comes out. */
static void whole_gradient(const struct part *p, int k, float *dx, bool add)
{
    struct broadcast b;
    broadcast_init(&b, p->graph, p->node, p->samples);
    for (size_t row = 0; row < b.rows; row++) {
        size_t at[2];
        broadcast_at(&b, row, at);
        struct stretch s = stretch_at(p, &b, row, at, 0, b.n);
        stretch_gradient(p->what, k, &s, dx + at[k], add);
    }
}

static void operand_gradient(const struct part *p, uint32_t k, float *dx, bool add)
{
    size_t size = operand_size(p->graph, p->node, k);
    if (size == p->graph->values[p->node->outputs[0]].size) {
        whole_gradient(p, (int)k, dx, add);
        return;
    }
    if (!add) memset(dx, 0, size * p->samples * sizeof *dx);
    sum_gradient(p, (int)k, dx);
}

void arithmetic_backward(enum arithmetic what, const struct net_call *call)
{
    bool relu = what == ARITHMETIC_ADD && call->node->attributes.relu;
    struct part part = {.what = what,
                        .graph = call->graph,
                        .node = call->node,
                        .samples = call->samples,
                        .a = call->x[0],
                        .b = call->x[1],
                        .dy = call->dy[0],
                        .y = relu ? call->y[0] : NULL,
                        .block = call->scratch};
    /* In place, dy is gone when dx[0] is there; of one value twice, the first is written and added to. */
    bool twice = call->dx[0] == call->dx[1];
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t k = twice ? i : 1 - i;
        if (call->dx[k]) operand_gradient(&part, k, call->dx[k], call->add[k]);
    }
}

size_t arithmetic_scratch(const struct net_graph *graph, const struct net_node *node, uint32_t samples)
{
    (void)graph, (void)node, (void)samples;
    return BLOCK * sizeof(float);
}

static uint32_t is_parameter(const struct net_graph *graph, const struct net_node *node, uint32_t k)
{
    return operand(graph, node, k)->kind == NET_PARAMETER;
}

uint32_t arithmetic_parts(const struct net_graph *graph, const struct net_node *node)
{
    return is_parameter(graph, node, 0) + is_parameter(graph, node, 1);
}

size_t arithmetic_gradient_scratch(const struct net_graph *graph, const struct net_node *node)
{
    size_t most = 0;
    for (uint32_t k = 0; k < 2; k++) {
        size_t size = operand_size(graph, node, k);
        if (is_parameter(graph, node, k) && size > most) most = size;
    }
    return (BLOCK + FOLD_LEVELS * most) * sizeof(float);
}

void arithmetic_parameter_gradient(enum arithmetic what, const struct net_gradient_call *call, uint32_t part)
{
    const struct net_graph *graph = call->graph;
    const struct net_node *node = call->node;
    uint32_t k = is_parameter(graph, node, 0) ? part : 1;
    size_t step[2], out = graph->values[node->outputs[0]].size, size = operand_size(graph, node, k);
    for (uint32_t i = 0; i < 2; i++)
        step[i] = operand_per_sample(graph, node, i) ? operand_size(graph, node, i) : 0;
    bool relu = what == ARITHMETIC_ADD && node->attributes.relu;
    struct fold fold;
    fold_begin(&fold, (float *)call->scratch + BLOCK, size);
    for (uint64_t first = 0; first < call->samples; first += MICROBATCH) {
        uint64_t left = call->samples - first;
        struct part p = {.what = what,
                         .graph = graph,
                         .node = node,
                         .samples = left < MICROBATCH ? (uint32_t)left : MICROBATCH,
                         .a = call->x[0] + first * step[0],
                         .b = call->x[1] + first * step[1],
                         .dy = call->dy[0] + first * out,
                         .y = relu ? call->y[0] + first * out : NULL,
                         .block = call->scratch};
        float *leaf = fold_leaf(&fold);
        memset(leaf, 0, size * sizeof *leaf);
        sum_gradient(&p, (int)k, leaf);
        fold_add(&fold);
    }
    fold_end(&fold, call->gradient[k]);
}
