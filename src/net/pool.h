/*
 * A window that goes over an image, H x W x C, for MaxPool, AveragePool and what counts their sizes as
 * PyTorch does: with ceil_mode a last window may reach past the end, but does not begin in the padding there.
 */
#ifndef NET_POOL_H
#define NET_POOL_H

#include "net/operator.h"

struct pool {
    uint32_t in[2], out[2], channels; /* height, width */
    uint32_t kernel[2], stride[2], dilation[2];
    uint32_t pad[2], pad_end[2];
};

bramble_status pool_infer(const struct net_graph *graph, const struct net_node *node,
                          struct net_shape *shapes, bramble_error *error);

/* What pool_infer allowed. */
struct pool pool_of(const struct net_graph *graph, const struct net_node *node);

/* Positions first ... end - 1 of the window at `place` along axis d lie in the image; position i there is
 * pixel place * stride + i * dilation - pad. */
struct pool_span {
    uint32_t first, end;
};
struct pool_span pool_span_at(const struct pool *pool, int d, uint32_t place);

static inline uint32_t pool_pixel(const struct pool *pool, int d, uint32_t place, uint32_t i)
{
    return place * pool->stride[d] + i * pool->dilation[d] - pool->pad[d];
}

static inline size_t pool_in_size(const struct pool *pool)
{
    return (size_t)pool->in[0] * pool->in[1] * pool->channels;
}

static inline size_t pool_out_size(const struct pool *pool)
{
    return (size_t)pool->out[0] * pool->out[1] * pool->channels;
}

#endif
