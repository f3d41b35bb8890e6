/* Stretches of numbers that lie some way apart, copied or added: what Concat and Split are made of. */
#ifndef NET_CHUNKS_H
#define NET_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>

/* `count` stretches of `width` numbers; the next one of each is a step further. */
void chunks_copy(float *to, size_t step_to, const float *from, size_t step_from, size_t width, size_t count);
void chunks_add(float *to, size_t step_to, const float *from, size_t step_from, size_t width, size_t count);

#endif
