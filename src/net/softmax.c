#include "net/softmax.h"

#include "base/error.h"
#include "net/operands.h"

bramble_status softmax_infer(const struct net_graph *graph, const struct net_node *node,
                             struct net_shape *shapes, bramble_error *error)
{
    uint32_t axis = node->attributes.axis;
    bramble_status status = operand_check_activation(graph, node, 0, error);
    if (status) return status;
    const struct net_shape *x = operand_shape(graph, node, 0);
    if (axis >= x->rank)
        return error_set(error, BRAMBLE_ERR_DATA, "axis %u: the input has %u axes", axis, x->rank);
    shapes[0] = *x;
    return BRAMBLE_OK;
}

/* Rows of n numbers that lie `step` apart; row r begins at begin(r). */
struct lines {
    size_t count, n, step;
};

static struct lines lines_of(const struct net_graph *graph, const struct net_node *node, uint32_t samples)
{
    const struct net_shape *x = operand_shape(graph, node, 0);
    uint32_t axis = node->attributes.axis;
    size_t step = shape_product(x, axis + 1, x->rank);
    return (struct lines){
        .count = samples * shape_product(x, 0, axis) * step, .n = x->dim[axis], .step = step};
}

static size_t begin(const struct lines *lines, size_t row)
{
    return row / lines->step * lines->step * lines->n + row % lines->step;
}

size_t softmax_scratch(const struct net_graph *graph, const struct net_node *node, uint32_t samples)
{
    return 3 * net_aligned(lines_of(graph, node, samples).n) * sizeof(float);
}

static void take(const float *x, const struct lines *lines, float *row)
{
    for (size_t i = 0; i < lines->n; i++) row[i] = x[i * lines->step];
}

void softmax_forward(const struct softmax_rows *rows, const struct net_call *call)
{
    struct lines lines = lines_of(call->graph, call->node, call->samples);
    float *row = call->scratch;
    for (size_t r = 0; r < lines.count; r++) {
        const float *x = call->x[0] + begin(&lines, r);
        float *y = call->y[0] + begin(&lines, r);
        if (lines.step == 1) {
            rows->forward(x, y, lines.n);
            continue;
        }
        take(x, &lines, row);
        rows->forward(row, row, lines.n);
        for (size_t i = 0; i < lines.n; i++) y[i * lines.step] = row[i];
    }
}

void softmax_backward(const struct softmax_rows *rows, const struct net_call *call)
{
    struct lines lines = lines_of(call->graph, call->node, call->samples);
    float *y = call->scratch, *dy = y + net_aligned(lines.n), *g = dy + net_aligned(lines.n);
    for (size_t r = 0; r < lines.count && call->dx[0]; r++) {
        size_t at = begin(&lines, r);
        float *dx = call->dx[0] + at;
        if (lines.step == 1 && !call->add[0]) {
            rows->backward(call->y[0] + at, call->dy[0] + at, dx, lines.n);
            continue;
        }
        take(call->y[0] + at, &lines, y);
        take(call->dy[0] + at, &lines, dy);
        rows->backward(y, dy, g, lines.n);
        for (size_t i = 0; i < lines.n; i++)
            dx[i * lines.step] = call->add[0] ? dx[i * lines.step] + g[i] : g[i];
    }
}
