/*
 * GRU, as ONNX and PyTorch define it: for each step, with s the logistic function,
 *   z = s(Wz x + Rz h + Bz), r likewise, h = (1 - z) n + z h, where
 *   n = tanh(Wn x + Bwn + r (Rn h + Brn))      with linear_before_reset, as PyTorch has it,
 *   n = tanh(Wn x + Rn (r h) + Bwn + Brn)      without.
 * Gates lie in the order z r n in W, R and B, which net/recurrent.h describes with the other inputs.
 * Attributes: hidden, reverse, bidirectional, linear_before_reset. A kept row: z r n, and behind them q,
 * which is Rn h + Brn or r h. On the way back q becomes its gradient in the first case and stays in the
 * second.
 */
#include "net/kernels/functions.h"
#include "net/operators.h"
#include "net/recurrent.h"

enum { Z, R, N, Q }; /* places in a row, in H numbers */

static bool is_linear(const struct recurrent_sweep *sweep)
{
    return sweep->call->node->attributes.linear_before_reset;
}

/* Places of a row from `place` on. */
static struct recurrent_states part_of(const struct recurrent_sweep *sweep, struct recurrent_states rows,
                                       size_t place)
{
    return (struct recurrent_states){rows.numbers + place * sweep->shape.hidden, rows.stride};
}

/* to += from R': of z and r (part 0), or of n (part 1). */
static void multiply(const struct recurrent_sweep *sweep, struct recurrent_states to,
                     struct recurrent_states from, int part)
{
    size_t hidden = sweep->shape.hidden;
    if (!from.numbers) return;
    recurrent_product(sweep, to, part ? hidden : 2 * hidden, from, hidden, sweep->packed.recurrent[part],
                      true);
}

/* to += or := from R. */
static void multiply_back(const struct recurrent_sweep *sweep, struct recurrent_states to,
                          struct recurrent_states from, int part, bool add)
{
    size_t hidden = sweep->shape.hidden;
    recurrent_product(sweep, to, hidden, from, part ? hidden : 2 * hidden, sweep->packed.recurrent_back[part],
                      add);
}

/* A sample's sums of z and r become gates, and q what it begins with. h, before the step, is NULL for zeros.
 */
KERNEL static void forward_gates(float *row, const float *h, const float *bias, size_t hidden, bool linear)
{
    float *r = row + R * hidden, *q = row + Q * hidden;
    size_t from_h = h && !linear ? hidden : 0;
    KERNEL_LOOP
    for (size_t j = 0; j < 2 * hidden; j++) row[j] = float_logistic(row[j]);
    KERNEL_LOOP
    for (size_t j = 0; j < hidden; j++) q[j] = linear ? bias[j] : 0;
    KERNEL_LOOP
    for (size_t j = 0; j < from_h; j++) q[j] = r[j] * h[j];
}

/* The rest of a sample's step: n's sums become n, and y is written. */
KERNEL static void forward_cell(float *row, const float *h, float *y, size_t hidden, bool linear)
{
    const float *z = row, *r = z + hidden, *q = row + Q * hidden;
    float *n = row + N * hidden;
    size_t from_q = linear ? hidden : 0, from_h = h ? hidden : 0;
    KERNEL_LOOP
    for (size_t j = 0; j < from_q; j++) n[j] = fmaf(r[j], q[j], n[j]);
    KERNEL_LOOP
    for (size_t j = 0; j < hidden; j++) {
        n[j] = float_tanh(n[j]);
        y[j] = (1 - z[j]) * n[j];
    }
    KERNEL_LOOP
    for (size_t j = 0; j < from_h; j++) y[j] = fmaf(z[j], h[j], y[j]);
}

static const float *of_sample(struct recurrent_states states, size_t s)
{
    return states.numbers ? states.numbers + s * states.stride : NULL;
}

static void forward_step(const struct recurrent_sweep *sweep, uint32_t k)
{
    size_t hidden = sweep->shape.hidden, samples = sweep->call->samples;
    bool linear = is_linear(sweep);
    struct recurrent_states rows = recurrent_rows(sweep, k), before = recurrent_before(sweep, k);
    struct recurrent_states y = recurrent_output(sweep, sweep->call->y[0], k);
    struct recurrent_states n = part_of(sweep, rows, N), q = part_of(sweep, rows, Q);
    multiply(sweep, rows, before, 0);
    for (size_t s = 0; s < samples; s++)
        forward_gates(rows.numbers + s * rows.stride, of_sample(before, s),
                      sweep->packed.bias + GRU_GATES * hidden, hidden, linear);
    multiply(sweep, linear ? q : n, linear ? before : q, 1);
    for (size_t s = 0; s < samples; s++)
        forward_cell(rows.numbers + s * rows.stride, of_sample(before, s), y.numbers + s * y.stride, hidden,
                     linear);
}

static void forward(const struct net_call *call)
{
    struct recurrent shape = recurrent_shape(call->graph, call->node);
    for (uint32_t d = 0; d < shape.directions; d++) {
        struct recurrent_sweep sweep = recurrent_sweep(call, d);
        struct recurrent_states h = recurrent_last(&sweep, call->node->n_outputs > 1 ? call->y[1] : NULL);
        recurrent_project(&sweep);
        for (uint32_t k = 0; k < shape.steps; k++) forward_step(&sweep, k);
        if (h.numbers) recurrent_copy(&sweep, h, recurrent_before(&sweep, shape.steps), false);
    }
}

