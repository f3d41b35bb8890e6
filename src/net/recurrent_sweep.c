/* The way of LSTM and GRU through time: where numbers of a step lie, and products with the weights. */
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
    sweep->kernels->product(&(struct net_product){.a = sweep->call->x[RECURRENT_X],
                                                  .a_stride = r->inputs,
                                                  .n_rows = sweep->call->samples * r->steps,
                                                  .n_segments = 1,
                                                  .length = r->inputs,
                                                  .b = sweep->packed.input,
                                                  .n = r->gates * r->hidden,
                                                  .bias = sweep->packed.bias,
                                                  .y = sweep->rows,
                                                  .y_stride = r->width});
}

void recurrent_input_gradient(const struct recurrent_sweep *sweep)
{
    const struct recurrent *r = &sweep->shape;
    if (!sweep->call->dx[RECURRENT_X]) return;
    sweep->kernels->product(&(struct net_product){.a = sweep->rows,
                                                  .a_stride = r->width,
                                                  .n_rows = sweep->call->samples * r->steps,
                                                  .n_segments = 1,
                                                  .length = r->gates * r->hidden,
                                                  .b = sweep->packed.input_back,
                                                  .n = r->inputs,
                                                  .add = sweep->call->add[RECURRENT_X] || sweep->direction,
                                                  .y = sweep->call->dx[RECURRENT_X],
                                                  .y_stride = r->inputs});
}

void recurrent_product(const struct recurrent_sweep *sweep, struct recurrent_states to, size_t n,
                       struct recurrent_states from, size_t k, const float *packed, bool add)
{
    sweep->kernels->product(&(struct net_product){.a = from.numbers,
                                                  .a_stride = from.stride,
                                                  .n_rows = sweep->call->samples,
                                                  .n_segments = 1,
                                                  .length = (uint32_t)k,
                                                  .b = packed,
                                                  .n = (uint32_t)n,
                                                  .add = add,
                                                  .y = to.numbers,
                                                  .y_stride = to.stride});
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
