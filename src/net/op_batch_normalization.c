/*
 * BatchNormalization: y = scale (x - mean) / sqrt(variance + epsilon) + bias, for each channel: the last
 * axis. Inputs: x, scale, bias, running mean, running variance.
 *
 * In training mean and variance are those of the whole batch, from sums in double precision; the running ones
 * move towards them by 1 - momentum, the variance being the unbiased one, as in PyTorch. In
 * prediction the running ones are used. Attributes: epsilon, momentum, relu.
 */
#include <math.h>

#include "base/error.h"
#include "net/kernels/columns.h"
#include "net/operands.h"
#include "net/operators.h"

enum { SCALE = 1, BIAS, MEAN, VARIANCE };

static uint32_t channels_of(const struct net_graph *graph, const struct net_node *node)
{
    const struct net_shape *x = operand_shape(graph, node, 0);
    return x->dim[x->rank - 1];
}

static size_t rows_of(const struct net_call *call)
{
    return call->samples * (operand_size(call->graph, call->node, 0) / channels_of(call->graph, call->node));
}

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    static const char *const words[] = {"x", "scale", "bias", "running mean", "running variance"};
    bramble_status status = operand_check_activation(graph, node, 0, error);
    if (status) return status;
    const struct net_shape *x = operand_shape(graph, node, 0);
    if (!x->rank) return error_set(error, BRAMBLE_ERR_DATA, "the input has no channels");
    for (uint32_t i = SCALE; i <= VARIANCE && !status; i++)
        status = operand_check_weight(graph, node, i, x->dim[x->rank - 1], words[i], error);
    if (status) return status;
    if (!(node->attributes.epsilon >= 0))
        return error_set(error, BRAMBLE_ERR_DATA, "epsilon is %g and has to be 0 or more",
                         (double)node->attributes.epsilon);
    shapes[0] = *x;
    return BRAMBLE_OK;
}

/* The parts of `batch`, a number a channel each. The mean is in two parts, so that it is exact enough for
 * channels whose mean is far from 0. */
struct channels {
    float *a, *b;                      /* y = a x + b */
    float *mean, *mean_rest, *inverse; /* 1 / sqrt(variance + epsilon) */
    float *p, *q;                      /* backward: dx = a dy + p x + q */
};

enum { CHANNEL_NUMBERS = 7 };

static struct channels channels_at(float *batch, size_t n)
{
    return (struct channels){batch,         batch + n,     batch + 2 * n, batch + 3 * n,
                             batch + 4 * n, batch + 5 * n, batch + 6 * n};
}

static uint32_t n_partial(const struct net_graph *graph, const struct net_node *node)
{
    return 2 * channels_of(graph, node);
}

static uint32_t n_batch(const struct net_graph *graph, const struct net_node *node)
{
    return CHANNEL_NUMBERS * channels_of(graph, node);
}

static void forward_gather(const struct net_call *call)
{
    uint32_t n = channels_of(call->graph, call->node);
    columns_sums(call->x[0], rows_of(call), n, call->partial, call->partial + n);
}

/* Running numbers that training may change. */
static float *running(struct net_graph *graph, const struct net_node *node, uint32_t i)
{
    return operand(graph, node, i)->kind == NET_STATE ? graph_numbers(graph, node->inputs[i]) : NULL;
}

static void forward_combine(struct net_graph *graph, const struct net_node *node, const double *total,
                            uint64_t samples, float *batch)
{
    uint32_t n = channels_of(graph, node);
    double count = (double)samples * (double)(operand_size(graph, node, 0) / n);
    double epsilon = node->attributes.epsilon, kept = node->attributes.momentum;
    struct channels to = channels_at(batch, n);
    const float *scale = graph_numbers(graph, node->inputs[SCALE]);
    const float *bias = graph_numbers(graph, node->inputs[BIAS]);
    float *mean_state = running(graph, node, MEAN), *variance_state = running(graph, node, VARIANCE);
    for (uint32_t c = 0; c < n; c++) {
        double mean = total[c] / count, variance = fmax(total[n + c] / count - mean * mean, 0);
        if (isnan(total[n + c])) variance = total[n + c];
        double inverse = 1 / sqrt(variance + epsilon), unbiased = variance * (count / fmax(count - 1, 1));
        to.a[c] = (float)(scale[c] * inverse);
        to.b[c] = (float)(bias[c] - scale[c] * inverse * mean);
        to.mean[c] = (float)mean;
        to.mean_rest[c] = (float)(mean - to.mean[c]);
        to.inverse[c] = (float)inverse;
        if (mean_state) mean_state[c] = (float)(kept * mean_state[c] + (1 - kept) * mean);
        if (variance_state) variance_state[c] = (float)(kept * variance_state[c] + (1 - kept) * unbiased);
    }
}

