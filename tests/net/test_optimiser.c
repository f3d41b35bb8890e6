/* Optimisers against PyTorch 1.13's, and against their definitions in double precision over many steps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "net/optimiser.h"

#define OPTIONS(...)                                                                                         \
    ((struct optimiser_options){.beta1 = 0.9, .beta2 = 0.999, .alpha = 0.99, .epsilon = 1e-8, __VA_ARGS__})

/* torch.optim after three steps from {1, -2, 0.5} along these gradients, learning rate 0.1. */
static const float gradients[3][3] = {{0.5f, -1.0f, 0.125f}, {0.25f, 0.75f, -2.0f}, {-0.5f, 0.1f, 1.0f}};

struct known {
    const char *name;
    struct optimiser_options options;
    uint32_t slots;
    double weights[3];
};

static const struct known known[] = {
    {"SGD", OPTIONS(.kind = OPTIMISER_SGD), 0, {0.975, -1.985, 0.5875}},
    {"SGD, decay",
     OPTIONS(.kind = OPTIMISER_SGD, .weight_decay = 0.05),
     0,
     {0.960698625, -1.95577225, 0.579162125}},
    {"momentum",
     OPTIONS(.kind = OPTIMISER_SGD, .momentum = 0.9, .weight_decay = 0.05),
     1,
     {0.840143625, -1.82716225, 0.731397125}},
    {"Nesterov",
     OPTIONS(.kind = OPTIMISER_SGD, .momentum = 0.9, .nesterov = true, .weight_decay = 0.05),
     1,
     {0.818419019, -1.80233179, 0.786094903}},
    {"Adam",
     OPTIONS(.kind = OPTIMISER_ADAM, .weight_decay = 0.05),
     2,
     {0.785050807, -1.8657623, 0.487366335}},
    {"AdamW",
     OPTIONS(.kind = OPTIMISER_ADAMW, .weight_decay = 0.05),
     2,
     {0.782242198, -1.86047498, 0.483214989}},
    {"RMSprop",
     OPTIONS(.kind = OPTIMISER_RMSPROP, .weight_decay = 0.05),
     1,
     {0.240815859, -1.55663265, 0.0448957518}},
    {"RMSprop, momentum",
     OPTIONS(.kind = OPTIMISER_RMSPROP, .momentum = 0.9, .weight_decay = 0.05),
     2,
     {-1.81261964, -0.366290942, -0.751526133}},
};
enum { N_KNOWN = sizeof known / sizeof *known };

static void near(const char *what, double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * (1 + fabs(want))))
        fail_msg("%s: %.9g, wanted %.9g", what, got, want);
}

static void test_as_pytorch(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_KNOWN; i++) {
        float w[3] = {1, -2, 0.5f}, slots[2 * 3] = {0};
        assert_int_equal(optimiser_slots(&known[i].options), known[i].slots);
        for (uint64_t t = 0; t < 3; t++)
            optimiser_update(&known[i].options, w, gradients[t], slots, 3, 3, true, 0.1, 1, t + 1);
        for (int j = 0; j < 3; j++) near(known[i].name, w[j], known[i].weights[j], 5e-7);
    }
}

/* One weight, as torch.optim's documentation writes each rule down. */
static void slow_update(const struct optimiser_options *o, double *w, double s[2], double g, double rate,
                        uint64_t t)
{
    if (o->kind == OPTIMISER_ADAMW)
        *w -= rate * o->weight_decay * *w;
    else
        g += o->weight_decay * *w;
    if (o->kind == OPTIMISER_SGD) {
        s[0] = o->momentum * s[0] + g;
        *w -= rate * (o->nesterov ? g + o->momentum * s[0] : s[0]);
    } else if (o->kind == OPTIMISER_RMSPROP) {
        s[0] = o->alpha * s[0] + (1 - o->alpha) * g * g;
        s[1] = o->momentum * s[1] + g / (sqrt(s[0]) + o->epsilon);
        *w -= rate * s[1];
    } else {
        s[0] = o->beta1 * s[0] + (1 - o->beta1) * g;
        s[1] = o->beta2 * s[1] + (1 - o->beta2) * g * g;
        double mean = s[0] / (1 - pow(o->beta1, (double)t)), square = s[1] / (1 - pow(o->beta2, (double)t));
        *w -= rate * mean / (sqrt(square) + o->epsilon);
    }
}

