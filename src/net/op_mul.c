/* Mul: y = a b. */
#include "net/arithmetic.h"
#include "net/broadcast.h"
#include "net/operators.h"

static void forward(const struct net_call *call)
{
    arithmetic_forward(ARITHMETIC_MUL, call);
}

static void backward(const struct net_call *call)
{
    arithmetic_backward(ARITHMETIC_MUL, call);
}

static void parameter_gradient(const struct net_gradient_call *call, uint32_t part)
{
    arithmetic_parameter_gradient(ARITHMETIC_MUL, call, part);
}

const struct net_operator op_mul = {
    .name = "Mul",
    .min_inputs = 2,
    .max_inputs = 2,
    .max_outputs = 1,
    .backward_reads = NET_READS_INPUTS,
    .in_place = true,
    .infer = broadcast_infer,
    .scratch_bytes = arithmetic_scratch,
    .forward = forward,
    .backward = backward,
    .gradient_parts = arithmetic_parts,
    .gradient_scratch_bytes = arithmetic_gradient_scratch,
    .parameter_gradient = parameter_gradient,
};
