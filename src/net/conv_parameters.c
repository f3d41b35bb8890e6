/*
 * When the gradients of a convolution's weight and bias are made: of the whole batch, a part at a time, or
 * each microbatch's behind its backward work, where they are small beside what they are made of, which is in
 * cache then and need not be kept. Parts only add the microbatches' up in that case.
 */
#include "net/conv.h"
#include "net/fold.h"

enum { RANGE = 4096 }; /* numbers that a part adds up */

static size_t weights_of(const struct conv *c)
{
    return (size_t)c->y.taps * c->x.taps * c->in_group * c->out_channels;
}

/* Weight, then bias. */
static size_t parameters_of(const struct conv *c)
{
    return weights_of(c) + (c->bias ? c->out_channels : 0);
}

static bool is_small(const struct conv *c)
{
    size_t outputs = (size_t)c->y.out * c->x.out * c->out_channels;
    return c->trains && weights_of(c) <= outputs * MICROBATCH / 4;
}

bool conv_kept_by_backward(const struct net_graph *graph, const struct net_node *node)
{
    struct conv c = conv_of(graph, node);
    return is_small(&c);
}

size_t conv_kept_bytes(const struct net_graph *graph, const struct net_node *node, uint32_t samples)
{
    (void)samples;
    struct conv c = conv_of(graph, node);
    return is_small(&c) ? parameters_of(&c) * sizeof(float) : 0;
}

uint32_t conv_parameter_parts(const struct net_graph *graph, const struct net_node *node)
{
    struct conv c = conv_of(graph, node);
    return is_small(&c) ? (uint32_t)((parameters_of(&c) + RANGE - 1) / RANGE) : conv_gradient_parts(&c);
}

size_t conv_parameter_scratch_bytes(const struct net_graph *graph, const struct net_node *node)
{
    struct conv c = conv_of(graph, node);
    return conv_gradient_scratch(&c);
}

void conv_keep_gradient(const struct net_call *call)
{
    struct conv c = conv_of(call->graph, call->node);
    float *kept = call->kept;
    const struct net_gradient_call own = {.graph = call->graph,
                                          .node = call->node,
                                          .kernels = call->kernels,
                                          .samples = call->samples,
                                          .x = {call->x[0]},
                                          .dy = {call->dy[0]},
                                          .scratch = call->scratch,
                                          .gradient = {NULL, kept, c.bias ? kept + weights_of(&c) : NULL}};
    if (!is_small(&c)) return;
    for (uint32_t part = 0, parts = conv_gradient_parts(&c); part < parts; part++)
        conv_gradient_part(&own, &c, part);
}

/* Those from `from` to `to` that lie in the parameter that begins at `begin`. */
static void add_up(const struct net_gradient_call *call, size_t from, size_t to, size_t begin, size_t size,
                   float *gradient)
{
    uint64_t microbatches = (call->samples + MICROBATCH - 1) / MICROBATCH;
    if (from < begin) from = begin;
    if (to > begin + size) to = begin + size;
    if (gradient && from < to)
        fold_floats((const float *)call->kept + from, microbatches, to - from,
                    call->kept_bytes / sizeof(float), gradient + from - begin);
}

void conv_parameter_gradient(const struct net_gradient_call *call, uint32_t part)
{
    struct conv c = conv_of(call->graph, call->node);
    if (!is_small(&c)) {
        conv_gradient_part(call, &c, part);
        return;
    }
    size_t from = (size_t)part * RANGE, to = from + RANGE, weights = weights_of(&c);
    add_up(call, from, to, 0, weights, call->gradient[1]);
    if (c.bias) add_up(call, from, to, weights, c.out_channels, call->gradient[2]);
}
