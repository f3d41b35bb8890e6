/*
 * Dropout: in training each number becomes 0 with probability `rate`, the others grow by 1 / (1 - rate).
 * Which ones depends on the seed, the step, the node and the sample's place in the batch, and on nothing
 * else: the same on any number of threads and machines.
 */
#include "base/error.h"
#include "base/rng.h"
#include "net/elementwise.h"
#include "net/kernels/kernel.h"
#include "net/operands.h"
#include "net/operators.h"

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    float rate = node->attributes.rate;
    if (!(rate >= 0 && rate < 1))
        return error_set(error, BRAMBLE_ERR_DATA, "the rate is %g and has to be at least 0 and below 1",
                         (double)rate);
    return elementwise_infer(graph, node, shapes, error);
}

/* A byte a number: 1 where it stays. */
static size_t kept_bytes(const struct net_graph *graph, const struct net_node *node, uint32_t samples)
{
    return samples * operand_size(graph, node, 0);
}

static void draw(const struct net_call *call, uint32_t sample, uint8_t *stays, size_t n)
{
    uint32_t below = (uint32_t)((double)call->node->attributes.rate * 0x1p32);
    struct rng rng;
    rng_init(&rng, call->seed, RNG_DROPOUT, call->step << 32 | (uint32_t)(call->first + sample),
             call->node->number);
    for (size_t i = 0; i < n; i++) stays[i] = rng_u32(&rng) >= below;
}

KERNEL static void drop(const float *x, const uint8_t *stays, size_t n, float factor, float *y, bool add)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) {
        float number = stays[i] ? x[i] * factor : 0.0f;
        y[i] = add ? y[i] + number : number;
    }
}

static void forward(const struct net_call *call)
{
    float rate = call->node->attributes.rate;
    size_t n = operand_size(call->graph, call->node, 0);
    uint8_t *stays = call->kept;
    if (!call->training || rate == 0) {
        elementwise_copy(call);
        return;
    }
    for (uint32_t s = 0; s < call->samples; s++) draw(call, s, stays + s * n, n);
    drop(call->x[0], stays, call->samples * n, 1.0f / (1.0f - rate), call->y[0], false);
}

static void backward(const struct net_call *call)
{
    float rate = call->node->attributes.rate;
    if (rate == 0)
        elementwise_copy_backward(call);
    else if (call->dx[0])
        drop(call->dy[0], call->kept, elementwise_numbers(call), 1.0f / (1.0f - rate), call->dx[0],
             call->add[0]);
}

const struct net_operator op_dropout = {
    .name = "Dropout",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .in_place = true,
    .infer = infer,
    .kept_bytes = kept_bytes,
    .forward = forward,
    .backward = backward,
};
