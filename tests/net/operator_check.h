/*
 * One operator alone, on random numbers, against a plain reference in double precision: forward against what
 * the reference gives, backward and the parameters' gradients against the reference's central differences.
 * Several microbatches, the last of them short, in both orders; gradients written, added and in place. What a
 * call has no right to read is NaN, and so is what it must write.
 *
 *   static void negate(const struct reference_call *call)
 *   {
 *       size_t n = call->samples * shape_size(&call->y_shape[0]);
 *       for (size_t i = 0; i < n; i++) call->y[0][i] = -call->x[0][i];
 *   }
 *   ...
 *   struct operator_case c = case_of("odd sizes", operator_find("Neg"), negate);
 *   case_input(&c, NET_ACTIVATION, SHAPE(7, 5, 3));
 *   check_operator(&c);
 */
#ifndef TESTS_NET_OPERATOR_CHECK_H
#define TESTS_NET_OPERATOR_CHECK_H

#include "net/operator.h"

#define SHAPE(...) ((struct net_shape){sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), {__VA_ARGS__}})
#define SHAPE_OF_ONE ((struct net_shape){0})

struct check_input {
    enum net_kind kind; /* NET_INPUT: an activation whose gradient nobody wants */
    struct net_shape shape;
    double low, high;     /* numbers are uniform between these */
    bool whole;           /* whole numbers from low to below high; they get no differences */
    const float *numbers; /* these instead; an activation's are those of all samples */
    bool absent;          /* an optional input that is not given */
};

struct reference_call {
    const struct operator_case *what;
    uint64_t samples; /* M: the whole batch at once */
    bool training;
    const double *x[NET_INPUTS_MAX];           /* M parts, or the whole parameter; NULL: absent */
    struct net_shape y_shape[NET_OUTPUTS_MAX]; /* as infer said */
    double *y[NET_OUTPUTS_MAX];                /* to be written: M parts each */
    double *state[NET_INPUTS_MAX];             /* NET_STATE inputs: to be changed as training changes them */
};

struct operator_case {
    const char *label;
    const struct net_operator *op;
    void (*reference)(const struct reference_call *call);
    uint32_t n_inputs, n_outputs;
    struct check_input inputs[NET_INPUTS_MAX];
    struct net_attributes attributes;
    uint64_t samples;
    double tolerance;          /* of outputs and states, in parts of 1 + |number| */
    double gradient_tolerance; /* in parts of 1 + the greatest of its tensor */
    uint32_t differences;      /* so many numbers of each input are varied, drawn at random */
    bool no_gradients;         /* forward only */
};

/* Defaults: one output, no inputs yet, 37 samples, 1e-5, 2e-5, 120 differences, NET_ATTRIBUTES_INIT. */
struct operator_case case_of(const char *label, const struct net_operator *op,
                             void (*reference)(const struct reference_call *call));

/* Adds an input of numbers between -1 and 1; the pointer is for changing more about it. */
struct check_input *case_input(struct operator_case *c, enum net_kind kind, struct net_shape shape);

/* Fails the cmocka test, saying the label and the first number that is wrong. */
void check_operator(const struct operator_case *c);

/* infer gives these shapes for the outputs. */
void check_shapes(const struct operator_case *c, const struct net_shape *want);

/* infer says BRAMBLE_ERR_DATA, with `word` in its message. */
void check_refused(const struct operator_case *c, const char *word);

#endif
