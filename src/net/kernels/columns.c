#include "net/kernels/columns.h"

#include <string.h>

#include "net/kernels/functions.h"

enum { WIDE = 256, LANES = 8, GROUP = 16 };

typedef double doubles __attribute__((vector_size(LANES * sizeof(double))));
typedef float floats __attribute__((vector_size(LANES * sizeof(float))));

KERNEL_INLINE void load(const float *from, doubles *to)
{
    floats single;
    memcpy(&single, from, sizeof single);
    *to = __builtin_convertvector(single, doubles);
}

/* So many columns at once: a whole number of vectors. */
KERNEL_INLINE void group_sums(const float *x, size_t rows, size_t channels, int vectors, double *sum,
                              double *squares)
{
    doubles s[GROUP / LANES] = {0}, q[GROUP / LANES] = {0}, d;
    for (size_t row = 0; row < rows; row++)
        for (int v = 0; v < vectors; v++) {
            load(x + row * channels + v * LANES, &d);
            s[v] += d;
            q[v] += d * d;
        }
    memcpy(sum, s, (size_t)vectors * sizeof *s);
    memcpy(squares, q, (size_t)vectors * sizeof *q);
}

KERNEL void columns_sums(const float *x, size_t rows, size_t channels, double *sum, double *squares)
{
    size_t c = 0;
    for (; c + GROUP <= channels; c += GROUP)
        group_sums(x + c, rows, channels, GROUP / LANES, sum + c, squares + c);
    for (; c + LANES <= channels; c += LANES) group_sums(x + c, rows, channels, 1, sum + c, squares + c);
    for (; c < channels; c++) {
        double s = 0, q = 0;
        for (size_t row = 0; row < rows; row++) {
            double d = x[row * channels + c];
            s += d;
            q += d * d;
        }
        sum[c] = s;
        squares[c] = q;
    }
}

KERNEL_INLINE void group_products(const float *dy, const float *x, size_t rows, size_t channels, int vectors,
                                  double *sum, double *products)
{
    doubles s[GROUP / LANES] = {0}, q[GROUP / LANES] = {0}, g, d;
    for (size_t row = 0; row < rows; row++)
        for (int v = 0; v < vectors; v++) {
            load(dy + row * channels + v * LANES, &g);
            load(x + row * channels + v * LANES, &d);
            s[v] += g;
            q[v] += g * d;
        }
    memcpy(sum, s, (size_t)vectors * sizeof *s);
    memcpy(products, q, (size_t)vectors * sizeof *q);
}

KERNEL static void plain_products(const float *dy, const float *x, size_t rows, size_t channels, double *sum,
                                  double *products)
{
    size_t c = 0;
    for (; c + GROUP <= channels; c += GROUP)
        group_products(dy + c, x + c, rows, channels, GROUP / LANES, sum + c, products + c);
    for (; c + LANES <= channels; c += LANES)
        group_products(dy + c, x + c, rows, channels, 1, sum + c, products + c);
    for (; c < channels; c++) {
        double s = 0, q = 0;
        for (size_t row = 0; row < rows; row++) {
            double g = dy[row * channels + c];
            s += g;
            q += g * x[row * channels + c];
        }
        sum[c] = s;
        products[c] = q;
    }
}

/* Up to GROUP columns; the sums of rows that the Relu let through. What it held back is masked out bit by
 * bit: of a condition the compiler would make a branch, which lanes cannot take. */
KERNEL_INLINE void group_masked(const float *dy, const float *x, size_t rows, size_t channels, size_t columns,
                                const float *a, const float *b, double *sum, double *products)
{
    double s[GROUP] = {0}, q[GROUP] = {0};
    for (size_t row = 0; row < rows; row++, dy += channels, x += channels) {
        KERNEL_LANES
        for (size_t c = 0; c < columns; c++) {
            uint32_t through = -(uint32_t)(fmaf(x[c], a[c], b[c]) > 0.0f);
            double g = float_of_bits(float_bits(dy[c]) & through);
            s[c] += g;
            q[c] += g * x[c];
        }
    }
    memcpy(sum, s, columns * sizeof *s);
    memcpy(products, q, columns * sizeof *q);
}

