/*
 * Numbers rounded to 8 bits for slow links: blocks of 256 with a scale each. What rounding loses is kept, and
 * added to the next numbers that are sent (error feedback: Seide et al., "1-Bit Stochastic Gradient Descent
 * and its Application to Data-Parallel Distributed Training of Speech DNNs", Interspeech 2014).
 */
#ifndef TRAIN_INT8_H
#define TRAIN_INT8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What n numbers take. */
size_t int8_bytes(size_t n);

/* out[int8_bytes(n)]: numbers[n] + lost[n], to the nearest of 255 values; lost[n] becomes what is missing. A
 * block that has a number which is not finite says so, and loses nothing. */
void int8_pack(uint8_t *out, const float *numbers, float *lost, size_t n);

/* Any bytes may come in: those of a block that is not finite are no numbers (NaN). False: they are of another
 * length. */
bool int8_unpack(float *numbers, size_t n, const void *bytes, size_t length);

#endif
