/*
 * MaxPool: the greatest number of each window; the first of equals, and NaN where there is one, as in
 * PyTorch. Forward keeps which position of the window it was, so that backward needs neither x nor y.
 * Attributes: kernel, stride, dilation, pad, ceil_mode.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "net/kernels/windows.h"
#include "net/operands.h"
#include "net/operators.h"
#include "net/pool.h"

enum { POSITIONS_MAX = UINT16_MAX };

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    const uint32_t *kernel = node->attributes.kernel;
    if ((uint64_t)kernel[0] * kernel[1] > POSITIONS_MAX)
        return error_set(error, BRAMBLE_ERR_DATA, "the window has %llu positions, %d are the most",
                         (unsigned long long)kernel[0] * kernel[1], POSITIONS_MAX);
    return pool_infer(graph, node, shapes, error);
}

/* Windows of two by two side by side, all within the image. */
static bool is_two_by_two(const struct pool *p)
{
    bool fits = true;
    for (int d = 0; d < 2; d++)
        fits &= p->kernel[d] == 2 && p->stride[d] == 2 && p->dilation[d] == 1 && !p->pad[d] &&
                2 * p->out[d] <= p->in[d];
    return fits;
}

static size_t kept_bytes(const struct net_graph *graph, const struct net_node *node, uint32_t samples)
{
    struct pool p = pool_of(graph, node);
    return pool_out_size(&p) * samples * (is_two_by_two(&p) ? sizeof(uint8_t) : sizeof(uint16_t));
}

static void forward_two_by_two(const struct pool *p, const float *x, float *y, uint8_t *which)
{
    size_t below = (size_t)p->in[1] * p->channels;
    for (uint32_t row = 0; row < p->out[0]; row++)
        for (uint32_t column = 0; column < p->out[1]; column++) {
            size_t out = ((size_t)row * p->out[1] + column) * p->channels;
            windows_square(x + 2 * row * below + 2 * (size_t)column * p->channels, below, p->channels,
                           y + out, which + out);
        }
}

/* What no window covers: a last row and column of odd sides. */
static void clear_edges(const struct pool *p, float *dx)
{
    size_t below = (size_t)p->in[1] * p->channels, covered = 2 * (size_t)p->out[1] * p->channels;
    for (uint32_t row = 0; row < p->in[0]; row++) {
        size_t from = row < 2 * p->out[0] ? covered : 0;
        memset(dx + row * below + from, 0, (below - from) * sizeof *dx);
    }
}

static void backward_two_by_two(const struct pool *p, const float *dy, const uint8_t *which, float *dx,
                                bool add)
{
    size_t below = (size_t)p->in[1] * p->channels;
    if (!add) clear_edges(p, dx);
    for (uint32_t row = 0; row < p->out[0]; row++)
        for (uint32_t column = 0; column < p->out[1]; column++) {
            size_t out = ((size_t)row * p->out[1] + column) * p->channels;
            windows_square_back(dy + out, which + out, below, p->channels, add,
                                dx + 2 * row * below + 2 * (size_t)column * p->channels);
        }
}

static void begin_window(size_t channels, uint16_t position, float *y, uint16_t *which)
{
    for (size_t i = 0; i < channels; i++) {
        y[i] = -INFINITY;
        which[i] = position;
    }
}

/* A window of one sample: forward when x is given, else backward. */
struct window {
    const struct pool *pool;
    uint32_t row, column;
    const float *x, *dy;
    float *y, *dx;
    uint16_t *which;
};

static void visit_window(const struct window *w)
{
    const struct pool *p = w->pool;
    struct pool_span rows = pool_span_at(p, 0, w->row), columns = pool_span_at(p, 1, w->column);
    size_t out = ((size_t)w->row * p->out[1] + w->column) * p->channels;
    if (w->x)
        begin_window(p->channels, (uint16_t)(rows.first * p->kernel[1] + columns.first), w->y + out,
                     w->which + out);
    for (uint32_t i = rows.first; i < rows.end; i++)
        for (uint32_t j = columns.first; j < columns.end; j++) {
            size_t pixel = (size_t)pool_pixel(p, 0, w->row, i) * p->in[1] + pool_pixel(p, 1, w->column, j);
            size_t in = pixel * p->channels;
            uint16_t position = (uint16_t)(i * p->kernel[1] + j);
            if (w->x)
                windows_more(w->x + in, p->channels, position, w->y + out, w->which + out);
            else
                windows_back(w->dy + out, w->which + out, p->channels, position, w->dx + in);
        }
}

static void visit_windows(struct window *w)
{
    for (w->row = 0; w->row < w->pool->out[0]; w->row++)
        for (w->column = 0; w->column < w->pool->out[1]; w->column++) visit_window(w);
}

static void forward(const struct net_call *call)
{
    struct pool p = pool_of(call->graph, call->node);
    bool small = is_two_by_two(&p);
    for (uint32_t s = 0; s < call->samples; s++) {
        size_t out = s * pool_out_size(&p);
        const float *x = call->x[0] + s * pool_in_size(&p);
        struct window w = {
            .pool = &p, .x = x, .y = call->y[0] + out, .which = (uint16_t *)call->kept + (small ? 0 : out)};
        if (small)
            forward_two_by_two(&p, x, call->y[0] + out, (uint8_t *)call->kept + out);
        else
            visit_windows(&w);
    }
}

static void backward(const struct net_call *call)
{
    struct pool p = pool_of(call->graph, call->node);
    size_t in = pool_in_size(&p);
    bool small = is_two_by_two(&p);
    if (!call->dx[0]) return;
    if (!small && !call->add[0]) memset(call->dx[0], 0, call->samples * in * sizeof(float));
    for (uint32_t s = 0; s < call->samples; s++) {
        size_t out = s * pool_out_size(&p);
        const float *dy = call->dy[0] + out;
        float *dx = call->dx[0] + s * in;
        struct window w = {
            .pool = &p, .dy = dy, .dx = dx, .which = (uint16_t *)call->kept + (small ? 0 : out)};
        if (small)
            backward_two_by_two(&p, dy, (const uint8_t *)call->kept + out, dx, call->add[0]);
        else
            visit_windows(&w);
    }
}

const struct net_operator op_max_pool = {
    .name = "MaxPool",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .infer = infer,
    .kept_bytes = kept_bytes,
    .forward = forward,
    .backward = backward,
};
