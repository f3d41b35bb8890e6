#include "net/broadcast.h"

#include "base/error.h"
#include "net/operands.h"

/* Axis d of a shape that is aligned at the last of `rank` axes. */
static uint32_t aligned_dim(const struct net_shape *shape, uint32_t rank, uint32_t d)
{
    uint32_t missing = rank - shape->rank;
    return d < missing ? 1 : shape->dim[d - missing];
}

static uint32_t joint_rank(const struct net_shape *a, const struct net_shape *b)
{
    return a->rank > b->rank ? a->rank : b->rank;
}

bramble_status broadcast_infer(const struct net_graph *graph, const struct net_node *node,
                               struct net_shape *shapes, bramble_error *error)
{
    const struct net_shape *a = operand_shape(graph, node, 0), *b = operand_shape(graph, node, 1);
    struct net_shape out = {.rank = joint_rank(a, b)};
    char left[64], right[64];
    if (!operand_per_sample(graph, node, 0) && !operand_per_sample(graph, node, 1))
        return error_set(error, BRAMBLE_ERR_DATA, "both inputs are weights; one has to come from a layer");
    for (uint32_t d = 0; d < out.rank; d++) {
        uint32_t of_a = aligned_dim(a, out.rank, d), of_b = aligned_dim(b, out.rank, d);
        if (of_a != of_b && of_a != 1 && of_b != 1)
            return error_set(error, BRAMBLE_ERR_DATA,
                             "%s and %s do not go together: axes, from the last one on, have to be the same "
                             "or 1",
                             shape_text(a, left), shape_text(b, right));
        out.dim[d] = of_a == 1 ? of_b : of_a;
    }
    shapes[0] = out;
    return BRAMBLE_OK;
}

/* Axes and steps, samples first, axes of 1 left out; returns how many. */
static uint32_t list_axes(struct broadcast *b, const struct net_graph *graph, const struct net_node *node,
                          uint32_t samples)
{
    const struct net_shape *shape[2] = {operand_shape(graph, node, 0), operand_shape(graph, node, 1)};
    uint32_t rank = joint_rank(shape[0], shape[1]), n = 0;
    for (uint32_t d = 0; d <= rank; d++) {
        size_t dim = samples;
        if (d) {
            uint32_t left = aligned_dim(shape[0], rank, d - 1), right = aligned_dim(shape[1], rank, d - 1);
            dim = left == 1 ? right : left;
        }
        if (dim == 1) continue;
        for (int k = 0; k < 2; k++) {
            uint32_t missing = rank - shape[k]->rank;
            bool repeated =
                d ? aligned_dim(shape[k], rank, d - 1) == 1 : !operand_per_sample(graph, node, (uint32_t)k);
            uint32_t behind = d > missing ? d - missing : 0;
            b->step[k][n] = repeated ? 0 : shape_product(shape[k], behind, shape[k]->rank);
        }
        b->dim[n++] = dim;
    }
    return n;
}

static void drop_axis(struct broadcast *b, uint32_t d, uint32_t n)
{
    for (uint32_t i = d; i + 1 < n; i++) {
        b->dim[i] = b->dim[i + 1];
        for (int k = 0; k < 2; k++) b->step[k][i] = b->step[k][i + 1];
    }
}

void broadcast_init(struct broadcast *b, const struct net_graph *graph, const struct net_node *node,
                    uint32_t samples)
{
    *b = (struct broadcast){.rows = 1, .n = 1, .inner = {1, 1}};
    uint32_t n = list_axes(b, graph, node, samples);
    for (uint32_t d = n; d-- > 1;) {
        bool joins = true;
        for (int k = 0; k < 2; k++) joins &= b->step[k][d - 1] == b->step[k][d] * b->dim[d];
        if (!joins) continue;
        b->dim[d] *= b->dim[d - 1];
        drop_axis(b, d - 1, n--);
    }
    if (!n) return;
    b->rank = n - 1;
    b->n = b->dim[n - 1];
    for (int k = 0; k < 2; k++) b->inner[k] = (uint32_t)b->step[k][n - 1];
    for (uint32_t d = 0; d < b->rank; d++) b->rows *= b->dim[d];
}

void broadcast_at(const struct broadcast *b, size_t row, size_t at[2])
{
    at[0] = at[1] = 0;
    for (uint32_t d = b->rank; d-- > 0;) {
        size_t i = d ? row % b->dim[d] : row;
        row /= d ? b->dim[d] : 1;
        at[0] += i * b->step[0][d];
        at[1] += i * b->step[1][d];
    }
}
