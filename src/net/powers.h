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

#endif
