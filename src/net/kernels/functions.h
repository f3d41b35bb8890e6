/*
 * exp, log, tanh, the logistic function and erf in single precision: the same bits on every processor and in
 * every vector width, because each is one chain of fmaf without branches that a compiler can put into lanes.
 * Within 2 units in the last place (tests/net/test_functions.c); NaN gives NaN, infinities what they should.
 *
 * The polynomials were fitted for these ranges by minimising the greatest relative error of the result.
 */
#ifndef NET_KERNELS_FUNCTIONS_H
#define NET_KERNELS_FUNCTIONS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "net/kernels/kernel.h"

KERNEL_INLINE uint32_t float_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

KERNEL_INLINE float float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^n for -126 <= n <= 127. */
KERNEL_INLINE float power_of_two(int32_t n)
{
    return float_of_bits((uint32_t)(n + 127) << 23);
}

/* e^x = 2^n e^r with n whole and |r| <= ln 2 / 2. 2^n is multiplied on in two halves, so that results below
 * the smallest normal number are right too. */
KERNEL_INLINE float float_exp(float x)
{
    const float round = 0x1.8p23f; /* added and taken away again, it leaves a whole number */
    float within = x > 89.0f ? 89.0f : x;
    within = within < -104.0f ? -104.0f : within;
    float shifted = fmaf(within, 0x1.715476p0f, round);
    float n = shifted - round;
    float r = fmaf(n, -0x1.63p-1f, within);
    r = fmaf(n, 0x1.bd0106p-13f, r);
    float p = 0x1.9f02dp-13f;
    p = fmaf(p, r, 0x1.6d945cp-10f);
    p = fmaf(p, r, 0x1.11128p-7f);
    p = fmaf(p, r, 0x1.555486p-5f);
    p = fmaf(p, r, 0x1.555554p-3f);
    p = fmaf(p, r, 0.5f);
    p = fmaf(p * r, r, r) + 1.0f;
    int32_t whole = (int32_t)(float_bits(shifted) - float_bits(round));
    whole = whole < -152 ? -152 : whole; /* NaN's bits say nothing */
    whole = whole > 130 ? 130 : whole;
    int32_t half = whole >> 1;
    return p * power_of_two(half) * power_of_two(whole - half);
}

/* Of x > 0: x = 2^e (1 + f) with 1 + f between sqrt(1/2) and sqrt(2). 0 gives minus infinity, less NaN. */
KERNEL_INLINE float float_log(float x)
{
    float normal = x < 0x1p-126f ? x * 0x1p24f : x;
    uint32_t above = float_bits(normal) - 0x3f3504f3u; /* from sqrt(1/2) on */
    int32_t exponent = (int32_t)above >> 23;
    float f = float_of_bits((above & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
    float e = (float)exponent - (x < 0x1p-126f ? 24.0f : 0.0f);
    float p = 0x1.1441bcp-4f;
    p = fmaf(p, f, -0x1.de333ep-4f);
    p = fmaf(p, f, 0x1.e6f504p-4f);
    p = fmaf(p, f, -0x1.fc23c6p-4f);
    p = fmaf(p, f, 0x1.23373cp-3f);
    p = fmaf(p, f, -0x1.555c4p-3f);
    p = fmaf(p, f, 0x1.99a4b6p-3f);
    p = fmaf(p, f, -0x1.000006p-2f);
    p = fmaf(p, f, 0x1.555548p-2f);
    float square = f * f;
    float low = fmaf(p * f, square, e * -0x1.bd0106p-13f);
    low = fmaf(square, -0.5f, low);
    float result = fmaf(e, 0x1.63p-1f, low + f);
    result = x > 0x1.fffffep127f ? x : result;
    result = x == 0.0f ? -INFINITY : result;
    return x >= 0.0f ? result : NAN;
}

/* 1 / (1 + e^-x). */
KERNEL_INLINE float float_logistic(float x)
{
    return 1.0f / (1.0f + float_exp(-x));
}

KERNEL_INLINE float float_tanh(float x)
{
    float square = x * x;
    float p = -0x1.75624cp-8f;
    p = fmaf(p, square, 0x1.520b3p-6f);
    p = fmaf(p, square, -0x1.b83856p-5f);
    p = fmaf(p, square, 0x1.11070ap-3f);
    p = fmaf(p, square, -0x1.555532p-2f);
    float small = fmaf(p * square, x, x);
    float size = fabsf(x);
    float large = 1.0f - 2.0f / (float_exp(size + size) + 1.0f);
    return size < 0.625f ? small : copysignf(large, x);
}

/* Up to 1 by its series' like; beyond, 1 - e^-p(x). */
KERNEL_INLINE float float_erf(float x)
{
    float size = fabsf(x), square = x * x;
    float s = 0x1.496bc8p-14f;
    s = fmaf(s, square, -0x1.a3f7a6p-11f);
    s = fmaf(s, square, 0x1.5405ccp-8f);
    s = fmaf(s, square, -0x1.b7f91p-6f);
    s = fmaf(s, square, 0x1.ce2cf8p-4f);
    s = fmaf(s, square, -0x1.81273ep-2f);
    s = fmaf(s, square, 0x1.06eba8p-3f);
    float small = fmaf(s, x, x);
    float within = size > 4.0f ? 4.0f : size; /* beyond, erf is 1 */
    float p = 0x1.6bd85p-16f;
    p = fmaf(p, within, -0x1.cec654p-12f);
    p = fmaf(p, within, 0x1.138cd8p-8f);
    p = fmaf(p, within, -0x1.9d0318p-6f);
    p = fmaf(p, within, 0x1.bc151ep-4f);
    p = fmaf(p, within, 0x1.443566p-1f);
    p = fmaf(p, within, 0x1.212c0ep0f);
    p = fmaf(p, within, -0x1.8a5954p-13f);
    float large = copysignf(1.0f - float_exp(-p), x);
    return size < 1.0f ? small : large;
}

#endif
