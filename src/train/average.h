/*
 * The mean of what members have: each adds up a slice of all numbers and sends it to all, who then have the
 * same bits.
 */
#ifndef TRAIN_AVERAGE_H
#define TRAIN_AVERAGE_H

#include <stdbool.h>

#include "cluster/exchange.h"

struct average;

/* Of n numbers each time; with int8 they travel as int8.h has them. Borrows the exchange. */
bramble_status average_new(struct average **out, const struct exchange *exchange, size_t n, bool int8,
                           bramble_error *error);
void average_free(struct average *average); /* NULL is fine */

/* numbers[n], of which this member's count `share`, become all members' sum of share times numbers: their
 * mean where shares add up to 1. All members call it. O(n). */
bramble_status average_take(struct average *average, float *numbers, double share, bramble_error *error);

#endif
