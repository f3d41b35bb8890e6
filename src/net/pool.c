#include "net/pool.h"

#include "base/error.h"
#include "net/operands.h"

enum { SIDE_MAX = 1 << 24 }; /* of images, windows, steps: what is computed from them fits */

/* Pixels from a window's first to behind its last. */
static uint64_t reach(const struct net_attributes *a, int d)
{
    return (uint64_t)(a->kernel[d] - 1) * a->dilation[d] + 1;
}

static bramble_status check_window(const struct net_attributes *a, int d, uint32_t size, bramble_error *error)
{
    const char *side = d ? "width" : "height";
    if (!a->kernel[d] || !a->stride[d] || !a->dilation[d])
        return error_set(error, BRAMBLE_ERR_DATA, "kernel, stride and dilation have to be at least 1");
    if (size > SIDE_MAX || a->kernel[d] > SIDE_MAX || a->stride[d] > SIDE_MAX || a->dilation[d] > SIDE_MAX)
        return error_set(error, BRAMBLE_ERR_DATA, "%s, kernel, stride and dilation: %d is the most", side,
                         SIDE_MAX);
    if (a->pad[d] >= reach(a, d) || a->pad[d + 2] >= reach(a, d))
        return error_set(error, BRAMBLE_ERR_DATA, "the padding is as large as the window's %s", side);
    if (reach(a, d) > (uint64_t)size + a->pad[d] + a->pad[d + 2])
        return error_set(error, BRAMBLE_ERR_DATA, "the window is larger than the padded image's %s of %llu",
                         side, (unsigned long long)size + a->pad[d] + a->pad[d + 2]);
    return BRAMBLE_OK;
}

static uint32_t out_size(const struct net_attributes *a, int d, uint32_t size)
{
    uint64_t room = (uint64_t)size + a->pad[d] + a->pad[d + 2] - reach(a, d), stride = a->stride[d];
    uint64_t out = (a->ceil_mode ? room + stride - 1 : room) / stride + 1;
    if (a->ceil_mode && (out - 1) * stride >= (uint64_t)size + a->pad[d]) out--;
    return (uint32_t)out;
}

bramble_status pool_infer(const struct net_graph *graph, const struct net_node *node,
                          struct net_shape *shapes, bramble_error *error)
{
    char text[64];
    bramble_status status = operand_check_activation(graph, node, 0, error);
    if (status) return status;
    const struct net_shape *x = operand_shape(graph, node, 0);
    if (x->rank != 3)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "the input is %s; it has to be an image: height, width, channels",
                         shape_text(x, text));
    struct net_shape out = *x;
    for (int d = 0; d < 2; d++) {
        status = check_window(&node->attributes, d, x->dim[d], error);
        if (status) return status;
        out.dim[d] = out_size(&node->attributes, d, x->dim[d]);
    }
    shapes[0] = out;
    return BRAMBLE_OK;
}

struct pool pool_of(const struct net_graph *graph, const struct net_node *node)
{
    const struct net_shape *x = operand_shape(graph, node, 0), *y = &graph->values[node->outputs[0]].shape;
    const struct net_attributes *a = &node->attributes;
    struct pool pool = {.channels = x->dim[2]};
    for (int d = 0; d < 2; d++) {
        pool.in[d] = x->dim[d];
        pool.out[d] = y->dim[d];
        pool.kernel[d] = a->kernel[d];
        pool.stride[d] = a->stride[d];
        pool.dilation[d] = a->dilation[d];
        pool.pad[d] = a->pad[d];
        pool.pad_end[d] = a->pad[d + 2];
    }
    return pool;
}

struct pool_span pool_span_at(const struct pool *pool, int d, uint32_t place)
{
    uint64_t begin = (uint64_t)place * pool->stride[d], end = (uint64_t)pool->in[d] + pool->pad[d];
    uint32_t dilation = pool->dilation[d];
    struct pool_span span = {.end = pool->kernel[d]};
    if (begin < pool->pad[d]) span.first = (uint32_t)((pool->pad[d] - begin + dilation - 1) / dilation);
    uint64_t inside = end > begin ? (end - begin + dilation - 1) / dilation : 0;
    if (inside < span.end) span.end = (uint32_t)inside;
    if (span.first > span.end) span.first = span.end;
    return span;
}