KERNEL static void masked_products(const float *dy, const float *x, size_t rows, size_t channels,
                                   const float *a, const float *b, double *sum, double *products)
{
    size_t c = 0;
    for (; c + GROUP <= channels; c += GROUP)
        group_masked(dy + c, x + c, rows, channels, GROUP, a + c, b + c, sum + c, products + c);
    if (c < channels)
        group_masked(dy + c, x + c, rows, channels, channels - c, a + c, b + c, sum + c, products + c);
}

void columns_products(const float *dy, const float *x, size_t rows, size_t channels, const float *a,
                      const float *b, double *sum, double *products)
{
    if (a)
        masked_products(dy, x, rows, channels, a, b, sum, products);
    else
        plain_products(dy, x, rows, channels, sum, products);
}

static size_t copies(size_t channels)
{
    return channels < WIDE ? WIDE / channels : 1;
}

size_t columns_room(size_t channels)
{
    return copies(channels) * channels;
}

void columns_widen(const float *of_channels, size_t channels, float *wide)
{
    for (size_t k = 0; k < copies(channels); k++)
        memcpy(wide + k * channels, of_channels, channels * sizeof *wide);
}

KERNEL static void scale_rows(const float *x, size_t n, size_t wide, const float *a, const float *b, float *y)
{
    for (size_t from = 0; from < n; from += wide) {
        size_t here = n - from < wide ? n - from : wide;
        KERNEL_LOOP
        for (size_t i = 0; i < here; i++) y[from + i] = fmaf(x[from + i], a[i], b[i]);
    }
}

KERNEL static void scale_rows_relu(const float *x, size_t n, size_t wide, const float *a, const float *b,
                                   float *y)
{
    for (size_t from = 0; from < n; from += wide) {
        size_t here = n - from < wide ? n - from : wide;
        KERNEL_LOOP
        for (size_t i = 0; i < here; i++) {
            float scaled = fmaf(x[from + i], a[i], b[i]);
            y[from + i] = scaled < 0.0f ? 0.0f : scaled;
        }
    }
}

void columns_scale(const float *x, size_t rows, size_t channels, const float *a, const float *b, bool relu,
                   float *y)
{
    (relu ? scale_rows_relu : scale_rows)(x, rows * channels, columns_room(channels), a, b, y);
}

KERNEL_INLINE void back_row(const float *dy, const float *x, size_t n, const struct columns_back *back,
                            bool relu, bool add, float *dx)
{
    const float *a = back->a, *b = back->b, *p = back->p, *q = back->q;
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float shifted = fmaf(p[i], x[i], q[i]);
        float g = dy[i];
        if (relu) g = fmaf(x[i], a[i], b[i]) > 0.0f ? g : 0.0f;
        float d = fmaf(a[i], g, shifted);
        dx[i] = add ? dx[i] + d : d;
    }
}

KERNEL static void back_rows(const float *dy, const float *x, size_t n, size_t wide,
                             const struct columns_back *back, float *dx)
{
    for (size_t from = 0; from < n; from += wide) {
        size_t here = n - from < wide ? n - from : wide;
        const float *g = dy + from, *at = x + from;
        float *to = dx + from;
        if (back->relu && back->add)
            back_row(g, at, here, back, true, true, to);
        else if (back->relu)
            back_row(g, at, here, back, true, false, to);
        else
            back_row(g, at, here, back, false, back->add, to);
    }
}

void columns_scale_back(const float *dy, const float *x, size_t rows, size_t channels,
                        const struct columns_back *back, float *dx)
{
    back_rows(dy, x, rows * channels, columns_room(channels), back, dx);
}
