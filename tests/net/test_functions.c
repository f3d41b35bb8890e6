/* exp, log, tanh, the logistic function and erf against the C library's in double precision. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/kernels/functions.h"

typedef float single(float x);
typedef double twice(double x);

/* Units in the last place that x is off. */
static double off(float got, double want)
{
    if (isnan(want)) return isnan(got) ? 0 : INFINITY;
    if (isinf((float)want)) return (double)got == want || isinf(got) ? 0 : INFINITY;
    int exponent;
    frexp(want, &exponent);
    return fabs(got - want) / ldexp(1, exponent < -125 ? -149 : exponent - 24);
}

/* Every 997th float between low and high. */
static void check(const char *name, single *fast, twice *exact, float low, float high, double most)
{
    double worst = 0;
    float at = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 997) {
        float x = float_of_bits((uint32_t)bits);
        if (!(x >= low && x <= high)) continue;
        double wrong = off(fast(x), exact(x));
        if (wrong <= worst) continue;
        worst = wrong;
        at = x;
    }
    if (!(worst <= most)) fail_msg("%s(%.9g) is %.9g, %g units off", name, at, fast(at), worst);
}

static void check_special(const char *name, single *fast, twice *exact)
{
    static const float special[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e-45f, -1e-45f, 3e38f, -3e38f};
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        double wrong = off(fast(special[i]), exact(special[i]));
        if (!(wrong <= 2)) fail_msg("%s(%g) is %g", name, special[i], fast(special[i]));
    }
}

static float fast_exp(float x)
{
    return float_exp(x);
}
static float fast_log(float x)
{
    return float_log(x);
}
static float fast_tanh(float x)
{
    return float_tanh(x);
}
static float fast_erf(float x)
{
    return float_erf(x);
}
static float fast_logistic(float x)
{
    return float_logistic(x);
}
static double exact_logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static void test_exp(void **state)
{
    (void)state;
    check("exp", fast_exp, exp, -110, 95, 1.1);
    check_special("exp", fast_exp, exp);
}

static void test_log(void **state)
{
    (void)state;
    check("log", fast_log, log, 0, INFINITY, 1.1);
    check_special("log", fast_log, log);
}

static void test_tanh(void **state)
{
    (void)state;
    check("tanh", fast_tanh, tanh, -30, 30, 2);
    check_special("tanh", fast_tanh, tanh);
}

static void test_erf(void **state)
{
    (void)state;
    check("erf", fast_erf, erf, -30, 30, 2);
    check_special("erf", fast_erf, erf);
}

static void test_logistic(void **state)
{
    (void)state;
    check("logistic", fast_logistic, exact_logistic, -85, 100, 2.5);
    check_special("logistic", fast_logistic, exact_logistic);
}

enum { LANES = 1000 };

KERNEL static void many(const float *x, float *y)
{
    KERNEL_LOOP
    for (int i = 0; i < LANES; i++)
        y[i] = float_exp(x[i]) + float_tanh(x[i]) + float_erf(x[i]) + float_log(x[i]) + float_logistic(x[i]);
}

/* The compiler's vectors against one number at a time. */
static void test_lanes(void **state)
{
    (void)state;
    static float x[LANES], y[LANES];
    for (int i = 0; i < LANES; i++) x[i] = 0.0137f * (float)(i + 1);
    many(x, y);
    for (int i = 0; i < LANES; i++) {
        volatile float at = x[i];
        float one = fast_exp(at) + fast_tanh(at) + fast_erf(at) + fast_log(at) + fast_logistic(at);
        assert_memory_equal(&one, &y[i], sizeof one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp), cmocka_unit_test(test_log),      cmocka_unit_test(test_tanh),
        cmocka_unit_test(test_erf), cmocka_unit_test(test_logistic), cmocka_unit_test(test_lanes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
