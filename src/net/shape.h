/* The shape of a tensor: of one sample's part where a value has a part for every sample. */
#ifndef NET_SHAPE_H
#define NET_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NET_RANK_MAX = 5 };

struct net_shape {
    uint32_t rank; /* 0: one number */
    uint32_t dim[NET_RANK_MAX];
};

size_t shape_size(const struct net_shape *shape); /* its numbers; SIZE_MAX when there are too many to count */
bool shape_equal(const struct net_shape *a, const struct net_shape *b);
/* "28 x 28 x 1", "1" for rank 0; returns `text`. */
const char *shape_text(const struct net_shape *shape, char text[64]);

#endif
