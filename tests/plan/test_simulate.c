/* Steps on paper against what can be worked out by hand. */
#include "paper.h"

static struct plan_time simulate(enum plan_kind kind, const struct plan_group *groups, uint32_t n,
                                 const struct plan_net *net)
{
    struct plan_platform platform = {groups, n, 0};
    struct plan_time time = {0};
    assert_int_equal(plan_simulate(&time, kind, &platform, net, NULL, NULL), BRAMBLE_OK);
    return time;
}

static void test_one_node(void **state)
{
    (void)state;
    struct plan_group group = paper_group(1, 0.001, 1e6);
    struct plan_net net = paper_net(500, 1e6);
    net.overhead = 20;
    assert_near(simulate(PLAN_RING, &group, 1, &net).seconds, 520 * 0.001);
    assert_near(simulate(PLAN_CENTRAL, &group, 1, &net).seconds, 520 * 0.001);
    assert_near(simulate(PLAN_STALE, &group, 1, &net).seconds, 520 * 0.001);
    assert_near(simulate(PLAN_LOCAL, &group, 1, &net).seconds, 520 * 0.001);
    assert_true(simulate(PLAN_RING, &group, 1, &net).sent == 0);
}

/* Shares of 8 microbatches are one piece each: (n - 1)/n of the gradients there, and as much back. */
static void test_ring_of_equals(void **state)
{
    (void)state;
    struct plan_group group = paper_group(4, 0.001, 1e6);
    struct plan_net net = paper_net(512, 1e5);
    double bytes = 4e5 * 3 / 4;
    struct plan_time time = simulate(PLAN_RING, &group, 1, &net);
    assert_near(time.seconds, 128 * 0.001 + 2 * bytes / 1e6);
    assert_near(time.sent, 4 * 2 * bytes);
    assert_int_equal(time.at_work, 4);
    group.link.latency = 0.01; /* of each of the two exchanges */
    assert_near(simulate(PLAN_RING, &group, 1, &net).seconds, 128 * 0.001 + 2 * bytes / 1e6 + 0.02);
    group.link.latency = 0;
    net.batch = 4 * 16 * 7; /* three pieces each */
    assert_near(simulate(PLAN_RING, &group, 1, &net).seconds, 112 * 0.001 + 4 * bytes / 1e6);
}

/* All gradients meet at one link. */
static void test_central(void **state)
{
    (void)state;
    struct plan_group group = paper_group(4, 0.001, 1e6);
    struct plan_net net = paper_net(512, 1e5);
    struct plan_time time = simulate(PLAN_CENTRAL, &group, 1, &net);
    assert_near(time.seconds, 128 * 0.001 + 2 * 3 * 4e5 / 1e6);
    assert_near(time.sent, 2 * 3 * 4e5);
}

/* The first of two buckets travels while the second is made. */
static void test_overlap(void **state)
{
    (void)state;
    struct plan_group group = paper_group(2, 0.001, 1e6);
    struct plan_net net = paper_net(512, 0);
    net.n_buckets = 2;
    net.buckets[0] = (struct plan_bucket){2e4, 0.5};
    net.buckets[1] = (struct plan_bucket){1e4, 1};
    assert_near(simulate(PLAN_RING, &group, 1, &net).seconds, 0.256 + 4e4 / 1e6);
    net.buckets[0].numbers = 1e5; /* takes longer than what is left of the work */
    assert_near(simulate(PLAN_RING, &group, 1, &net).seconds, 0.128 + 4e5 / 1e6 + 4e4 / 1e6);
}

/* Seven microbatches: four, two and one; the four travel while the others are worked on. */
static void test_pieces_one_after_the_other(void **state)
{
    (void)state;
    struct plan_group group = paper_group(2, 0.001, 1e6);
    struct plan_net net = paper_net(2 * 7 * 16, 5e3);
    net.by_pieces = true;
    assert_near(simulate(PLAN_RING, &group, 1, &net).seconds, 0.112 + 2 * 1e4 / 1e6);
}

