/*
 * MatMul: x[.., M, K] times a matrix each, [.., K, N] or with transpose_b [.., N, K], the axes before those
 * the same in both; or times a weight, as Gemm (net/dense.h).
 */
#include "base/error.h"
#include "net/dense.h"
#include "net/kernels/products.h"
#include "net/operators.h"

struct matmul {
    uint32_t matrices, m, k, n; /* matrices: a sample's */
    size_t k_stride, n_stride;  /* of b */
};

static bool by_weight(const struct net_graph *graph, const struct net_node *node)
{
    enum net_kind kind = graph->values[node->inputs[1]].kind;
    return kind != NET_INPUT && kind != NET_ACTIVATION;
}

static struct matmul matmul_of(const struct net_graph *graph, const struct net_node *node)
{
    const struct net_shape *a = &graph->values[node->inputs[0]].shape;
    const struct net_shape *b = &graph->values[node->inputs[1]].shape;
    bool turned = node->attributes.transpose_b;
    struct matmul s = {
        .matrices = 1, .m = a->dim[a->rank - 2], .k = a->dim[a->rank - 1], .n = b->dim[b->rank - 1 - turned]};
    for (uint32_t axis = 0; axis + 2 < a->rank; axis++) s.matrices *= a->dim[axis];
    s.k_stride = turned ? 1 : s.n;
    s.n_stride = turned ? s.k : 1;
    return s;
}

static bool fits(const struct net_shape *a, const struct net_shape *b, bool turned)
{
    if (a->rank < 2 || a->rank != b->rank) return false;
    for (uint32_t axis = 0; axis + 2 < a->rank; axis++)
        if (a->dim[axis] != b->dim[axis]) return false;
    return a->dim[a->rank - 1] == b->dim[b->rank - 2 + turned];
}

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    char a_text[64], b_text[64];
    if (by_weight(graph, node)) return dense_infer(graph, node, shapes, error);
    const struct net_value *a = &graph->values[node->inputs[0]], *b = &graph->values[node->inputs[1]];
    if (a->kind != NET_INPUT && a->kind != NET_ACTIVATION)
        return error_set(error, BRAMBLE_ERR_DATA, "a weight must be the second of the two inputs");
    bool turned = node->attributes.transpose_b;
    if (!fits(&a->shape, &b->shape, turned))
        return error_set(error, BRAMBLE_ERR_DATA, "%s cannot be multiplied with %s%s",
                         shape_text(&a->shape, a_text), shape_text(&b->shape, b_text),
                         turned ? ", transposed" : "");
    shapes[0] = a->shape;
    shapes[0].dim[a->shape.rank - 1] = b->shape.dim[b->shape.rank - 1 - turned];
    if (a->size > UINT32_MAX / MICROBATCH || b->size > UINT32_MAX / MICROBATCH ||
        shape_size(&shapes[0]) > UINT32_MAX / MICROBATCH)
        return error_set(error, BRAMBLE_ERR_DATA, "a sample has too many numbers");
    return BRAMBLE_OK;
}

static size_t prepared_bytes(const struct net_graph *graph, const struct net_node *node)
{
    return by_weight(graph, node) ? dense_prepared_bytes(graph, node) : 0;
}

static void prepare(const struct net_graph *graph, const struct net_node *node, void *prepared, bool training)
{
    if (by_weight(graph, node)) dense_prepare(graph, node, prepared, training);
}

/* One matrix, packed. */
static size_t scratch_bytes(const struct net_graph *graph, const struct net_node *node, uint32_t samples)
{
    (void)samples;
    if (by_weight(graph, node)) return 0;
    struct matmul s = matmul_of(graph, node);
    size_t forward = packed_size(s.k, s.n), backward = packed_size(s.n, s.k);
    return (forward > backward ? forward : backward) * sizeof(float);
}

