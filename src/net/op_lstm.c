/*
 * LSTM, as ONNX and PyTorch define it: for each step, with s the logistic function,
 *   i = s(Wi x + Ri h + Bi), o and f likewise, g = tanh(Wg x + Rg h + Bg), c = f c + i g, h = o tanh(c).
 * Gates lie in the order i o f g in W, R and B, which net/recurrent.h describes with the other inputs.
 * Attributes: hidden, reverse, bidirectional. A kept row: i o f g, and behind them c.
 */
#include "net/kernels/functions.h"
#include "net/operators.h"
#include "net/recurrent.h"

/* c before step k. */
static struct recurrent_states c_before(const struct recurrent_sweep *sweep, uint32_t k)
{
    const struct net_call *call = sweep->call;
    if (k) {
        struct recurrent_states rows = recurrent_rows(sweep, k - 1);
        return (struct recurrent_states){rows.numbers + (size_t)LSTM_GATES * sweep->shape.hidden,
                                         rows.stride};
    }
    return recurrent_last(sweep, recurrent_has(call->node, RECURRENT_C0) ? call->x[RECURRENT_C0] : NULL);
}

/* A sample's step: sums in `row` become gates and c; h is written. c is NULL for zeros. */
KERNEL static void forward_cell(float *row, const float *c, float *h, size_t hidden)
{
    float *i = row, *o = i + hidden, *f = o + hidden, *g = f + hidden, *now = g + hidden;
    size_t from_c = c ? hidden : 0;
    KERNEL_LOOP
    for (size_t j = 0; j < hidden; j++) {
        i[j] = float_logistic(i[j]);
        o[j] = float_logistic(o[j]);
        f[j] = float_logistic(f[j]);
        g[j] = float_tanh(g[j]);
        now[j] = i[j] * g[j];
    }
    KERNEL_LOOP
    for (size_t j = 0; j < from_c; j++) now[j] = fmaf(f[j], c[j], now[j]);
    KERNEL_LOOP
    for (size_t j = 0; j < hidden; j++) h[j] = o[j] * float_tanh(now[j]);
}

static void forward_step(const struct recurrent_sweep *sweep, uint32_t k)
{
    size_t hidden = sweep->shape.hidden;
    struct recurrent_states rows = recurrent_rows(sweep, k), before = recurrent_before(sweep, k);
    struct recurrent_states c = c_before(sweep, k), h = recurrent_output(sweep, sweep->call->y[0], k);
    if (before.numbers)
        recurrent_product(sweep, rows, LSTM_GATES * hidden, before, hidden, sweep->packed.recurrent[0], true);
    for (size_t s = 0; s < sweep->call->samples; s++)
        forward_cell(rows.numbers + s * rows.stride, c.numbers ? c.numbers + s * c.stride : NULL,
                     h.numbers + s * h.stride, hidden);
}

static void forward(const struct net_call *call)
{
    struct recurrent shape = recurrent_shape(call->graph, call->node);
    for (uint32_t d = 0; d < shape.directions; d++) {
        struct recurrent_sweep sweep = recurrent_sweep(call, d);
        struct recurrent_states h = recurrent_last(&sweep, call->node->n_outputs > 1 ? call->y[1] : NULL);
        struct recurrent_states c = recurrent_last(&sweep, call->node->n_outputs > 2 ? call->y[2] : NULL);
        recurrent_project(&sweep);
        for (uint32_t k = 0; k < shape.steps; k++) forward_step(&sweep, k);
        if (h.numbers) recurrent_copy(&sweep, h, recurrent_before(&sweep, shape.steps), false);
        if (c.numbers) recurrent_copy(&sweep, c, c_before(&sweep, shape.steps), false);
    }
}

/* A sample's step: gates in `row` become their sums' gradients, and dc, that of c after the step, that of c
 * before it. dh is h's. c is NULL for zeros. */
KERNEL static void backward_cell(float *row, const float *c, const float *dh, float *dc, size_t hidden)
{
    float *i = row, *o = i + hidden, *f = o + hidden, *g = f + hidden;
    const float *now = g + hidden;
    KERNEL_LOOP
    for (size_t j = 0; j < hidden; j++) {
        float out = float_tanh(now[j]), in = i[j], forget = f[j];
        float d = fmaf(dh[j] * o[j], 1 - out * out, dc[j]);
        o[j] = dh[j] * out * o[j] * (1 - o[j]);
        i[j] = d * g[j] * in * (1 - in);
        g[j] = d * in * (1 - g[j] * g[j]);
        f[j] = d * forget * (1 - forget);
        dc[j] = d * forget;
    }
    KERNEL_LOOP
    for (size_t j = 0; j < hidden; j++) f[j] *= c ? c[j] : 0;
}

/* dh and dc: samples x H, of what follows the step on the way in, of what is before it on the way out. */
static void backward_step(const struct recurrent_sweep *sweep, uint32_t k, struct recurrent_states dh,
                          struct recurrent_states dc)
{
    size_t hidden = sweep->shape.hidden, samples = sweep->call->samples;
    struct recurrent_states rows = recurrent_rows(sweep, k), c = c_before(sweep, k);
    recurrent_copy(sweep, dh, recurrent_output(sweep, sweep->call->dy[0], k), true);
    for (size_t s = 0; s < samples; s++)
        backward_cell(rows.numbers + s * rows.stride, c.numbers ? c.numbers + s * c.stride : NULL,
                      dh.numbers + s * hidden, dc.numbers + s * hidden, hidden);
    recurrent_product(sweep, dh, hidden, rows, LSTM_GATES * hidden, sweep->packed.recurrent_back[0], false);
}

static void backward(const struct net_call *call)
{
    struct recurrent shape = recurrent_shape(call->graph, call->node);
    size_t n = (size_t)call->samples * shape.hidden;
    float *scratch = call->scratch;
    struct recurrent_states dh = {scratch, shape.hidden}, dc = {scratch + n, shape.hidden};
    for (uint32_t d = 0; d < shape.directions; d++) {
        struct recurrent_sweep sweep = recurrent_sweep(call, d);
        recurrent_copy(&sweep, dh, recurrent_last(&sweep, call->dy[1]), false);
        recurrent_copy(&sweep, dc, recurrent_last(&sweep, call->dy[2]), false);
        for (uint32_t k = shape.steps; k-- > 0;) backward_step(&sweep, k, dh, dc);
        recurrent_input_gradient(&sweep);
        struct recurrent_states dh0 = recurrent_last(&sweep, call->dx[RECURRENT_H0]);
        struct recurrent_states dc0 = recurrent_last(&sweep, call->dx[RECURRENT_C0]);
        if (dh0.numbers) recurrent_copy(&sweep, dh0, dh, call->add[RECURRENT_H0]);
        if (dc0.numbers) recurrent_copy(&sweep, dc0, dc, call->add[RECURRENT_C0]);
    }
}

static void parameter_gradient(const struct net_gradient_call *call, uint32_t part)
{
    size_t hidden = call->node->attributes.hidden;
    struct recurrent_gate gates[LSTM_GATES];
    for (size_t g = 0; g < LSTM_GATES; g++)
        gates[g] = (struct recurrent_gate){.input_column = g * hidden, .recurrent_column = g * hidden};
    recurrent_gradient(call, gates, part);
}

const struct net_operator op_lstm = {
    .name = "LSTM",
    .min_inputs = 3,
    .max_inputs = 7,
    .max_outputs = 3,
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
