/* Where numbers run away. */
#ifndef NET_FINITE_H
#define NET_FINITE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/plan.h"

bool numbers_are_finite(const float *x, size_t n);

/* The node whose gradient of a parameter is not finite: of several the last one, where backward work begins;
 * or NET_NONE. */
uint32_t finite_bad_gradient(const struct plan *plan, const float *gradients);

#endif
