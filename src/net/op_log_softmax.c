/* LogSoftmax: y = x - log of the sum of e^x along `axis`. */
#include "net/kernels/functions.h"
#include "net/kernels/sums.h"
#include "net/operators.h"
#include "net/softmax.h"

KERNEL_INLINE float sum_of_powers(const float *x, size_t n, float less)
{
    float lane[SUM_LANES] = {0};
    size_t i = 0;
    for (; i + SUM_LANES <= n; i += SUM_LANES)
        for (int l = 0; l < SUM_LANES; l++) lane[l] += float_exp(x[i + (size_t)l] - less);
    for (size_t l = 0; i + l < n; l++) lane[l] += float_exp(x[i + l] - less);
    return lanes_total(lane);
}

KERNEL static void forward_row(const float *x, float *y, size_t n)
{
    float greatest = row_greatest(x, n);
    float log_sum = float_log(sum_of_powers(x, n, greatest));
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) y[i] = (x[i] - greatest) - log_sum;
}

KERNEL static void backward_row(const float *y, const float *dy, float *dx, size_t n)
{
    float sum = row_sum(dy, n);
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) dx[i] = fmaf(-float_exp(y[i]), sum, dy[i]);
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

const struct net_operator op_log_softmax = {
    .name = "LogSoftmax",
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