static void forward(const struct net_call *call)
{
    if (by_weight(call->graph, call->node)) {
        dense_forward(call);
        return;
    }
    struct matmul s = matmul_of(call->graph, call->node);
    const struct net_kernels *kernels = net_kernels_or_best(call->kernels);
    struct net_product p = {.a_stride = s.k,
                            .n_rows = s.m,
                            .n_segments = 1,
                            .length = s.k,
                            .b = call->scratch,
                            .n = s.n,
                            .y_stride = s.n};
    for (size_t i = 0; i < (size_t)call->samples * s.matrices; i++) {
        const float *b = call->x[1] + i * s.k * s.n;
        packed_fill(call->scratch, s.k, s.n, 0, s.k, b, s.k_stride, s.n_stride);
        p.a = call->x[0] + i * s.m * s.k;
        p.y = call->y[0] + i * s.m * s.n;
        kernels->product(&p);
    }
}

/* da = dy b', matrix i. */
static void backward_a(const struct net_call *call, const struct matmul *s, size_t i)
{
    const float *b = call->x[1] + i * s->k * s->n;
    packed_fill(call->scratch, s->n, s->k, 0, s->n, b, s->n_stride, s->k_stride);
    const struct net_product p = {.a = call->dy[0] + i * s->m * s->n,
                                  .a_stride = s->n,
                                  .n_rows = s->m,
                                  .n_segments = 1,
                                  .length = s->n,
                                  .b = call->scratch,
                                  .n = s->k,
                                  .add = call->add[0],
                                  .y = call->dx[0] + i * s->m * s->k,
                                  .y_stride = s->k};
    net_kernels_or_best(call->kernels)->product(&p);
}

/* db = a' dy; when b lies transposed, dy' a. */
static void backward_b(const struct net_call *call, const struct matmul *s, size_t i)
{
    bool turned = call->node->attributes.transpose_b;
    const float *a = call->x[0] + i * s->m * s->k, *dy = call->dy[0] + i * s->m * s->n;
    const struct net_outer o = {.a = turned ? dy : a,
                                .a_inner = turned ? s->n : s->k,
                                .b = turned ? a : dy,
                                .b_inner = turned ? s->k : s->n,
                                .n_outer = 1,
                                .n_inner = s->m,
                                .n_rows = turned ? s->n : s->k,
                                .n = turned ? s->k : s->n,
                                .g = call->dx[1] + i * s->k * s->n,
                                .g_stride = turned ? s->k : s->n,
                                .start = call->add[1] ? call->dx[1] + i * s->k * s->n : NULL,
                                .sums_stride = turned ? s->k : s->n};
    net_kernels_or_best(call->kernels)->outer(&o);
}

static void backward(const struct net_call *call)
{
    if (by_weight(call->graph, call->node)) {
        dense_backward(call);
        return;
    }
    struct matmul s = matmul_of(call->graph, call->node);
    for (size_t i = 0; i < (size_t)call->samples * s.matrices; i++) {
        if (call->dx[0]) backward_a(call, &s, i);
        if (call->dx[1]) backward_b(call, &s, i);
    }
}

static uint32_t gradient_parts(const struct net_graph *graph, const struct net_node *node)
{
    return by_weight(graph, node) ? dense_gradient_parts(graph, node) : 0;
}

static size_t gradient_scratch_bytes(const struct net_graph *graph, const struct net_node *node)
{
    return by_weight(graph, node) ? dense_gradient_scratch_bytes(graph, node) : 0;
}

static uint64_t macs(const struct net_graph *graph, const struct net_node *node)
{
    if (by_weight(graph, node)) return dense_macs(graph, node);
    struct matmul s = matmul_of(graph, node);
    return (uint64_t)s.matrices * s.m * s.k * s.n;
}

const struct net_operator op_matmul = {
    .name = "MatMul",
    .min_inputs = 2,
    .max_inputs = 2,
    .max_outputs = 1,
    .backward_reads = NET_READS_INPUTS | NET_READS_RELU,
    .infer = infer,
    .prepared_bytes = prepared_bytes,
    .scratch_bytes = scratch_bytes,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .gradient_parts = gradient_parts,
    .gradient_scratch_bytes = gradient_scratch_bytes,
    .parameter_gradient = dense_parameter_gradient,
    .macs = macs,
};
