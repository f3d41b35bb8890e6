/* Add: y = a + b; takes a Relu in. */
#include "net/arithmetic.h"
#include "net/broadcast.h"
#include "net/operators.h"

static void forward(const struct net_call *call)
{
    arithmetic_forward(ARITHMETIC_ADD, call);
}

static void backward(const struct net_call *call)
{
    arithmetic_backward(ARITHMETIC_ADD, call);
}

static void parameter_gradient(const struct net_gradient_call *call, uint32_t part)
{
    arithmetic_parameter_gradient(ARITHMETIC_ADD, call, part);
}

const struct net_operator op_add = {
    .name = "Add",
    .min_inputs = 2,
    .max_inputs = 2,
    .max_outputs = 1,
    .backward_reads = NET_READS_RELU,
    .in_place = true,
    .takes_relu = true,
    .infer = broadcast_infer,
    .scratch_bytes = arithmetic_scratch,
    .forward = forward,
    .backward = backward,
    .gradient_parts = arithmetic_parts,
    .gradient_scratch_bytes = arithmetic_gradient_scratch,
    .parameter_gradient = parameter_gradient,
};
