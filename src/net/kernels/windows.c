#include "net/kernels/windows.h"

#include <string.h>

#include "net/kernels/functions.h"

enum { LANES = 16 };

typedef float floats __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t ints __attribute__((vector_size(LANES * sizeof(int32_t))));
typedef uint8_t bytes __attribute__((vector_size(LANES * sizeof(uint8_t))));
typedef uint16_t shorts __attribute__((vector_size(LANES * sizeof(uint16_t))));

/* All bits where b goes before a; else none. Masks instead of conditions, of which the compiler would make
 * branches, which lanes cannot take. */
KERNEL_INLINE uint32_t goes_before(float b, float a)
{
    return -(uint32_t)((b > a) | (b != b));
}

KERNEL_INLINE uint32_t choose(uint32_t mask, uint32_t yes, uint32_t no)
{
    return (yes & mask) | (no & ~mask);
}

KERNEL_INLINE float choose_float(uint32_t mask, float yes, float no)
{
    return float_of_bits(choose(mask, float_bits(yes), float_bits(no)));
}

/* So many channels of a square: a number that is known, so that the compiler can take them as one vector. */
KERNEL_INLINE void square(const float *a, const float *b, const float *c, const float *d, size_t channels,
                          float *y, uint8_t *which)
{
    KERNEL_LANES
    for (size_t i = 0; i < channels; i++) {
        uint32_t right = goes_before(b[i], a[i]), lower_right = goes_before(d[i], c[i]);
        float upper = choose_float(right, b[i], a[i]), lower = choose_float(lower_right, d[i], c[i]);
        uint32_t below = goes_before(lower, upper);
        y[i] = choose_float(below, lower, upper);
        which[i] = (uint8_t)choose(below, 2 + (lower_right & 1), right & 1);
    }
}

KERNEL void windows_square(const float *x, size_t below, size_t channels, float *y, uint8_t *which)
{
    const float *right = x + channels, *lower = x + below, *lower_right = lower + channels;
    size_t i = 0;
    for (; i + LANES <= channels; i += LANES)
        square(x + i, right + i, lower + i, lower_right + i, LANES, y + i, which + i);
    square(x + i, right + i, lower + i, lower_right + i, channels - i, y + i, which + i);
}

/* A pixel's share of the gradient. */
KERNEL_INLINE void give(const floats *dy, const ints *which, int32_t pixel, bool add, float *dx)
{
    floats share = (floats)((ints)*dy & (*which == pixel)), before;
    if (add) {
        memcpy(&before, dx, sizeof before);
        share += before;
    }
    memcpy(dx, &share, sizeof share);
}

KERNEL_INLINE void square_back(const float *dy, const uint8_t *which, size_t below, size_t channels, bool add,
                               float *dx)
{
    float *pixel[4] = {dx, dx + channels, dx + below, dx + below + channels};
    size_t i = 0;
    for (; i + LANES <= channels; i += LANES) {
        floats gradient;
        bytes narrow;
        memcpy(&gradient, dy + i, sizeof gradient);
        memcpy(&narrow, which + i, sizeof narrow);
        ints at = __builtin_convertvector(narrow, ints);
        for (int k = 0; k < 4; k++) give(&gradient, &at, k, add, pixel[k] + i);
    }
    for (; i < channels; i++)
        for (int k = 0; k < 4; k++) pixel[k][i] = (which[i] == k ? dy[i] : 0.0f) + (add ? pixel[k][i] : 0.0f);
}

KERNEL void windows_square_back(const float *dy, const uint8_t *which, size_t below, size_t channels,
                                bool add, float *dx)
{
    if (add)
        square_back(dy, which, below, channels, true, dx);
    else
        square_back(dy, which, below, channels, false, dx);
}

KERNEL_INLINE void more(const float *x, size_t channels, uint16_t pixel, float *y, uint16_t *which)
{
    KERNEL_LANES
    for (size_t i = 0; i < channels; i++) {
        float old = y[i], new = x[i];
        uint16_t at = which[i];
        bool takes = (new > old) | (new != new);
        y[i] = takes ? new : old;
        which[i] = takes ? pixel : at;
    }
}

KERNEL void windows_more(const float *x, size_t channels, uint16_t pixel, float *y, uint16_t *which)
{
    size_t i = 0;
    for (; i + LANES <= channels; i += LANES) more(x + i, LANES, pixel, y + i, which + i);
    more(x + i, channels - i, pixel, y + i, which + i);
}

KERNEL void windows_back(const float *dy, const uint16_t *which, size_t channels, uint16_t pixel, float *dx)
{
    size_t i = 0;
    for (; i + LANES <= channels; i += LANES) {
        floats gradient;
        shorts narrow;
        memcpy(&gradient, dy + i, sizeof gradient);
        memcpy(&narrow, which + i, sizeof narrow);
        ints at = __builtin_convertvector(narrow, ints);
        give(&gradient, &at, pixel, true, dx + i);
    }
    for (; i < channels; i++) dx[i] += which[i] == pixel ? dy[i] : 0.0f;
}