/* A processor that sends does not compute meanwhile, if it is the only one. */
static void test_processor(void **state)
{
    (void)state;
    struct plan_group group = paper_group(2, 0.001, 1e12);
    struct plan_net net = paper_net(512, 0);
    group.processors = 1;
    group.byte_seconds = 1e-6;
    net.n_buckets = 2;
    net.buckets[0] = (struct plan_bucket){1e4, 0.5};
    net.buckets[1] = (struct plan_bucket){0, 1};
    double busy = 2 * 2 * 2e4 * 1e-6; /* two exchanges, there and back */
    assert_near(simulate(PLAN_RING, &group, 1, &net).seconds, 0.256 + busy);
    group.processors = 4; /* a quarter of the rate is taken */
    assert_near(simulate(PLAN_RING, &group, 1, &net).seconds, 0.256 + busy / 4);
}

static void test_averages(void **state)
{
    (void)state;
    struct plan_group group = paper_group(4, 0.001, 1e6);
    struct plan_net net = paper_net(512, 1e6);
    double bytes = 4e6 * 3 / 4;
    assert_near(simulate(PLAN_LOCAL, &group, 1, &net).seconds, 0.128 + 2 * bytes / 1e6 / 32);
    assert_near(simulate(PLAN_LOCAL_INT8, &group, 1, &net).seconds,
                0.128 + 2 * bytes / 4 * (1 + 4.0 / 256) / 1e6 / 32);
}

static void test_own_pace(void **state)
{
    (void)state;
    struct plan_group groups[2] = {paper_group(1, 0.001, 1e9), paper_group(2, 0.002, 1e9)};
    struct plan_net net = paper_net(500, 1);
    struct plan_time time = simulate(PLAN_STALE, groups, 2, &net);
    assert_true(fabs(1 / time.seconds - (2 + 2 * 1)) < 0.01); /* batches a second */
    net = paper_net(500, 1e9); /* gradients that the first one's link lets through once in 4 s */
    time = simulate(PLAN_STALE, groups, 2, &net);
    assert_true(1 / time.seconds <= 2 + 1 / 4.0 + 0.01);
}

static void test_pipeline(void **state)
{
    (void)state;
    struct plan_group groups[2] = {paper_group(1, 1, 1e6), paper_group(1, 1, 1e6)};
    struct plan_stages stages = {.n = 2, .groups = 8, .members = {0, 1}, .seconds = {0.3, 0.2}};
    struct plan_platform platform = {groups, 2, 0};
    struct plan_net net = paper_net(512, 1);
    struct plan_time time;
    assert_int_equal(plan_simulate(&time, PLAN_PIPELINE, &platform, &net, &stages, NULL), BRAMBLE_OK);
    assert_near(time.seconds, 7 * 0.3 + 0.5);
    stages.bytes[0] = 4e5; /* the wire is slower than either */
    assert_int_equal(plan_simulate(&time, PLAN_PIPELINE, &platform, &net, &stages, NULL), BRAMBLE_OK);
    assert_near(time.seconds, 7 * 0.4 + 0.8);
    assert_int_equal(plan_simulate(&time, PLAN_PIPELINE, &platform, &net, NULL, NULL),
                     BRAMBLE_ERR_UNSUPPORTED);
}

static struct plan_group drawn_group(uint32_t *draws)
{
    struct plan_group group = paper_group(1 + (uint32_t)(paper_draw(draws) * 6),
                                          1e-4 + 0.01 * paper_draw(draws), 1e5 + 1e7 * paper_draw(draws));
    group.byte_seconds = 1e-8 * paper_draw(draws);
    group.message_seconds = 1e-4 * paper_draw(draws);
    group.processors = 0.2 + 4 * paper_draw(draws);
    group.link.latency = 1e-3 * paper_draw(draws);
    return group;
}

