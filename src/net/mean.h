/* Means over axes that lie together: a sample is outer x length x inner, the mean outer x inner. */
#ifndef NET_MEAN_H
#define NET_MEAN_H

#include "net/operator.h"

/* Over `outer` of all samples; `inner` numbers lie beside each other. */
void mean_forward(const float *x, float *y, size_t outer, size_t length, size_t inner);
void mean_backward(const float *dy, float *dx, size_t outer, size_t length, size_t inner, bool add);

#endif