static void backward_gather(const struct net_call *call)
{
    uint32_t n = channels_of(call->graph, call->node);
    bool relu = call->node->attributes.relu;
    columns_products(call->dy[0], call->x[0], rows_of(call), n, relu ? call->batch : NULL,
                     relu ? call->batch + n : NULL, call->partial, call->partial + n);
}

static void backward_combine(const struct net_graph *graph, const struct net_node *node, const double *total,
                             uint64_t samples, float *batch, float *const *gradient)
{
    uint32_t n = channels_of(graph, node);
    double count = (double)samples * (double)(operand_size(graph, node, 0) / n);
    struct channels at = channels_at(batch, n);
    for (uint32_t c = 0; c < n; c++) {
        double mean = (double)at.mean[c] + at.mean_rest[c], inverse = at.inverse[c];
        double normal = (total[n + c] - mean * total[c]) * inverse; /* sum of dy (x - mean) / deviation */
        double p = -at.a[c] * normal * inverse / count;
        at.p[c] = (float)p;
        at.q[c] = (float)(-at.a[c] * total[c] / count - p * mean);
        if (gradient[SCALE]) gradient[SCALE][c] = (float)normal;
        if (gradient[BIAS]) gradient[BIAS][c] = (float)total[c];
    }
}

static size_t scratch_bytes(const struct net_graph *graph, const struct net_node *node, uint32_t samples)
{
    (void)samples;
    size_t n = channels_of(graph, node);
    return (4 * columns_room(n) + 2 * n) * sizeof(float);
}

/* a and b of prediction, from the running numbers. */
static void from_running(const struct net_call *call, uint32_t n, float *a, float *b)
{
    double epsilon = call->node->attributes.epsilon;
    for (uint32_t c = 0; c < n; c++) {
        double factor = call->x[SCALE][c] / sqrt(call->x[VARIANCE][c] + epsilon);
        a[c] = (float)factor;
        b[c] = (float)(call->x[BIAS][c] - factor * call->x[MEAN][c]);
    }
}

static void forward(const struct net_call *call)
{
    uint32_t n = channels_of(call->graph, call->node);
    float *a = call->scratch, *b = a + columns_room(n), *own = b + columns_room(n);
    if (!call->training) from_running(call, n, own, own + n);
    const float *from = call->training ? call->batch : own;
    columns_widen(from, n, a);
    columns_widen(from + n, n, b);
    columns_scale(call->x[0], rows_of(call), n, a, b, call->node->attributes.relu, call->y[0]);
}

static void backward(const struct net_call *call)
{
    uint32_t n = channels_of(call->graph, call->node);
    size_t room = columns_room(n);
    float *wide = call->scratch;
    if (!call->dx[0]) return;
    columns_widen(call->batch, n, wide);
    columns_widen(call->batch + n, n, wide + room);
    columns_widen(call->batch + 5 * (size_t)n, n, wide + 2 * room);
    columns_widen(call->batch + 6 * (size_t)n, n, wide + 3 * room);
    struct columns_back back = {.a = wide,
                                .b = wide + room,
                                .p = wide + 2 * room,
                                .q = wide + 3 * room,
                                .relu = call->node->attributes.relu,
                                .add = call->add[0]};
    columns_scale_back(call->dy[0], call->x[0], rows_of(call), n, &back, call->dx[0]);
}

const struct net_operator op_batch_normalization = {
    .name = "BatchNormalization",
    .min_inputs = 5,
    .max_inputs = 5,
    .max_outputs = 1,
    .backward_reads = NET_READS_INPUTS,
    .in_place = true,
    .takes_relu = true,
    .infer = infer,
    .scratch_bytes = scratch_bytes,
    .n_partial = n_partial,
    .n_batch = n_batch,
    .forward_gather = forward_gather,
    .forward_combine = forward_combine,
    .backward_gather = backward_gather,
    .backward_combine = backward_combine,
    .forward = forward,
    .backward = backward,
};
