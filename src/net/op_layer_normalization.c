/*
 * LayerNormalization: y = scale (x - mean) / sqrt(variance + epsilon) + bias, with the mean and variance of a
 * sample's numbers from `axis` on. Inputs: x, scale, bias (may be left out): weights of the shape from the
 * axis on. Attributes: axis, epsilon.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "net/fold.h"
#include "net/kernels/sums.h"
#include "net/operands.h"
#include "net/operators.h"

enum { SCALE = 1, BIAS, PART = 256 }; /* columns of a part of the gradient */

static size_t row_length(const struct net_graph *graph, const struct net_node *node)
{
    const struct net_shape *x = operand_shape(graph, node, 0);
    return shape_product(x, node->attributes.axis, x->rank);
}

static size_t sample_rows(const struct net_graph *graph, const struct net_node *node)
{
    return shape_product(operand_shape(graph, node, 0), 0, node->attributes.axis);
}

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    uint32_t axis = node->attributes.axis;
    bramble_status status = operand_check_activation(graph, node, 0, error);
    if (status) return status;
    const struct net_shape *x = operand_shape(graph, node, 0);
    if (axis >= x->rank)
        return error_set(error, BRAMBLE_ERR_DATA, "axis %u: the input has %u axes", axis, x->rank);
    if (!(node->attributes.epsilon >= 0))
        return error_set(error, BRAMBLE_ERR_DATA, "epsilon is %g and has to be 0 or more",
                         (double)node->attributes.epsilon);
    size_t length = row_length(graph, node);
    status = operand_check_weight(graph, node, SCALE, length, "scale", error);
    if (!status && operand_given(node, BIAS))
        status = operand_check_weight(graph, node, BIAS, length, "bias", error);
    if (!status) shapes[0] = *x;
    return status;
}

/* A row's mean and 1 / sqrt(variance + epsilon). */
struct moments {
    float mean, inverse;
};

static size_t kept_bytes(const struct net_graph *graph, const struct net_node *node, uint32_t samples)
{
    return samples * sample_rows(graph, node) * sizeof(struct moments);
}

KERNEL static struct moments normalise_row(const float *x, size_t n, const float *scale, const float *bias,
                                           float epsilon, float *y)
{
    float mean = row_sum(x, n) / (float)n;
    float inverse = 1.0f / sqrtf(row_spread(x, n, mean) / (float)n + epsilon);
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float normal = (x[i] - mean) * inverse;
        y[i] = bias ? fmaf(normal, scale[i], bias[i]) : normal * scale[i];
    }
    return (struct moments){mean, inverse};
}

static void forward(const struct net_call *call)
{
    size_t n = row_length(call->graph, call->node);
    size_t rows = call->samples * sample_rows(call->graph, call->node);
    const float *bias = operand_given(call->node, BIAS) ? call->x[BIAS] : NULL;
    struct moments *kept = call->kept;
    for (size_t r = 0; r < rows; r++) {
        struct moments moments = normalise_row(call->x[0] + r * n, n, call->x[SCALE], bias,
                                               call->node->attributes.epsilon, call->y[0] + r * n);
        if (call->training) kept[r] = moments;
    }
}

KERNEL static void back_row(const float *x, const float *dy, size_t n, const float *scale, struct moments m,
                            float *dx, bool add)
{
    float sum[SUM_LANES] = {0}, product[SUM_LANES] = {0};
    for (size_t from = 0; from < n; from += SUM_LANES) {
        size_t here = n - from < SUM_LANES ? n - from : SUM_LANES;
        for (size_t l = 0; l < here; l++) {
            float g = dy[from + l] * scale[from + l];
            sum[l] += g;
            product[l] = fmaf(g, x[from + l] - m.mean, product[l]);
        }
    }
    float middle = lanes_total(sum) / (float)n;
    float slope = lanes_total(product) / (float)n * m.inverse * m.inverse;
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float rest = fmaf(dy[i], scale[i], -middle);
        float d = m.inverse * fmaf(-slope, x[i] - m.mean, rest);
        dx[i] = add ? dx[i] + d : d;
    }
}

static void backward(const struct net_call *call)
{
    size_t n = row_length(call->graph, call->node);
    size_t rows = call->samples * sample_rows(call->graph, call->node);
    const struct moments *kept = call->kept;
    for (size_t r = 0; r < rows && call->dx[0]; r++)
        back_row(call->x[0] + r * n, call->dy[0] + r * n, n, call->x[SCALE], kept[r], call->dx[0] + r * n,
                 call->add[0]);
}

static uint32_t gradient_parts(const struct net_graph *graph, const struct net_node *node)
{
    return (uint32_t)((row_length(graph, node) + PART - 1) / PART);
}

static size_t gradient_scratch_bytes(const struct net_graph *graph, const struct net_node *node)
{
    (void)graph, (void)node;
    return (FOLD_LEVELS + 1) * 2 * PART * sizeof(float);
}

/* Adds a row's share to the scale's and the bias's gradients. */
KERNEL static void add_row(const float *x, const float *dy, size_t n, struct moments m, float *scale,
                           float *bias)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        scale[i] = fmaf(dy[i], (x[i] - m.mean) * m.inverse, scale[i]);
        bias[i] += dy[i];
    }
}

static void parameter_gradient(const struct net_gradient_call *call, uint32_t part)
{
    size_t length = row_length(call->graph, call->node), rows = sample_rows(call->graph, call->node);
    size_t from = (size_t)part * PART, n = length - from < PART ? length - from : PART;
    float *total = call->scratch;
    struct fold fold;
    fold_begin(&fold, total + 2 * PART, 2 * n);
    for (uint64_t first = 0; first < call->samples; first += MICROBATCH) {
        uint64_t left = call->samples - first, samples = left < MICROBATCH ? left : MICROBATCH;
        const struct moments *kept =
            (const struct moments *)((const char *)call->kept + first / MICROBATCH * call->kept_bytes);
        float *leaf = fold_leaf(&fold);
        memset(leaf, 0, 2 * n * sizeof *leaf);
        for (size_t r = 0; r < samples * rows; r++) {
            size_t at = (first * rows + r) * length + from;
            add_row(call->x[0] + at, call->dy[0] + at, n, kept[r], leaf, leaf + n);
        }
        fold_add(&fold);
    }
    fold_end(&fold, total);
    if (call->gradient[SCALE]) memcpy(call->gradient[SCALE] + from, total, n * sizeof *total);
    if (call->gradient[BIAS]) memcpy(call->gradient[BIAS] + from, total + n, n * sizeof *total);
}

const struct net_operator op_layer_normalization = {
    .name = "LayerNormalization",
    .min_inputs = 2,
    .max_inputs = 3,
    .max_outputs = 1,
    .backward_reads = NET_READS_INPUTS,
    .in_place = true,
    .infer = infer,
    .kept_bytes = kept_bytes,
    .forward = forward,
    .backward = backward,
    .gradient_parts = gradient_parts,
    .gradient_scratch_bytes = gradient_scratch_bytes,
    .parameter_gradient = parameter_gradient,
};
