#include "net/arithmetic.h"

#include "net/broadcast.h"
#include "net/kernels/kernel.h"

/* A row each; step is 1 or 0. Add takes a Relu in. */
typedef void row_function(const float *a, uint32_t step_a, const float *b, uint32_t step_b, float *y,
                          size_t n);

#define ROW_FUNCTION(name, sign)                                                                             \
    KERNEL static void name(const float *a, uint32_t step_a, const float *b, uint32_t step_b, float *y,      \
                            size_t n)                                                                        \
    {                                                                                                        \
        if (step_a && step_b) {                                                                              \
            KERNEL_LOOP                                                                                      \
            for (size_t i = 0; i < n; i++) y[i] = a[i] sign b[i];                                            \
        } else if (step_a) {                                                                                 \
            float right = *b;                                                                                \
            KERNEL_LOOP                                                                                      \
            for (size_t i = 0; i < n; i++) y[i] = a[i] sign right;                                           \
        } else {                                                                                             \
            float left = *a;                                                                                 \
            KERNEL_LOOP                                                                                      \
            for (size_t i = 0; i < n; i++) y[i] = left sign b[i];                                            \
        }                                                                                                    \
    }

ROW_FUNCTION(add_row, +)
ROW_FUNCTION(subtract_row, -)
ROW_FUNCTION(multiply_row, *)
ROW_FUNCTION(divide_row, /)

KERNEL static void relu_row(float *y, size_t n)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) y[i] = y[i] < 0.0f ? 0.0f : y[i];
}

KERNEL static void add_relu_row(const float *a, uint32_t step_a, const float *b, uint32_t step_b, float *y,
                                size_t n)
{
    if (step_a && step_b) {
        KERNEL_LOOP
        for (size_t i = 0; i < n; i++) {
            float sum = a[i] + b[i];
            y[i] = sum < 0.0f ? 0.0f : sum;
        }
    } else {
        add_row(a, step_a, b, step_b, y, n);
        relu_row(y, n);
    }
}

void arithmetic_forward(enum arithmetic what, const struct net_call *call)
{
    static row_function *const functions[] = {add_row, subtract_row, multiply_row, divide_row};
    bool relu = what == ARITHMETIC_ADD && call->node->attributes.relu;
    row_function *function = relu ? add_relu_row : functions[what];
    struct broadcast b;
    broadcast_init(&b, call->graph, call->node, call->samples);
    for (size_t row = 0; row < b.rows; row++) {
        size_t at[2];
        broadcast_at(&b, row, at);
        function(call->x[0] + at[0], b.inner[0], call->x[1] + at[1], b.inner[1], call->y[0] + row * b.n, b.n);
    }
}
