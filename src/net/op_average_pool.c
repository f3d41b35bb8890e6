/*
 * AveragePool: the mean of each window. With count_include_pad padding counts as zeros, otherwise not at
 * all; what ceil_mode lets a window reach past the padding never counts (PyTorch).
 * Attributes: kernel, stride, pad, ceil_mode, count_include_pad.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "net/kernels/kernel.h"
#include "net/operators.h"
#include "net/pool.h"

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    const struct net_attributes *a = &node->attributes;
    if (a->dilation[0] != 1 || a->dilation[1] != 1)
        return error_set(error, BRAMBLE_ERR_DATA, "averages are of windows without dilation");
    return pool_infer(graph, node, shapes, error);
}

KERNEL static void add_pixel(const float *x, size_t channels, float *y)
{
    KERNEL_LOOP
    for (size_t i = 0; i < channels; i++) y[i] += x[i];
}

KERNEL static void multiply(float *y, size_t channels, float share)
{
    KERNEL_LOOP
    for (size_t i = 0; i < channels; i++) y[i] *= share;
}

KERNEL static void add_share(const float *dy, size_t channels, float share, float *dx)
{
    KERNEL_LOOP
    for (size_t i = 0; i < channels; i++) dx[i] = fmaf(dy[i], share, dx[i]);
}

/* Positions along axis d that count. */
static uint32_t counted(const struct pool *p, int d, uint32_t place, bool include_pad)
{
    struct pool_span span = pool_span_at(p, d, place);
    uint64_t begin = (uint64_t)place * p->stride[d];
    uint64_t end = (uint64_t)p->in[d] + p->pad[d] + p->pad_end[d];
    if (!include_pad) return span.end - span.first;
    return (uint32_t)(begin + p->kernel[d] < end ? p->kernel[d] : end - begin);
}

/* The window's mean of one sample when x is given, else what it gives back. */
struct window {
    const struct pool *pool;
    bool include_pad;
    const float *x, *dy;
    float *y, *dx;
};

static void visit_window(const struct window *w, uint32_t row, uint32_t column)
{
    const struct pool *p = w->pool;
    struct pool_span rows = pool_span_at(p, 0, row), columns = pool_span_at(p, 1, column);
    size_t channels = p->channels, out = ((size_t)row * p->out[1] + column) * channels;
    uint64_t count = (uint64_t)counted(p, 0, row, w->include_pad) * counted(p, 1, column, w->include_pad);
    float share = count ? 1.0f / (float)count : 0.0f;
    if (w->x) memset(w->y + out, 0, channels * sizeof *w->y);
    for (uint32_t i = rows.first; i < rows.end; i++)
        for (uint32_t j = columns.first; j < columns.end; j++) {
            size_t pixel = (size_t)pool_pixel(p, 0, row, i) * p->in[1] + pool_pixel(p, 1, column, j);
            if (w->x)
                add_pixel(w->x + pixel * channels, channels, w->y + out);
            else
                add_share(w->dy + out, channels, share, w->dx + pixel * channels);
        }
    if (w->x) multiply(w->y + out, channels, share);
}

static void visit_windows(const struct window *w)
{
    for (uint32_t row = 0; row < w->pool->out[0]; row++)
        for (uint32_t column = 0; column < w->pool->out[1]; column++) visit_window(w, row, column);
}

static void forward(const struct net_call *call)
{
    struct pool p = pool_of(call->graph, call->node);
    for (uint32_t s = 0; s < call->samples; s++) {
        struct window w = {.pool = &p,
                           .include_pad = call->node->attributes.count_include_pad,
                           .x = call->x[0] + s * pool_in_size(&p),
                           .y = call->y[0] + s * pool_out_size(&p)};
        visit_windows(&w);
    }
}

static void backward(const struct net_call *call)
{
    struct pool p = pool_of(call->graph, call->node);
    if (!call->dx[0]) return;
    if (!call->add[0]) memset(call->dx[0], 0, call->samples * pool_in_size(&p) * sizeof(float));
    for (uint32_t s = 0; s < call->samples; s++) {
        struct window w = {.pool = &p,
                           .include_pad = call->node->attributes.count_include_pad,
                           .dy = call->dy[0] + s * pool_out_size(&p),
                           .dx = call->dx[0] + s * pool_in_size(&p)};
        visit_windows(&w);
    }
}

const struct net_operator op_average_pool = {
    .name = "AveragePool",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
