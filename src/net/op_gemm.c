/* Gemm: x[.., K], a weight K x N (N x K with transpose_b), perhaps a bias[N]: net/dense.h. Reads relu. */
#include "net/dense.h"
#include "net/operators.h"

const struct net_operator op_gemm = {
    .name = "Gemm",
    .min_inputs = 2,
    .max_inputs = 3,
    .max_outputs = 1,
    .backward_reads = NET_READS_INPUTS | NET_READS_RELU,
    .takes_relu = true,
    .infer = dense_infer,
    .prepared_bytes = dense_prepared_bytes,
    .prepare = dense_prepare,
    .forward = dense_forward,
    .backward = dense_backward,
    .gradient_parts = dense_gradient_parts,
    .gradient_scratch_bytes = dense_gradient_scratch_bytes,
    .parameter_gradient = dense_parameter_gradient,
    .macs = dense_macs,
};
