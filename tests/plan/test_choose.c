/* Which nodes a plan takes, and which it leaves out. */
#include "base/mem.h"
#include "paper.h"
#include "plan/choose.h"

static double best(const struct plan_group *groups, uint32_t n, enum plan_kind kind,
                   const struct plan_net *net)
{
    struct plan_platform platform = {groups, n, 0};
    struct plan_choice choice;
    assert_int_equal(plan_choose(&choice, kind, &platform, net, NULL, NULL), BRAMBLE_OK);
    double seconds = choice.time.seconds;
    assert_true(choice.low <= seconds * 1.0001 && seconds <= choice.high * 1.0001);
    plan_choice_fini(&choice);
    return seconds;
}

/* A further node is never worse than none. */
static void test_more_is_never_worse(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 60; seed++) {
        uint32_t draws = seed * 32452843;
        struct plan_group groups[5];
        struct plan_net net = paper_net(512, 1e5);
        net.by_pieces = seed % 2;
        for (uint32_t g = 0; g < 5; g++) {
            groups[g] = paper_group(1, 1e-4 + 0.01 * paper_draw(&draws), 1e5 + 1e7 * paper_draw(&draws));
            groups[g].processors = 0.2 + 4 * paper_draw(&draws);
            groups[g].byte_seconds = 1e-7 * paper_draw(&draws);
            groups[g].link.latency = 1e-3 * paper_draw(&draws);
        }
        for (enum plan_kind kind = PLAN_RING; kind <= PLAN_LOCAL_INT8; kind++) {
            double before = INFINITY;
            for (uint32_t n = 1; n <= 5; n++) {
                double seconds = best(groups, n, kind, &net);
                if (seconds > before / 0.998) fail_msg("%g, and %g with one more", before, seconds);
                before = seconds;
            }
        }
    }
}

static void test_slow_link_is_left_out(void **state)
{
    (void)state;
    struct plan_group groups[2] = {paper_group(4, 0.001, 1e8), paper_group(1, 0.001, 1e4)};
    struct plan_platform platform = {groups, 2, 0};
    struct plan_net net = paper_net(512, 1e5);
    struct plan_choice choice;
    assert_int_equal(plan_choose(&choice, PLAN_RING, &platform, &net, NULL, NULL), BRAMBLE_OK);
    assert_int_equal(choice.used[0], 4);
    assert_int_equal(choice.used[1], 0);
    assert_int_equal(choice.reasons[0], PLAN_TAKES_PART);
    assert_int_equal(choice.reasons[1], PLAN_HINDERS);
    plan_choice_fini(&choice);
}

static void test_memory(void **state)
{
    (void)state;
    struct plan_group groups[2] = {paper_group(1, 0.001, 1e8), paper_group(3, 0.001, 1e8)};
    struct plan_platform platform = {groups, 2, 0};
    struct plan_net net = paper_net(512, 1e3);
    struct plan_choice choice;
    net.data_bytes = 5e8;
    groups[1].memory = 4e8;
    assert_int_equal(plan_choose(&choice, PLAN_RING, &platform, &net, NULL, NULL), BRAMBLE_OK);
    assert_int_equal(choice.used[0], 1);
    assert_int_equal(choice.reasons[1], PLAN_NO_MEMORY);
    plan_choice_fini(&choice);
    groups[0].memory = 4e8;
    assert_int_equal(plan_choose(&choice, PLAN_RING, &platform, &net, NULL, NULL), BRAMBLE_ERR_UNSUPPORTED);
}

/* Of ten thousand about as many as have a microbatch each: messages of more would take longer than gradients.
 */
static void test_many(void **state)
{
    (void)state;
    struct plan_group group = paper_group(10000, 0.001, 1e8);
    struct plan_platform platform = {&group, 1, 0};
    struct plan_net net = paper_net(2048, 1e5);
    struct plan_choice choice;
    group.message_seconds = 1e-5;
    group.spread = 0.2;
    assert_int_equal(plan_choose(&choice, PLAN_RING, &platform, &net, NULL, NULL), BRAMBLE_OK);
    assert_true(choice.used[0] >= 32 && choice.used[0] <= 200);
    assert_true(choice.low < choice.time.seconds && choice.time.seconds < choice.high);
    plan_choice_fini(&choice);
}

