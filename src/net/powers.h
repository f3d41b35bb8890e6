/* Functions of doubles that give the same bits on every machine, which libm's need not. */
#ifndef NET_POWERS_H
#define NET_POWERS_H

#include <stdint.h>

/* x^n, by squaring. */
static inline double power_whole(double x, uint64_t n)
{
    double result = 1.0;
    for (; n; n >>= 1) {
        if (n & 1) result *= x;
        x *= x;
    }
    return result;
}

/* cos(pi x) for 0 <= x <= 1, within a few units in the last place of 1: its power series up to half of pi,
 * beyond that from the other side. */
static inline double cosine_of_pi(double x)
{
    double within = x > 0.5 ? 1.0 - x : x, square = 0x1.921fb54442d18p1 * within, sum = 1.0;
    square *= square;
    for (int k = 24; k > 0; k -= 2) sum = 1.0 - sum * square / (k * (k - 1));
    return x > 0.5 ? -sum : sum;
}

#endif
