/* Softmax: y = e^x / sum of e^x along `axis`. */
#include "net/kernels/functions.h"
#include "net/kernels/sums.h"
#include "net/operators.h"
#include "net/softmax.h"

KERNEL static void forward_row(const float *x, float *y, size_t n)
{
    float greatest = row_greatest(x, n);
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) y[i] = float_exp(x[i] - greatest);
    float share = 1.0f / row_sum(y, n);
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) y[i] *= share;
}

KERNEL static void backward_row(const float *y, const float *dy, float *dx, size_t n)
{
    float along = row_dot(y, dy, n);
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) dx[i] = y[i] * (dy[i] - along);
}

static const struct softmax_rows rows = {forward_row, backward_row};

static void forward(const struct net_call *call)
{
    softmax_forward(&rows, call);
}

static void backward(const struct net_call *call)
{
    softmax_backward(&rows, call);
}

const struct net_operator op_softmax = {
    .name = "Softmax",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .backward_reads = NET_READS_OUTPUTS,
    .in_place = true,
    .infer = softmax_infer,
    .scratch_bytes = softmax_scratch,
    .forward = forward,
    .backward = backward,
};
