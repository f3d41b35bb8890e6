/*
 * Rows of channels, as batch normalisation goes over them: sums of columns in double precision, and y = a x +
 * b with an a and a b for each channel. All sums run down a column in the order of the rows.
 */
#ifndef NET_KERNELS_COLUMNS_H
#define NET_KERNELS_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

/* sum[c] of x[row][c], squares[c] of its square. */
void columns_sums(const float *x, size_t rows, size_t channels, double *sum, double *squares);

/* sum[c] of dy[row][c], products[c] of dy times x; where a is given only rows with a x + b > 0 count: a Relu
 * is behind. */
void columns_products(const float *dy, const float *x, size_t rows, size_t channels, const float *a,
                      const float *b, double *sum, double *products);

/*
 * Short rows are taken several at once: an array of channels is written some times, one copy
 * behind the other, into `wide`, which it fills: columns_room(channels) numbers.
 */
size_t columns_room(size_t channels);
void columns_widen(const float *of_channels, size_t channels, float *wide);

/* y = a x + b, or 0 where that is less and relu is set. a and b: widened. y may be x. */
void columns_scale(const float *x, size_t rows, size_t channels, const float *a, const float *b, bool relu,
                   float *y);

/* dx = a dy + p x + q, without the dy where relu is set and a x + b is not positive; all widened. dx may be
 * dy; it is added to where add is set. */
struct columns_back {
    const float *a, *b, *p, *q;
    bool relu, add;
};
void columns_scale_back(const float *dy, const float *x, size_t rows, size_t channels,
                        const struct columns_back *back, float *dx);

#endif
