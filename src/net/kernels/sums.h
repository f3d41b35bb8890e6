/*
 * Sums and greatest numbers of a row, in 16 lanes that a fixed tree brings together: number i goes to lane
 * i mod 16. So any vector width gives the same bits.
 */
#ifndef NET_KERNELS_SUMS_H
#define NET_KERNELS_SUMS_H

#include <math.h>
#include <stddef.h>

#include "net/kernels/kernel.h"

enum { SUM_LANES = 16 };

KERNEL_INLINE float lanes_total(float lane[SUM_LANES])
{
    for (int width = SUM_LANES / 2; width; width /= 2)
        for (int l = 0; l < width; l++) lane[l] += lane[l + width];
    return lane[0];
}

KERNEL_INLINE float row_sum(const float *x, size_t n)
{
    float lane[SUM_LANES] = {0};
    size_t i = 0;
    for (; i + SUM_LANES <= n; i += SUM_LANES)
        for (int l = 0; l < SUM_LANES; l++) lane[l] += x[i + (size_t)l];
    for (size_t l = 0; i + l < n; l++) lane[l] += x[i + l];
    return lanes_total(lane);
}

/* Of x * y. */
KERNEL_INLINE float row_dot(const float *x, const float *y, size_t n)
{
    float lane[SUM_LANES] = {0};
    size_t i = 0;
    for (; i + SUM_LANES <= n; i += SUM_LANES)
        for (int l = 0; l < SUM_LANES; l++) lane[l] = fmaf(x[i + (size_t)l], y[i + (size_t)l], lane[l]);
    for (size_t l = 0; i + l < n; l++) lane[l] = fmaf(x[i + l], y[i + l], lane[l]);
    return lanes_total(lane);
}

/* Of (x - middle)^2. */
KERNEL_INLINE float row_spread(const float *x, size_t n, float middle)
{
    float lane[SUM_LANES] = {0};
    size_t i = 0;
    for (; i + SUM_LANES <= n; i += SUM_LANES)
        for (int l = 0; l < SUM_LANES; l++) {
            float d = x[i + (size_t)l] - middle;
            lane[l] = fmaf(d, d, lane[l]);
        }
    for (size_t l = 0; i + l < n; l++) lane[l] = fmaf(x[i + l] - middle, x[i + l] - middle, lane[l]);
    return lanes_total(lane);
}

KERNEL_INLINE float greater(float a, float b)
{
    return a > b ? a : b;
}

/* n >= 1. NaN may be passed over: what is made of the rest is NaN where it was. */
KERNEL_INLINE float row_greatest(const float *x, size_t n)
{
    float lane[SUM_LANES];
    size_t i = 0;
    for (int l = 0; l < SUM_LANES; l++) lane[l] = -INFINITY;
    for (; i + SUM_LANES <= n; i += SUM_LANES)
        for (int l = 0; l < SUM_LANES; l++) lane[l] = greater(x[i + (size_t)l], lane[l]);
    for (size_t l = 0; i + l < n; l++) lane[l] = greater(x[i + l], lane[l]);
    for (int width = SUM_LANES / 2; width; width /= 2)
        for (int l = 0; l < width; l++) lane[l] = greater(lane[l], lane[l + width]);
    return lane[0];
}

#endif