/* What is sent is received, and no step is shorter than its work or its wires allow. */
static void test_conservation(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 200; seed++) {
        uint32_t draws = seed * 104729;
        struct plan_group groups[3] = {drawn_group(&draws), drawn_group(&draws), drawn_group(&draws)};
        struct plan_net net = paper_net(16 * (1 + (uint32_t)(paper_draw(&draws) * 128)), 0);
        net.by_pieces = seed % 2;
        net.n_buckets = 3;
        for (uint32_t b = 0; b < 3; b++)
            net.buckets[b] = (struct plan_bucket){1e3 + 1e5 * paper_draw(&draws), (b + 1) / 3.0};
        for (enum plan_kind kind = PLAN_RING; kind <= PLAN_LOCAL_INT8; kind++) {
            struct plan_time time = simulate(kind, groups, 3, &net);
            assert_true(time.seconds > 0 && isfinite(time.seconds));
            assert_near(time.sent, time.received);
            if (kind != PLAN_STALE) assert_true(time.seconds >= time.work * (1 - 1e-9));
        }
    }
}

/* A group is what its nodes are one by one. */
static void test_groups(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 100; seed++) {
        uint32_t draws = seed * 15485863;
        struct plan_group group = drawn_group(&draws), single[8];
        struct plan_net net = paper_net(16 * (1 + (uint32_t)(paper_draw(&draws) * 64)), 1e5);
        uint32_t n = group.n;
        for (uint32_t i = 0; i < n; i++) {
            single[i] = group;
            single[i].n = 1;
        }
        if ((net.batch / 16) % n) continue; /* a rest could go to others */
        for (enum plan_kind kind = PLAN_RING; kind <= PLAN_LOCAL_INT8; kind++)
            assert_near(simulate(kind, &group, 1, &net).seconds, simulate(kind, single, n, &net).seconds);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    struct plan_group group = paper_group(4, 1e-3, 1e9);
    struct plan_platform platform = {&group, 1, 0};
    struct plan_net net = paper_net(512, 1e6);
    enum plan_bound bound;
    assert_int_equal(plan_bound_of(&bound, PLAN_RING, &platform, &net, NULL, NULL), BRAMBLE_OK);
    assert_int_equal(bound, PLAN_BY_WORK);
    group.link.up = group.link.down = 1e6;
    assert_int_equal(plan_bound_of(&bound, PLAN_RING, &platform, &net, NULL, NULL), BRAMBLE_OK);
    assert_int_equal(bound, PLAN_BY_WIRE);
    group.link = (struct plan_link){1e9, 1e9, 1};
    assert_int_equal(plan_bound_of(&bound, PLAN_RING, &platform, &net, NULL, NULL), BRAMBLE_OK);
    assert_int_equal(bound, PLAN_BY_LATENCY);
    group.link.latency = 0;
    group.byte_seconds = 1e-6;
    assert_int_equal(plan_bound_of(&bound, PLAN_RING, &platform, &net, NULL, NULL), BRAMBLE_OK);
    assert_int_equal(bound, PLAN_BY_PROCESSOR);
}

static void test_forest(void **state)
{
    (void)state;
    struct plan_group groups[2] = {paper_group(1, 1, 1e9), paper_group(10000, 1, 1e9)};
    struct plan_platform one = {groups, 1, 0}, all = {groups, 2, 0};
    struct plan_forest forest = {.trees = 100, .tree_bytes = 1e4, .data_bytes = 1e6};
    assert_near(plan_simulate_forest(&one, &forest).seconds, 100);
    struct plan_time time = plan_simulate_forest(&all, &forest);
    assert_near(time.seconds, 100); /* done before the others are there */
    groups[1].n = 3;
    forest.trees = 4000;
    time = plan_simulate_forest(&all, &forest);
    assert_true(time.seconds > 1000 && time.seconds < 1005);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_node),
        cmocka_unit_test(test_ring_of_equals),
        cmocka_unit_test(test_central),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_pieces_one_after_the_other),
        cmocka_unit_test(test_processor),
        cmocka_unit_test(test_averages),
        cmocka_unit_test(test_own_pace),
        cmocka_unit_test(test_pipeline),
        cmocka_unit_test(test_conservation),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_forest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
