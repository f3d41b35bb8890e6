/* Shares of groups against shares of single nodes (train/shares.h). */
#include "paper.h"
#include "plan/spread.h"
#include "train/shares.h"

enum { GROUPS = 5, NODES = 64 };

static double slowest(const double *seconds, const uint32_t *shares, uint32_t n)
{
    double most = 0;
    for (uint32_t m = 0; m < n; m++)
        if (seconds[m] * shares[m] > most) most = seconds[m] * shares[m];
    return most;
}

static uint32_t nodes_of(const struct plan_class *classes, uint32_t k)
{
    uint32_t n = 0;
    for (uint32_t c = 0; c < k; c++) n += classes[c].n;
    return n;
}

static uint32_t microbatches_of(const struct plan_class *classes, uint32_t k)
{
    uint32_t microbatches = 0;
    for (uint32_t c = 0; c < k; c++) microbatches += classes[c].n * classes[c].share;
    return microbatches;
}

static double slowest_class(const struct plan_class *classes, uint32_t k, const double *seconds)
{
    double most = 0;
    for (uint32_t c = 0; c < k; c++)
        if (classes[c].share * seconds[classes[c].group] > most)
            most = classes[c].share * seconds[classes[c].group];
    return most;
}

static void test_like_single_nodes(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 300; seed++) {
        uint32_t draws = seed * 7919, n_groups = 1 + seed % GROUPS, nodes[GROUPS], shares[NODES], n = 0;
        double seconds[GROUPS], single[NODES];
        for (uint32_t g = 0; g < n_groups; g++) {
            nodes[g] = 1 + (uint32_t)(paper_draw(&draws) * 9);
            seconds[g] = 0.01 + paper_draw(&draws);
            for (uint32_t i = 0; i < nodes[g]; i++) single[n++] = seconds[g];
        }
        uint32_t microbatches = (uint32_t)(paper_draw(&draws) * 100);
        uint32_t first = (uint32_t)(paper_draw(&draws) * n_groups);
        struct plan_class classes[2 * GROUPS + 1];
        uint32_t k = plan_spread(classes, seconds, nodes, n_groups, first, microbatches);
        shares_divide(shares, single, n, microbatches);
        assert_int_equal(microbatches_of(classes, k), microbatches);
        assert_int_equal(nodes_of(classes, k), n);
        assert_int_equal(classes[0].n, 1);
        assert_int_equal(classes[0].group, first);
        assert_near(slowest_class(classes, k, seconds), slowest(single, shares, n));
    }
}

static void test_ten_thousand(void **state)
{
    (void)state;
    struct plan_class classes[3];
    uint32_t k = plan_spread(classes, (double[]){0.5}, (uint32_t[]){10000}, 1, 0, 32);
    uint32_t with = 0, without = 0;
    for (uint32_t c = 0; c < k; c++) *(classes[c].share ? &with : &without) += classes[c].n;
    assert_int_equal(with, 32);
    assert_int_equal(without, 10000 - 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_like_single_nodes),
                                       cmocka_unit_test(test_ten_thousand)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