/* A link so slow that each of many nodes less makes it slower, and none at all fastest. */
static void test_many_that_do_not_pay(void **state)
{
    (void)state;
    struct plan_group groups[3] = {paper_group(1, 0.001, 1e8), paper_group(2, 0.001, 1e4),
                                   paper_group(9000, 0.002, 1e4)};
    struct plan_platform platform = {groups, 3, 0};
    struct plan_net net = paper_net(128, 1e5);
    struct plan_choice choice;
    for (enum plan_kind kind = PLAN_RING; kind <= PLAN_CENTRAL; kind++) {
        assert_int_equal(plan_choose(&choice, kind, &platform, &net, NULL, NULL), BRAMBLE_OK);
        assert_near(choice.time.seconds, 0.128);
        assert_true(choice.used[0] == 1 && choice.used[1] == 0 && choice.used[2] == 0);
        assert_true(choice.hindrances[1].seconds > 0.128);
        assert_int_equal(choice.hindrances[1].bound, PLAN_BY_WIRE);
        plan_choice_fini(&choice);
    }
}

/* Members that compute more slowly than alone: on paper one that helps by less than that is left out. */
static void test_together(void **state)
{
    (void)state;
    struct plan_group groups[2] = {paper_group(1, 0.001, 1e12), paper_group(1, 0.02, 1e12)};
    struct plan_platform platform = {groups, 2, 0};
    struct plan_net net = paper_net(512, 1);
    struct plan_choice choice;
    assert_int_equal(plan_choose(&choice, PLAN_RING, &platform, &net, NULL, NULL), BRAMBLE_OK);
    assert_int_equal(choice.used[1], 1);
    plan_choice_fini(&choice);
    net.together = 1.12;
    assert_int_equal(plan_choose(&choice, PLAN_RING, &platform, &net, NULL, NULL), BRAMBLE_OK);
    assert_int_equal(choice.used[1], 0);
    plan_choice_fini(&choice);
}

/* Trees: all nodes that help; one that the data do not reach in time does not. */
static void test_forest(void **state)
{
    (void)state;
    struct plan_group groups[2] = {paper_group(4, 0, 1e8), paper_group(1, 0, 1e8)}; /* a second a tree */
    struct plan_platform platform = {groups, 2, 0};
    struct plan_forest forest = {.trees = 1000, .tree_bytes = 1e3, .data_bytes = 1e6};
    struct plan_choice choice;
    assert_int_equal(plan_choose_forest(&choice, &platform, &forest, NULL), BRAMBLE_OK);
    assert_int_equal(choice.used[0] + choice.used[1], 5);
    assert_true(choice.time.seconds > 0.2 && choice.time.seconds < 0.21);
    plan_choice_fini(&choice);
    groups[1].link.up = groups[1].link.down = 1e3;
    assert_int_equal(plan_choose_forest(&choice, &platform, &forest, NULL), BRAMBLE_OK);
    assert_int_equal(choice.used[1], 0);
    assert_int_equal(choice.reasons[1], PLAN_HINDERS);
    plan_choice_fini(&choice);
    groups[0].memory = groups[1].memory = 1e5;
    assert_int_equal(plan_choose_forest(&choice, &platform, &forest, NULL), BRAMBLE_ERR_UNSUPPORTED);
}

static void test_memory_runs_out(void **state)
{
    (void)state;
#ifdef BRAMBLE_FAULT_INJECTION
    struct plan_group groups[2] = {paper_group(1, 0.001, 1e8), paper_group(3, 0.001, 1e8)};
    struct plan_platform platform = {groups, 2, 0};
    struct plan_net net = paper_net(512, 1e3);
    struct plan_choice choice;
    bramble_status status = BRAMBLE_ERR_MEMORY;
    for (size_t n = 1; status && n < 1000; n++) {
        mem_fail_at(n, 0);
        status = plan_choose(&choice, PLAN_RING, &platform, &net, NULL, NULL);
        mem_fail_at(0, 0);
        if (status) assert_int_equal(status, BRAMBLE_ERR_MEMORY);
    }
    assert_int_equal(status, BRAMBLE_OK);
    plan_choice_fini(&choice);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_more_is_never_worse),
        cmocka_unit_test(test_slow_link_is_left_out),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_many_that_do_not_pay),
        cmocka_unit_test(test_together),
        cmocka_unit_test(test_forest),
        cmocka_unit_test(test_memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
