/* Identity: y = x. */
#include "net/elementwise.h"
#include "net/operators.h"

const struct net_operator op_identity = {
    .name = "Identity",
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .in_place = true,
    .infer = elementwise_infer,
    .forward = elementwise_copy,
    .backward = elementwise_copy_backward,
};
