/* The way of LSTM and GRU through time: where numbers of a step lie, and products with the weights. */
#include <string.h>

#include "net/recurrent.h"

static size_t time_of(const struct recurrent_sweep *sweep, uint32_t k)
{
    bool back = sweep->direction == 1 || sweep->shape.reverse;
    return back ? sweep->shape.steps - 1 - k : k;
}

struct recurrent_states recurrent_rows(const struct recurrent_sweep *sweep, uint32_t k)
{
    const struct recurrent *r = &sweep->shape;
    return (struct recurrent_states){sweep->rows + time_of(sweep, k) * r->width, r->steps * r->width};
}

struct recurrent_states recurrent_output(const struct recurrent_sweep *sweep, const float *y, uint32_t k)
{
    const struct recurrent *r = &sweep->shape;
    size_t wide = (size_t)r->directions * r->hidden, at = time_of(sweep, k) * wide;
    if (!y) return (struct recurrent_states){NULL, 0};
    return (struct recurrent_states){(float *)y + at + (size_t)sweep->direction * r->hidden, r->steps * wide};
}

struct recurrent_states recurrent_last(const struct recurrent_sweep *sweep, const float *state)
{
    const struct recurrent *r = &sweep->shape;
    if (!state) return (struct recurrent_states){NULL, 0};
    return (struct recurrent_states){(float *)state + (size_t)sweep->direction * r->hidden,
                                     (size_t)r->directions * r->hidden};
}

struct recurrent_states recurrent_before(const struct recurrent_sweep *sweep, uint32_t k)
{
    const struct net_call *call = sweep->call;
    if (k) return recurrent_output(sweep, call->y[0], k - 1);
    return recurrent_last(sweep, recurrent_has(call->node, RECURRENT_H0) ? call->x[RECURRENT_H0] : NULL);
}

void recurrent_project(const struct recurrent_sweep *sweep)
{
    const struct recurrent *r = &sweep->shape;
    size_t gates = (size_t)r->gates * r->hidden, n = (size_t)sweep->call->samples * r->steps;
    for (size_t i = 0; i < n; i++)
        memcpy(sweep->rows + i * r->width, sweep->bias, gates * sizeof *sweep->bias);
    recurrent_multiply(sweep->rows, r->width, sweep->call->x[RECURRENT_X], r->inputs, sweep->input_packed,
                       gates, n, gates, r->inputs);
}

void recurrent_input_gradient(const struct recurrent_sweep *sweep)
{
    const struct recurrent *r = &sweep->shape;
    float *dx = sweep->call->dx[RECURRENT_X];
    size_t n = (size_t)sweep->call->samples * r->steps;
    if (!dx) return;
    if (!sweep->call->add[RECURRENT_X] && !sweep->direction) memset(dx, 0, n * r->inputs * sizeof *dx);
    recurrent_multiply(dx, r->inputs, sweep->rows, r->width, sweep->input_weights, r->inputs, n, r->inputs,
                       (size_t)r->gates * r->hidden);
}

void recurrent_copy(const struct recurrent_sweep *sweep, struct recurrent_states to,
                    struct recurrent_states from, bool add)
{
    for (size_t s = 0; s < sweep->call->samples; s++) {
        float *out = to.numbers + s * to.stride;
        const float *in = from.numbers ? from.numbers + s * from.stride : NULL;
        for (size_t j = 0; j < sweep->shape.hidden; j++) out[j] = (add ? out[j] : 0) + (in ? in[j] : 0);
    }
}