/* Gradients of a bowl, so that weights settle; clipped by half now and then. */
static void test_many_steps(void **state)
{
    (void)state;
    enum { N = 37, STEPS = 500 };
    for (size_t k = 0; k < N_KNOWN; k++) {
        float w[N], g[N], slots[2 * N] = {0};
        double slow[N], slow_slots[N][2];
        memset(slow_slots, 0, sizeof slow_slots);
        struct rng r;
        rng_init(&r, 3, RNG_BOOTSTRAP, k, 0);
        for (int i = 0; i < N; i++) slow[i] = w[i] = (float)(2 * rng_double(&r) - 1);
        for (uint64_t t = 1; t <= STEPS; t++) {
            double scale = t % 5 ? 1 : 0.5, rate = 0.01 / (1 + (double)t / 100);
            for (int i = 0; i < N; i++) g[i] = (float)(slow[i] - 0.3 + 0.2 * rng_double(&r));
            for (int i = 0; i < N; i++)
                slow_update(&known[k].options, &slow[i], slow_slots[i], g[i] * scale, rate, t);
            optimiser_update(&known[k].options, w, g, slots, N, N, true, rate, scale, t);
        }
        for (int i = 0; i < N; i++) near(known[k].name, w[i], slow[i], 2e-5);
    }
}

/* In pieces, at odd places, the numbers are the same bits as at once. */
static void test_cuts(void **state)
{
    (void)state;
    enum { N = 101 };
    static const size_t cuts[] = {0, 1, 18, 50, 51, N};
    for (size_t k = 0; k < N_KNOWN; k++) {
        float whole[N], parts[N], g[N], s[2 * N] = {0}, p[2 * N] = {0};
        for (int i = 0; i < N; i++) whole[i] = parts[i] = (float)sin(i), g[i] = (float)cos(3 * i);
        for (uint64_t t = 1; t < 4; t++) {
            optimiser_update(&known[k].options, whole, g, s, N, N, true, 0.1, 0.7, t);
            for (int c = 0; c < 5; c++)
                optimiser_update(&known[k].options, parts + cuts[c], g + cuts[c], p + cuts[c], N,
                                 cuts[c + 1] - cuts[c], true, 0.1, 0.7, t);
        }
        assert_memory_equal(whole, parts, sizeof whole);
        assert_memory_equal(s, p, sizeof s);
    }
}

/* Biases do not decay: with a gradient of 0 they stay where they are. */
static void test_what_does_not_decay(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_KNOWN; k++) {
        struct optimiser_options o = known[k].options;
        o.weight_decay = 0.5;
        float w = 1.25f, g = 0, slots[2] = {0};
        optimiser_update(&o, &w, &g, slots, 1, 1, false, 0.1, 1, 1);
        assert_true(w == 1.25f);
        optimiser_update(&o, &w, &g, slots, 1, 1, true, 0.1, 1, 2);
        assert_true(w < 1.25f);
    }
}

static void test_late_steps(void **state)
{
    (void)state;
    struct optimiser_options o = OPTIONS(.kind = OPTIMISER_ADAM);
    float w = 1, g = 0.5f, slots[2] = {0.5f, 0.25f};
    optimiser_update(&o, &w, &g, slots, 1, 1, true, 0.1, 1, UINT64_MAX);
    near("a step that is not corrected any more", w, 0.9, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_pytorch),
        cmocka_unit_test(test_many_steps),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_late_steps),
        cmocka_unit_test(test_what_does_not_decay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
