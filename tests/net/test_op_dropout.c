/* Dropout: what stays, by what it is keyed, and its gradient. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "operator_check.h"
#include "operator_run.h"

/* The numbers as the operator's file says they are keyed; operator_run's seed and step. */
static void reference(const struct reference_call *call)
{
    size_t n = shape_size(&call->y_shape[0]);
    double rate = (double)call->what->attributes.rate;
    for (uint64_t s = 0; s < call->samples; s++) {
        struct rng rng;
        rng_init(&rng, RUN_SEED, RNG_DROPOUT, (uint64_t)RUN_STEP << 32 | s, 0);
        for (size_t i = s * n; i < (s + 1) * n; i++) {
            bool stays = !call->training || rng_u32(&rng) >= rate * 0x1p32;
            double factor = call->training ? 1 / (1 - rate) : 1;
            call->y[0][i] = stays ? call->x[0][i] * factor : 0;
        }
    }
}

static struct operator_case dropout_case(float rate)
{
    struct operator_case c = case_of("dropout", operator_find("Dropout"), reference);
    struct check_input *x = case_input(&c, NET_ACTIVATION, SHAPE(7, 13));
    x->low = 0.5;
    c.attributes.rate = rate;
    return c;
}

static void test_rates(void **state)
{
    (void)state;
    static const float rates[] = {0, 0.25f, 0.5f, 0.9f};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct operator_case c = dropout_case(rates[i]);
        check_operator(&c);
    }
}

static void test_share(void **state)
{
    (void)state;
    struct operator_case c = dropout_case(0.25f);
    struct rig rig;
    struct operator_run run;
    c.samples = 200;
    rig_init(&rig, &c);
    run_init(&run, &rig, (struct run_options){.training = true});
    run_forward(&run);
    size_t n = rig_output_size(&rig, 0), gone = 0, repeated = 0;
    for (size_t i = 0; i < n; i++) {
        gone += run.made[0][i] == 0;
        repeated += i >= 91 && (run.made[0][i] == 0) == (run.made[0][i - 91] == 0);
    }
    assert_in_range(gone, n * 24 / 100, n * 26 / 100);
    assert_in_range(repeated, n * 60 / 100, n * 65 / 100); /* 0.75^2 + 0.25^2: samples have their own */
    run_fini(&run);
    rig_fini(&rig);
}

static void test_refusals(void **state)
{
    (void)state;
    static const float rates[] = {1, -0.1f, 2};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct operator_case c = dropout_case(rates[i]);
        check_refused(&c, "below 1");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
