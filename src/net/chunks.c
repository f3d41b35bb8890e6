#include "net/chunks.h"

#include <string.h>

#include "net/kernels/kernel.h"

void chunks_copy(float *to, size_t step_to, const float *from, size_t step_from, size_t width, size_t count)
{
    for (size_t k = 0; k < count; k++) memcpy(to + k * step_to, from + k * step_from, width * sizeof *to);
}

KERNEL void chunks_add(float *to, size_t step_to, const float *from, size_t step_from, size_t width,
                       size_t count)
{
    for (size_t k = 0; k < count; k++, to += step_to, from += step_from) {
        KERNEL_LOOP
        for (size_t i = 0; i < width; i++) to[i] += from[i];
    }
}
