/* Weights drawn anew: from the right range, evenly, and each from its own name alone. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/initialise.h"

enum { N = 20001 };

static uint32_t add(struct net_graph *graph, const char *name, enum net_kind kind, enum net_filler filler,
                    uint32_t fan_in)
{
    static const float sevens[N] = {7, 7, 7};
    uint32_t out = NET_NONE;
    bramble_error error = {0};
    struct net_value_new value = {.name = name,
                                  .kind = kind,
                                  .shape = {1, {N}},
                                  .numbers = kind == NET_CONSTANT ? sevens : NULL,
                                  .filler = filler,
                                  .fan_in = fan_in};
    if (graph_add_value(graph, &value, &out, &error)) fail_msg("%s", error.message);
    return out;
}

static double moment(const float *x, int power)
{
    double sum = 0;
    for (int i = 0; i < N; i++) sum += pow(x[i], power);
    return sum / N;
}

static void test_uniform(void **state)
{
    (void)state;
    struct net_graph graph;
    graph_init(&graph);
    uint32_t v = add(&graph, "w", NET_PARAMETER, NET_FILL_KAIMING, 100);
    uint32_t u = add(&graph, "r", NET_PARAMETER, NET_FILL_RECURRENT, 4);
    weights_draw(&graph, 1);
    const float *x = graph_numbers(&graph, v), *y = graph_numbers(&graph, u);
    float least = 1, most = -1;
    for (int i = 0; i < N; i++) {
        assert_true(fabsf(x[i]) <= 0.1f && fabsf(y[i]) <= 0.5f);
        least = fminf(least, x[i]);
        most = fmaxf(most, x[i]);
    }
    assert_true(least < -0.0999f && most > 0.0999f);
    assert_true(fabs(moment(x, 1)) < 0.1 * 4 / sqrt(3 * N));
    assert_true(fabs(moment(x, 2) / (0.01 / 3) - 1) < 0.03);
    assert_true(fabs(moment(y, 2) / (0.25 / 3) - 1) < 0.03);
    graph_fini(&graph);
}

static void test_normal(void **state)
{
    (void)state;
    struct net_graph graph;
    graph_init(&graph);
    uint32_t v = add(&graph, "words", NET_PARAMETER, NET_FILL_NORMAL, 0);
    weights_draw(&graph, 1);
    const float *x = graph_numbers(&graph, v);
    assert_true(fabs(moment(x, 1)) < 0.03);
    assert_true(fabs(moment(x, 2) - 1) < 0.05);
    assert_true(fabs(moment(x, 3)) < 0.15);
    assert_true(fabs(moment(x, 4) - 3) < 0.3);
    double together = 0; /* a pair's two are independent */
    for (int i = 0; i + 1 < N; i += 2) together += x[i] * x[i + 1];
    assert_true(fabs(together / (N / 2)) < 0.04);
    assert_true(x[N - 1] != 0); /* the odd one */
    graph_fini(&graph);
}

static void test_constants(void **state)
{
    (void)state;
    struct net_graph graph;
    graph_init(&graph);
    uint32_t zero = add(&graph, "mean", NET_STATE, NET_FILL_ZERO, 0);
    uint32_t one = add(&graph, "scale", NET_PARAMETER, NET_FILL_ONE, 0);
    uint32_t constant = add(&graph, "c", NET_CONSTANT, NET_FILL_ONE, 0);
    graph_numbers(&graph, zero)[3] = 5;
    weights_draw(&graph, 1);
    assert_true(graph_numbers(&graph, zero)[3] == 0);
    assert_true(graph_numbers(&graph, one)[N - 1] == 1);
    assert_true(graph_numbers(&graph, constant)[2] == 7);
    graph_fini(&graph);
}

/* The same name and seed, the same numbers, whatever else there is; else others. */
static void test_by_name(void **state)
{
    (void)state;
    struct net_graph one, two;
    graph_init(&one);
    graph_init(&two);
    uint32_t v = add(&one, "w", NET_PARAMETER, NET_FILL_KAIMING, 1);
    uint32_t other = add(&two, "other", NET_PARAMETER, NET_FILL_KAIMING, 1);
    uint32_t w = add(&two, "w", NET_PARAMETER, NET_FILL_KAIMING, 1);
    weights_draw(&one, 9);
    weights_draw(&two, 9);
    assert_memory_equal(graph_numbers(&one, v), graph_numbers(&two, w), N * sizeof(float));
    assert_memory_not_equal(graph_numbers(&two, other), graph_numbers(&two, w), N * sizeof(float));
    weights_draw(&two, 10);
    assert_memory_not_equal(graph_numbers(&one, v), graph_numbers(&two, w), N * sizeof(float));
    graph_fini(&one);
    graph_fini(&two);
}

/* These numbers are part of what a seed means. */
static void test_stays_the_same(void **state)
{
    (void)state;
    struct net_graph graph;
    graph_init(&graph);
    uint32_t v = add(&graph, "dense1.weight", NET_PARAMETER, NET_FILL_KAIMING, 1);
    uint32_t n = add(&graph, "embedding1.weight", NET_PARAMETER, NET_FILL_NORMAL, 1);
    weights_draw(&graph, 42);
    const float *x = graph_numbers(&graph, v), *y = graph_numbers(&graph, n);
    if (x[0] != -0x1.aa14ecp-3f || x[1] != -0x1.b757a8p-7f || y[0] != -0x1.089d22p-2f ||
        y[1] != 0x1.79489ep-4f)
        fail_msg("%a %a %a %a", (double)x[0], (double)x[1], (double)y[0], (double)y[1]);
    graph_fini(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uniform),        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_constants),      cmocka_unit_test(test_by_name),
        cmocka_unit_test(test_stays_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
