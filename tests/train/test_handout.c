/* Which member gets which batch: each once, and none too far ahead of the slowest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "train/handout.h"

/* Whoever chance says is done with its batch, seen by naive books of all batches. */
static void hand_out_all(uint32_t n_members, uint32_t staleness, uint64_t first, uint64_t n_batches,
                         struct rng *chance)
{
    struct handout handout;
    uint8_t states[64] = {0}; /* 0: nobody's yet, 1: at work, 2: done */
    assert_int_equal(handout_init(&handout, n_members, staleness, NULL), BRAMBLE_OK);
    handout_begin(&handout, first, n_batches);
    for (uint32_t m = 0; m < n_members; m++) {
        assert_int_equal(handout.at[m], handout_first(m, first, n_batches));
        if (handout.at[m] != HANDOUT_NONE) states[handout.at[m]]++;
    }
    for (uint32_t turns = 0; !handout_is_over(&handout); turns++) {
        uint32_t m = rng_below(chance, rng_below(chance, n_members) + 1); /* the last ones are slow */
        assert_true(turns < 100000);
        if (handout.at[m] != HANDOUT_NONE) {
            assert_int_equal(states[handout.at[m]]++, 1);
            handout_done(&handout, m);
        }
        uint64_t oldest = first, highest = first, batch = handout_next(&handout, m);
        if (batch != HANDOUT_NONE) assert_int_equal(states[batch]++, 0);
        while (oldest < n_batches && states[oldest] == 2) oldest++;
        for (uint64_t b = first; b < n_batches; b++)
            if (states[b]) highest = b;
        if (batch != HANDOUT_NONE) assert_true(batch / n_members - oldest / n_members <= staleness);
        bool prefix = true;
        for (uint64_t b = oldest; b <= highest && b < n_batches; b++) prefix &= states[b] != 2;
        assert_int_equal(handout_is_prefix(&handout), prefix);
    }
    for (uint64_t b = first; b < n_batches; b++) assert_int_equal(states[b], 2);
    handout_fini(&handout);
}

static void test_each_batch_once_and_never_too_far_ahead(void **state)
{
    (void)state;
    struct rng chance;
    rng_init(&chance, 1, 0, 0, 0);
    for (uint32_t i = 0; i < 400; i++) {
        uint64_t n_batches = 1 + rng_below(&chance, 60);
        hand_out_all(1 + i % 7, 1 + i / 7 % 4, rng_below(&chance, (uint32_t)n_batches), n_batches, &chance);
    }
}

/* A member that is never done holds the others up, after as many clocks as it may. */
static void test_the_slowest_is_waited_for(void **state)
{
    (void)state;
    for (uint32_t staleness = 1; staleness <= 3; staleness++) {
        struct handout handout;
        uint64_t last = 0, batch;
        handout_init(&handout, 3, staleness, NULL);
        handout_begin(&handout, 0, 1000);
        for (uint32_t turn = 0; turn < 100; turn++) {
            handout_done(&handout, 1 + turn % 2);
            batch = handout_next(&handout, 1 + turn % 2);
            if (batch != HANDOUT_NONE) last = batch;
        }
        assert_int_equal(last, 3 * (staleness + 1) - 1);
        handout_fini(&handout);
    }
}

static void test_every_allocation(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct handout handout = {0};
    mem_fail_at(1, 0);
    assert_int_equal(handout_init(&handout, 3, 1, NULL), BRAMBLE_ERR_MEMORY);
    mem_fail_at(0, 0);
    handout_fini(&handout);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_batch_once_and_never_too_far_ahead),
        cmocka_unit_test(test_the_slowest_is_waited_for),
        cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
