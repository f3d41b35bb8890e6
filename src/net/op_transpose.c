/* Transpose: axis d of the output is axis perm[d] of the input. */
#include <string.h>

#include "base/error.h"
#include "net/operands.h"
#include "net/operators.h"

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    const uint32_t *perm = node->attributes.perm;
    bool seen[NET_RANK_MAX] = {false};
    bramble_status status = operand_check_activation(graph, node, 0, error);
    if (status) return status;
    const struct net_shape *x = operand_shape(graph, node, 0);
    struct net_shape out = {.rank = x->rank};
    for (uint32_t d = 0; d < x->rank; d++) {
        if (perm[d] >= x->rank || seen[perm[d]])
            return error_set(error, BRAMBLE_ERR_DATA, "perm has to name each of the %u axes once", x->rank);
        seen[perm[d]] = true;
        out.dim[d] = x->dim[perm[d]];
    }
    shapes[0] = out;
    return BRAMBLE_OK;
}

/* The output, row by row along its last axis. */
struct walk {
    uint32_t rank;
    size_t dim[NET_RANK_MAX], step[NET_RANK_MAX]; /* step: between numbers of the input */
    size_t size;
};

static struct walk walk_of(const struct net_call *call)
{
    const struct net_shape *x = operand_shape(call->graph, call->node, 0);
    struct walk walk = {.rank = x->rank, .size = shape_size(x)};
    for (uint32_t d = 0; d < x->rank; d++) {
        uint32_t axis = call->node->attributes.perm[d];
        walk.dim[d] = x->dim[axis];
        walk.step[d] = shape_product(x, axis + 1, x->rank);
    }
    return walk;
}

/* Where row `row` of the output begins in the input. */
static size_t row_begin(const struct walk *walk, size_t row)
{
    size_t at = 0;
    for (uint32_t d = walk->rank - 1; d-- > 0;) {
        at += row % walk->dim[d] * walk->step[d];
        row /= walk->dim[d];
    }
    return at;
}

static void take_row(const float *x, size_t step, size_t n, float *y)
{
    if (step == 1)
        memcpy(y, x, n * sizeof *y);
    else
        for (size_t i = 0; i < n; i++) y[i] = x[i * step];
}

static void give_row(const float *dy, size_t step, size_t n, float *dx, bool add)
{
    for (size_t i = 0; i < n; i++) dx[i * step] = add ? dx[i * step] + dy[i] : dy[i];
}

static void forward(const struct net_call *call)
{
    struct walk walk = walk_of(call);
    size_t n = walk.rank ? walk.dim[walk.rank - 1] : 1, step = walk.rank ? walk.step[walk.rank - 1] : 1;
    for (uint32_t s = 0; s < call->samples; s++)
        for (size_t row = 0; row < walk.size / n; row++) {
            size_t at = walk.rank ? row_begin(&walk, row) : 0;
            take_row(call->x[0] + s * walk.size + at, step, n, call->y[0] + s * walk.size + row * n);
        }
}

static void backward(const struct net_call *call)
{
    struct walk walk = walk_of(call);
    size_t n = walk.rank ? walk.dim[walk.rank - 1] : 1, step = walk.rank ? walk.step[walk.rank - 1] : 1;
    if (!call->dx[0]) return;
    for (uint32_t s = 0; s < call->samples; s++)
        for (size_t row = 0; row < walk.size / n; row++) {
            size_t at = walk.rank ? row_begin(&walk, row) : 0;
            give_row(call->dy[0] + s * walk.size + row * n, step, n, call->dx[0] + s * walk.size + at,
                     call->add[0]);
        }
}

const struct net_operator op_transpose = {
    .name = "Transpose",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
