/* LSTM and GRU against loops in double precision that follow ONNX's text. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net/operators.h"
#include "net/recurrent.h"
#include "operator_check.h"

enum { HIDDEN_MAX = 40 };

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* What one direction's step of one sample is made of. */
struct cell {
    const double *x, *w, *r, *b; /* b may be NULL: W's biases, then R's, GH each */
    size_t inputs, hidden, gates;
    double *h, *c;
};

static double input_sum(const struct cell *cell, size_t row)
{
    double sum = cell->b ? cell->b[row] : 0;
    for (size_t i = 0; i < cell->inputs; i++) sum += cell->w[row * cell->inputs + i] * cell->x[i];
    return sum;
}

static double recurrent_sum(const struct cell *cell, const double *h, size_t row)
{
    double sum = cell->b ? cell->b[cell->gates * cell->hidden + row] : 0;
    for (size_t i = 0; i < cell->hidden; i++) sum += cell->r[row * cell->hidden + i] * h[i];
    return sum;
}

static double both_sums(const struct cell *cell, size_t row)
{
    return input_sum(cell, row) + recurrent_sum(cell, cell->h, row);
}

static void lstm_step(const struct cell *cell)
{
    double h[HIDDEN_MAX];
    size_t n = cell->hidden;
    for (size_t j = 0; j < n; j++) {
        double i = logistic(both_sums(cell, j)), o = logistic(both_sums(cell, n + j));
        double f = logistic(both_sums(cell, 2 * n + j)), g = tanh(both_sums(cell, 3 * n + j));
        cell->c[j] = f * cell->c[j] + i * g;
        h[j] = o * tanh(cell->c[j]);
    }
    for (size_t j = 0; j < n; j++) cell->h[j] = h[j];
}

static void gru_step(const struct cell *cell, bool linear_before_reset)
{
    double z[HIDDEN_MAX], r[HIDDEN_MAX], reset[HIDDEN_MAX], new[HIDDEN_MAX];
    size_t n = cell->hidden;
    for (size_t j = 0; j < n; j++) {
        z[j] = logistic(both_sums(cell, j));
        r[j] = logistic(both_sums(cell, n + j));
        reset[j] = r[j] * cell->h[j];
    }
    for (size_t j = 0; j < n; j++) {
        size_t row = 2 * n + j;
        double sum =
            linear_before_reset ? r[j] * recurrent_sum(cell, cell->h, row) : recurrent_sum(cell, reset, row);
        new[j] = tanh(input_sum(cell, row) + sum);
    }
    for (size_t j = 0; j < n; j++) cell->h[j] = (1 - z[j]) * new[j] + z[j] * cell->h[j];
}

static void refer_direction(const struct reference_call *call, size_t s, size_t d)
{
    const struct net_attributes *attributes = &call->what->attributes;
    const struct net_shape *shape = &call->what->inputs[RECURRENT_X].shape;
    size_t steps = shape->dim[0], inputs = shape->dim[1], hidden = attributes->hidden;
    size_t directions = attributes->bidirectional ? 2 : 1, place = (s * directions + d) * hidden;
    bool lstm = call->what->op == &op_lstm, back = attributes->reverse || d == 1;
    size_t gates = lstm ? 4 : 3, rows = gates * hidden;
    double h[HIDDEN_MAX], c[HIDDEN_MAX];
    struct cell cell = {.w = call->x[RECURRENT_W] + d * rows * inputs,
                        .r = call->x[RECURRENT_R] + d * rows * hidden,
                        .b = call->x[RECURRENT_B] ? call->x[RECURRENT_B] + d * 2 * rows : NULL,
                        .inputs = inputs,
                        .hidden = hidden,
                        .gates = gates,
                        .h = h,
                        .c = c};
    for (size_t j = 0; j < hidden; j++) {
        h[j] = call->x[RECURRENT_H0] ? call->x[RECURRENT_H0][place + j] : 0;
        c[j] = call->x[RECURRENT_C0] ? call->x[RECURRENT_C0][place + j] : 0;
    }
    for (size_t k = 0; k < steps; k++) {
        size_t t = back ? steps - 1 - k : k;
        cell.x = call->x[RECURRENT_X] + (s * steps + t) * inputs;
        if (lstm)
            lstm_step(&cell);
        else
            gru_step(&cell, attributes->linear_before_reset);
        for (size_t j = 0; j < hidden; j++)
            call->y[0][((s * steps + t) * directions + d) * hidden + j] = h[j];
    }
    for (size_t j = 0; j < hidden && call->y[1]; j++) call->y[1][place + j] = h[j];
    for (size_t j = 0; j < hidden && call->y[2]; j++) call->y[2][place + j] = c[j];
}

static void refer_recurrent(const struct reference_call *call)
{
    size_t directions = call->what->attributes.bidirectional ? 2 : 1;
    for (size_t s = 0; s < call->samples; s++)
        for (size_t d = 0; d < directions; d++) refer_direction(call, s, d);
}

enum { REVERSE = 1, BOTH = 2, LINEAR = 4, NO_BIAS = 8, STARTS = 16, ALONE = 32 };

