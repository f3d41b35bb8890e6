#include "net/mean.h"

#include <string.h>

#include "net/kernels/sums.h"

KERNEL static void sum_rows(const float *x, size_t length, size_t inner, float *y)
{
    for (size_t row = 0; row < length; row++) {
        KERNEL_LOOP
        for (size_t i = 0; i < inner; i++) y[i] += x[row * inner + i];
    }
}

KERNEL static void multiply(float *y, size_t n, float share)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) y[i] *= share;
}

KERNEL static float sum_of_row(const float *x, size_t n)
{
    return row_sum(x, n);
}

void mean_forward(const float *x, float *y, size_t outer, size_t length, size_t inner)
{
    float share = 1.0f / (float)length;
    for (size_t o = 0; o < outer; o++) {
        const float *from = x + o * length * inner;
        float *to = y + o * inner;
        if (inner == 1) {
            to[0] = sum_of_row(from, length) * share;
            continue;
        }
        memset(to, 0, inner * sizeof *to);
        sum_rows(from, length, inner, to);
        multiply(to, inner, share);
    }
}

KERNEL static void spread(const float *dy, size_t inner, float share, float *dx, bool add)
{
    KERNEL_LOOP
    for (size_t i = 0; i < inner; i++) dx[i] = add ? fmaf(dy[i], share, dx[i]) : dy[i] * share;
}

void mean_backward(const float *dy, float *dx, size_t outer, size_t length, size_t inner, bool add)
{
    float share = 1.0f / (float)length;
    for (size_t o = 0; o < outer; o++)
        for (size_t row = 0; row < length; row++)
            spread(dy + o * inner, inner, share, dx + (o * length + row) * inner, add);
}
