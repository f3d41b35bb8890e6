/* How long a node's silence is borne, learned from its own beats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/heartbeat.h"

static struct heartbeat beat_for(double gap, unsigned n)
{
    struct heartbeat beat;
    heartbeat_start(&beat, 100);
    for (unsigned i = 1; i <= n; i++) heartbeat_arrived(&beat, 100 + i * gap);
    return beat;
}

static void test_newcomer_gets_time(void **state)
{
    (void)state;
    struct heartbeat beat = beat_for(0.2, 0);
    assert_false(heartbeat_missed(&beat, 105));
    assert_true(heartbeat_missed(&beat, 110));
}

static void test_steady_one_is_missed_soon(void **state)
{
    (void)state;
    struct heartbeat soon = beat_for(0.2, 20), later = beat_for(0.2, 200);
    assert_true(heartbeat_patience(&soon) < 3);
    assert_true(heartbeat_patience(&later) < 2 && heartbeat_patience(&later) > 1);
    assert_true(heartbeat_missed(&later, later.last + 2));
}

static void test_irregular_one_is_borne(void **state)
{
    (void)state;
    struct heartbeat beat = beat_for(0.2, 200);
    for (unsigned i = 0; i < 20; i++) heartbeat_arrived(&beat, beat.last + (i % 5 ? 0.2 : 1.5));
    assert_false(heartbeat_missed(&beat, beat.last + 4));
    for (unsigned i = 0; i < 200; i++) heartbeat_arrived(&beat, beat.last + 0.2); /* and forgotten again */
    assert_true(heartbeat_missed(&beat, beat.last + 2));
}

static void test_our_own_absence_is_excused(void **state)
{
    (void)state;
    struct heartbeat beat = beat_for(0.2, 200);
    double patience = heartbeat_patience(&beat);
    heartbeat_excuse(&beat, 60);
    assert_false(heartbeat_missed(&beat, 100 + 200 * 0.2 + 60.5));
    heartbeat_arrived(&beat, 100 + 200 * 0.2 + 60.2);
    assert_true(heartbeat_patience(&beat) <= patience * 1.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newcomer_gets_time),
        cmocka_unit_test(test_steady_one_is_missed_soon),
        cmocka_unit_test(test_irregular_one_is_borne),
        cmocka_unit_test(test_our_own_absence_is_excused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