/* A sample's z and n become gradients of their sums, dh what goes past the gates to the h before; with
 * linear_before_reset r and q become theirs too. h is NULL for zeros. */
KERNEL static void backward_gates(float *row, const float *h, float *dh, size_t hidden, bool linear)
{
    float *z = row, *r = z + hidden, *n = r + hidden, *q = n + hidden;
    size_t from_q = linear ? hidden : 0;
    KERNEL_LOOP
    for (size_t j = 0; j < hidden; j++) {
        float difference = (h ? h[j] : 0) - n[j], update = z[j];
        n[j] = dh[j] * (1 - update) * (1 - n[j] * n[j]);
        z[j] = dh[j] * difference * update * (1 - update);
        dh[j] *= update;
    }
    KERNEL_LOOP
    for (size_t j = 0; j < from_q; j++) {
        float reset = r[j];
        r[j] = n[j] * q[j] * reset * (1 - reset);
        q[j] = n[j] * reset;
    }
}

/* Without linear_before_reset: dq, of r h, goes to r and to h. */
KERNEL static void backward_reset(float *row, const float *h, const float *dq, float *dh, size_t hidden)
{
    float *r = row + R * hidden;
    KERNEL_LOOP
    for (size_t j = 0; j < hidden; j++) {
        dh[j] = fmaf(dq[j], r[j], dh[j]);
        r[j] = h ? dq[j] * h[j] * r[j] * (1 - r[j]) : 0;
    }
}

/* dh: samples x H, of h after the step on the way in, of h before it on the way out. dq: room for as much. */
static void backward_step(const struct recurrent_sweep *sweep, uint32_t k, struct recurrent_states dh,
                          struct recurrent_states dq)
{
    size_t hidden = sweep->shape.hidden, samples = sweep->call->samples;
    bool linear = is_linear(sweep);
    struct recurrent_states rows = recurrent_rows(sweep, k), before = recurrent_before(sweep, k);
    recurrent_copy(sweep, dh, recurrent_output(sweep, sweep->call->dy[0], k), true);
    for (size_t s = 0; s < samples; s++)
        backward_gates(rows.numbers + s * rows.stride, of_sample(before, s), dh.numbers + s * hidden, hidden,
                       linear);
    if (linear) {
        multiply_back(sweep, dh, part_of(sweep, rows, Q), 1, true);
    } else {
        multiply_back(sweep, dq, part_of(sweep, rows, N), 1, false);
        for (size_t s = 0; s < samples; s++)
            backward_reset(rows.numbers + s * rows.stride, of_sample(before, s), dq.numbers + s * hidden,
                           dh.numbers + s * hidden, hidden);
    }
    multiply_back(sweep, dh, rows, 0, true);
}

static void backward(const struct net_call *call)
{
    struct recurrent shape = recurrent_shape(call->graph, call->node);
    float *scratch = call->scratch;
    struct recurrent_states dh = {scratch, shape.hidden};
    struct recurrent_states dq = {scratch + (size_t)call->samples * shape.hidden, shape.hidden};
    for (uint32_t d = 0; d < shape.directions; d++) {
        struct recurrent_sweep sweep = recurrent_sweep(call, d);
        struct recurrent_states dh0 = recurrent_last(&sweep, call->dx[RECURRENT_H0]);
        recurrent_copy(&sweep, dh, recurrent_last(&sweep, call->dy[1]), false);
        for (uint32_t k = shape.steps; k-- > 0;) backward_step(&sweep, k, dh, dq);
        recurrent_input_gradient(&sweep);
        if (dh0.numbers) recurrent_copy(&sweep, dh0, dh, call->add[RECURRENT_H0]);
    }
}

static void parameter_gradient(const struct net_gradient_call *call, uint32_t part)
{
    size_t hidden = call->node->attributes.hidden;
    struct recurrent_gate gates[GRU_GATES];
    for (size_t g = 0; g < GRU_GATES; g++)
        gates[g] = (struct recurrent_gate){.input_column = g * hidden, .recurrent_column = g * hidden};
    if (call->node->attributes.linear_before_reset) {
        gates[N].recurrent_column = Q * hidden;
    } else {
        gates[N].has_factor = true;
        gates[N].factor_column = Q * hidden;
    }
    recurrent_gradient(call, gates, part);
}

const struct net_operator op_gru = {
    .name = "GRU",
    .min_inputs = 3,
    .max_inputs = 6,
    .max_outputs = 2,
    .backward_reads = NET_READS_INPUTS | NET_READS_OUTPUTS,
    .infer = recurrent_infer,
    .prepared_bytes = recurrent_prepared_bytes,
    .kept_bytes = recurrent_kept_bytes,
    .scratch_bytes = recurrent_scratch_bytes,
    .prepare = recurrent_prepare,
    .forward = forward,
    .backward = backward,
    .gradient_parts = recurrent_gradient_parts,
    .gradient_scratch_bytes = recurrent_gradient_scratch_bytes,
    .parameter_gradient = parameter_gradient,
    .macs = recurrent_macs,
};
