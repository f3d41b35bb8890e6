/* x log2 x in fixed point, against the C library's long double logarithm. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "forest/split.h"

static void assert_close(uint64_t x)
{
    long double exact = (long double)x * log2l((long double)x) * 0x1p20L;
    long double wrong = fabsl((long double)entropy_term(x) - exact);
    if (wrong > 0.5L + exact * 1e-9L)
        fail_msg("entropy_term(%llu) is off by %Lg", (unsigned long long)x, wrong);
}

static void it_is_x_log2_x(void **state)
{
    (void)state;
    for (uint64_t x = 2; x < 100000; x++) assert_close(x);
    for (int e = 2; e < 33; e++)
        for (int64_t near = -2; near <= 2; near++) assert_close((UINT64_C(1) << e) + (uint64_t)near);
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 1, 0);
    for (int i = 0; i < 100000; i++) assert_close(2 + (rng_u64(&rng) >> (31 + rng_below(&rng, 30))));
}

static void nothing_and_one_row_have_none(void **state)
{
    (void)state;
    assert_int_equal(entropy_term(0), 0);
    assert_int_equal(entropy_term(1), 0);
    assert_int_equal(entropy_term(2), 2 << 20);
    assert_int_equal(entropy_term(UINT64_C(1) << 32), INT64_C(32) << 52);
}

/* The search adds and takes away terms: a purer split must never look worse for their rounding. */
static void it_grows_faster_and_faster(void **state)
{
    (void)state;
    int64_t slope = 0;
    for (uint64_t x = 0; x < 100000; x++) {
        int64_t next = entropy_term(x + 1) - entropy_term(x);
        assert_true(next >= slope - 1);
        slope = next;
    }
    for (int e = 20; e < 33; e++) {
        uint64_t x = UINT64_C(1) << e;
        assert_true(entropy_term(x - 1) < entropy_term(x) && entropy_term(x) < entropy_term(x + 1));
        assert_true(entropy_term(x / 2) * 2 < entropy_term(x));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_x_log2_x),
        cmocka_unit_test(nothing_and_one_row_have_none),
        cmocka_unit_test(it_grows_faster_and_faster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