static struct operator_case recurrent_case(const char *label, const struct net_operator *op, uint32_t steps,
                                           uint32_t inputs, uint32_t hidden, unsigned how)
{
    struct operator_case c = case_of(label, op, refer_recurrent);
    bool lstm = op == &op_lstm;
    uint32_t directions = how & BOTH ? 2 : 1, rows = (lstm ? 4 : 3) * hidden;
    c.attributes.hidden = hidden;
    c.attributes.reverse = how & REVERSE;
    c.attributes.bidirectional = how & BOTH;
    c.attributes.linear_before_reset = how & LINEAR;
    c.n_outputs = how & ALONE ? 1 : lstm ? 3 : 2;
    case_input(&c, NET_ACTIVATION, SHAPE(steps, inputs));
    case_input(&c, NET_PARAMETER, SHAPE(directions, rows, inputs));
    case_input(&c, NET_PARAMETER, SHAPE(directions, rows, hidden));
    case_input(&c, NET_PARAMETER, SHAPE(directions, 2 * rows))->absent = how & NO_BIAS;
    case_input(&c, NET_ACTIVATION, SHAPE(1))->absent = true;
    case_input(&c, NET_ACTIVATION, SHAPE(directions, hidden))->absent = !(how & STARTS);
    if (lstm) case_input(&c, NET_ACTIVATION, SHAPE(directions, hidden))->absent = !(how & STARTS);
    return c;
}

static void check(const char *label, const struct net_operator *op, uint32_t steps, uint32_t inputs,
                  uint32_t hidden, unsigned how)
{
    struct operator_case c = recurrent_case(label, op, steps, inputs, hidden, how);
    c.differences = 60;
    check_operator(&c);
}

static void check_both_ways(const struct net_operator *op, unsigned how)
{
    check("forward", op, 7, 5, 3, how);
    check("forward, from given states", op, 4, 3, 5, how | STARTS);
    check("reverse", op, 6, 2, 17, how | REVERSE);
    check("reverse, from given states, no bias", op, 5, 1, 4, how | REVERSE | STARTS | NO_BIAS);
    check("bidirectional", op, 5, 4, 3, how | BOTH);
    check("bidirectional, from given states", op, 3, 6, 2, how | BOTH | STARTS);
    check("no last states", op, 3, 9, 33, how | ALONE);
    check("one step, one number, one unit", op, 1, 1, 1, how);
    check("one step in both directions", op, 1, 3, 2, how | BOTH | STARTS);
}

static void lstm(void **state)
{
    (void)state;
    check_both_ways(&op_lstm, 0);
}

static void gru_as_pytorch_has_it(void **state)
{
    (void)state;
    check_both_ways(&op_gru, LINEAR);
}

static void gru_as_first_written(void **state)
{
    (void)state;
    check_both_ways(&op_gru, 0);
}

static void shapes_are_inferred(void **state)
{
    (void)state;
    struct operator_case c = recurrent_case("both", &op_lstm, 7, 5, 3, BOTH);
    check_shapes(&c, (struct net_shape[]){SHAPE(7, 6), SHAPE(2, 3), SHAPE(2, 3)});
    c = recurrent_case("one", &op_gru, 7, 5, 3, REVERSE);
    check_shapes(&c, (struct net_shape[]){SHAPE(7, 3), SHAPE(1, 3)});
}

static void misfits_are_refused(void **state)
{
    (void)state;
    const struct operator_case good = recurrent_case("misfit", &op_lstm, 7, 5, 3, STARTS);
    struct operator_case c = good;
    c.inputs[RECURRENT_X].shape = SHAPE(7, 5, 2);
    check_refused(&c, "steps x numbers");
    c = good;
    c.inputs[RECURRENT_W].shape = SHAPE(1, 12, 6);
    check_refused(&c, "W is");
    c = good;
    c.inputs[RECURRENT_R].shape = SHAPE(1, 9, 3);
    check_refused(&c, "R is");
    c = good;
    c.inputs[RECURRENT_B].shape = SHAPE(1, 12);
    check_refused(&c, "B is");
    c = good;
    c.inputs[RECURRENT_W].kind = NET_ACTIVATION;
    check_refused(&c, "must be weights");
    c = good;
    c.inputs[RECURRENT_LENGTHS].absent = false;
    check_refused(&c, "sequence_lens");
    c = good;
    c.inputs[RECURRENT_H0].shape = SHAPE(2, 3);
    check_refused(&c, "initial_h is");
    c = good;
    c.inputs[RECURRENT_C0].kind = NET_CONSTANT;
    check_refused(&c, "initial_c must");
    c = good;
    c.attributes.hidden = 0;
    check_refused(&c, "hidden_size");
    c = good;
    c.attributes.hidden = UINT32_MAX;
    check_refused(&c, "hidden_size");
    c = good;
    c.attributes.reverse = c.attributes.bidirectional = true;
    check_refused(&c, "both reverse and bidirectional");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lstm),
        cmocka_unit_test(gru_as_pytorch_has_it),
        cmocka_unit_test(gru_as_first_written),
        cmocka_unit_test(shapes_are_inferred),
        cmocka_unit_test(misfits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
