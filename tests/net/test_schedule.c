/* Learning rates step by step, against those of PyTorch 1.13's schedulers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/powers.h"
#include "net/schedule.h"

static void rates(const struct schedule *schedule, const double *want, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double got = schedule_learning_rate(schedule, i);
        if (!(fabs(got - want[i]) <= 1e-11 * want[i]))
            fail_msg("step %zu: %.12g, wanted %.12g", i, got, want[i]);
    }
}

static struct schedule of(enum schedule_kind kind, uint64_t steps)
{
    struct schedule schedule = SCHEDULE_INIT;
    schedule.kind = kind;
    schedule.learning_rate = 0.2;
    schedule.steps = steps;
    return schedule;
}

static void test_constant(void **state)
{
    (void)state;
    struct schedule s = of(SCHEDULE_CONSTANT, 3);
    rates(&s, (double[]){0.2, 0.2, 0.2, 0.2}, 4);
    s.warmup = 4;
    rates(&s, (double[]){0.05, 0.1, 0.15, 0.2, 0.2}, 5);
}

static void test_step(void **state)
{
    (void)state;
    struct schedule s = of(SCHEDULE_STEP, 8);
    s.period = 3;
    s.gamma = 0.5;
    rates(&s, (double[]){0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05}, 8);
    s.warmup = 2;
    rates(&s, (double[]){0.1, 0.2, 0.2, 0.2, 0.2, 0.1}, 6);
}

static void test_cosine(void **state)
{
    (void)state;
    struct schedule s = of(SCHEDULE_COSINE, 10);
    rates(&s,
          (double[]){0.2, 0.19510565163, 0.180901699437, 0.158778525229, 0.130901699437, 0.1, 0.0690983005625,
                     0.0412214747708, 0.0190983005625, 0.00489434837048, 0.00489434837048},
          11);
    s.last_learning_rate = 0.02;
    rates(&s,
          (double[]){0.2, 0.195595086467, 0.182811529494, 0.162900672706, 0.137811529494, 0.11,
                     0.0821884705063, 0.0570993272937, 0.0371884705063, 0.0244049135334},
          10);
}

static void test_one_cycle(void **state)
{
    (void)state;
    struct schedule s = of(SCHEDULE_ONE_CYCLE, 10);
    rates(&s,
          (double[]){0.008, 0.104, 0.2, 0.190096926403, 0.16234913079, 0.122252404387, 0.0777483956127,
                     0.03765166921, 0.00990387359731, 8e-07, 8e-07},
          11);
    s.steps = 1;
    rates(&s, (double[]){0.2}, 1);
    s.steps = 2;
    rates(&s, (double[]){0.2, 8e-7}, 2);
}

/* SequentialLR: LinearLR from a quarter, then CosineAnnealingLR over the other six steps. */
static void test_warmup(void **state)
{
    (void)state;
    struct schedule s = of(SCHEDULE_COSINE, 10);
    s.warmup = 4;
    rates(&s, (double[]){0.05, 0.1, 0.15, 0.2, 0.2, 0.186602540378, 0.15, 0.1, 0.05, 0.0133974596216}, 10);
    s.steps = 3; /* ends before it is warm */
    rates(&s, (double[]){0.05, 0.1, 0.15}, 3);
    s = of(SCHEDULE_ONE_CYCLE, 12);
    s.warmup = 2;
    rates(&s, (double[]){0.004, 0.008, 0.008, 0.104, 0.2, 0.190096926403}, 6);
}

static void test_cosines(void **state)
{
    (void)state;
    assert_true(cosine_of_pi(0) == 1);
    assert_true(cosine_of_pi(1) == -1);
    for (int i = 0; i <= 1000; i++) {
        double x = i / 1000.0;
        assert_true(fabs(cosine_of_pi(x) - cos(x * 3.14159265358979324)) < 6e-16);
    }
}

static void test_whole_powers(void **state)
{
    (void)state;
    assert_true(power_whole(3, 0) == 1);
    assert_true(power_whole(3, 13) == 1594323);
    assert_true(fabs(power_whole(0.999, 100000) / pow(0.999, 100000) - 1) < 1e-10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant),     cmocka_unit_test(test_step),   cmocka_unit_test(test_cosine),
        cmocka_unit_test(test_one_cycle),    cmocka_unit_test(test_warmup), cmocka_unit_test(test_cosines),
        cmocka_unit_test(test_whole_powers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
