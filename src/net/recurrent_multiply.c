#include <math.h>

#include "net/kernels/kernel.h"
#include "net/recurrent.h"

enum { LANES = 64 };

/* c[n] += the sum over k of a[k] b[k][n], for n = LANES or fewer. */
KERNEL_INLINE void multiply_row(float *restrict c, const float *a, size_t a_step, const float *restrict b,
                                size_t b_stride, size_t n, size_t k)
{
    float sums[LANES];
    for (size_t j = 0; j < n; j++) sums[j] = c[j];
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < n; j++) sums[j] = fmaf(a[i * a_step], b[i * b_stride + j], sums[j]);
    for (size_t j = 0; j < n; j++) c[j] = sums[j];
}

KERNEL_INLINE void multiply(float *c, size_t c_stride, const float *a, size_t a_stride, size_t a_step,
                            const float *b, size_t b_stride, size_t m, size_t n, size_t k)
{
    for (size_t j = 0; j < n; j += LANES)
        for (size_t i = 0; i < m; i++) {
            float *out = c + i * c_stride + j;
            const float *row = a + i * a_stride;
            if (n - j >= LANES)
                multiply_row(out, row, a_step, b + j, b_stride, LANES, k);
            else
                multiply_row(out, row, a_step, b + j, b_stride, n - j, k);
        }
}

KERNEL void recurrent_multiply(float *c, size_t c_stride, const float *a, size_t a_stride, const float *b,
                               size_t b_stride, size_t m, size_t n, size_t k)
{
    multiply(c, c_stride, a, a_stride, 1, b, b_stride, m, n, k);
}

KERNEL void recurrent_multiply_transposed(float *c, size_t c_stride, const float *a, size_t a_stride,
                                          const float *b, size_t b_stride, size_t m, size_t n, size_t k)
{
    multiply(c, c_stride, a, 1, a_stride, b, b_stride, m, n, k);
}
