#include "net/shape.h"

#include <stdio.h>
#include <string.h>

size_t shape_size(const struct net_shape *shape)
{
    size_t size = 1;
    for (uint32_t i = 0; i < shape->rank; i++)
        if (__builtin_mul_overflow(size, (size_t)shape->dim[i], &size)) return SIZE_MAX;
    return size;
}

bool shape_equal(const struct net_shape *a, const struct net_shape *b)
{
    return a->rank == b->rank && memcmp(a->dim, b->dim, a->rank * sizeof *a->dim) == 0;
}

const char *shape_text(const struct net_shape *shape, char text[64])
{
    size_t length = 0;
    if (!shape->rank) snprintf(text, 64, "1");
    for (uint32_t i = 0; i < shape->rank; i++)
        length += (size_t)snprintf(text + length, 64 - length, i ? " x %u" : "%u", shape->dim[i]);
    return text; /* 5 x 10 digits and 4 x 3 between them */
}
