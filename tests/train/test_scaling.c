/* The arithmetic of scaling tables, on the paper's own figures among others. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "train/scaling.h"

enum { PAPER_ROWS = 6 };

static void near(double a, double b, double within)
{
    if (!(fabs(a - b) <= within)) fail_msg("%.6f is not %.6f", a, b);
}

static void check_text(const char *const *names, size_t n, size_t n_all, const char *expected)
{
    char *text = scaling_cluster_text(names, n, n_all);
    assert_string_equal(text, expected);
    mem_free(text);
}

static void test_cluster_text(void **state)
{
    (void)state;
    const char *const lab[] = {"pi4-1", "desktop", "pi4-2", "pi4-3", "laptop"};
    check_text(lab, 1, 5, "1 pi4");
    check_text(lab, 2, 5, "1 pi4 + 1 desktop");
    check_text(lab, 5, 5, "3 pi4 + 1 desktop + 1 laptop");
    const char *const home[] = {"pi1", "pi2", "mac", "192.168.1.7", "7", "x2"};
    check_text(home, 1, 6, "1 pi");
    check_text(home, 6, 6, "2 pi + 1 mac + 1 192.168.1 + 1 7 + 1 x2");
    const char *const alone[] = {"pi4", "pi"};
    check_text(alone, 2, 2, "1 pi4 + 1 pi");
}

static void test_rate(void **state)
{
    (void)state;
    struct scaling_course course = {0};
    double rate = -1;
    assert_true(scaling_course_add(&course, 0.5, 0));
    assert_int_equal(course.n, 0);
    for (int i = 0; i < 200; i++) assert_true(scaling_course_add(&course, 2.5 + i, (uint32_t)(1 + 4 * i)));
    assert_true(scaling_course_add(&course, 1000, 797));
    assert_int_equal(course.n, 200);
    assert_true(scaling_rate(&course, &rate));
    near(rate, 4, 1e-9);
    scaling_course_fini(&course);
    assert_true(scaling_course_add(&course, 1, 1));
    assert_true(scaling_course_add(&course, 2, 2));
    assert_false(scaling_rate(&course, &rate));
    scaling_course_fini(&course);
}

/* Table I: what follows from its times and cores is what it prints; the desktop is what its first two rows
 * make of it, so the second row's efficiency is 1. */
static void test_paper(void **state)
{
    (void)state;
    static const double seconds[PAPER_ROWS] = {901, 237, 181, 152, 134, 124};
    static const double scalability[PAPER_ROWS] = {1, 1.382432, 1.327440, 1.247922, 1.169371, 0.968817};
    static const double ideal[PAPER_ROWS] = {901, 327.636, 240.267, 189.684, 156.696, 120.133};
    static const double efficiency[PAPER_ROWS] = {1, 1, 1.04, 1.02, 0.99, 0.76};
    static const uint32_t cores[PAPER_ROWS] = {4, 11, 15, 19, 23, 30};
    static const double speed[PAPER_ROWS] = {1, 2.8, 1, 1, 1, 2.8};
    bramble_scaling_node nodes[PAPER_ROWS] = {0};
    bramble_scaling_row rows[PAPER_ROWS] = {0};
    bramble_scaling scaling = {.trees = 901, .n_nodes = PAPER_ROWS, .nodes = nodes, .rows = rows};
    for (int k = 0; k < PAPER_ROWS; k++) {
        nodes[k].trees_per_second = speed[k];
        rows[k] = (bramble_scaling_row){.cores = cores[k],
                                        .seconds = seconds[k],
                                        .parts_seconds = scaling_parts_seconds(nodes, k + 1, scaling.trees)};
    }
    scaling_work_out(&scaling);
    for (int k = 0; k < PAPER_ROWS; k++) {
        near(rows[k].scalability, scalability[k], 1e-5);
        near(rows[k].ideal_seconds, ideal[k], 1e-3);
        near(rows[k].speedup, 901 / seconds[k], 1e-9);
        near(rows[k].efficiency, efficiency[k], 0.0105);
    }
    near(nodes[1].seconds, 901 / 2.8, 1e-9);
}

static void check_medians(size_t n_rounds, const double *seconds, double expected)
{
    bramble_scaling_node nodes[5] = {0};
    bramble_scaling_row rows[5] = {0};
    bramble_scaling rounds[5];
    for (size_t r = 0; r < n_rounds; r++) {
        nodes[r] = (bramble_scaling_node){.trees_per_second = seconds[r]};
        rows[r] = (bramble_scaling_row){.cores = 4, .seconds = seconds[r], .efficiency = -seconds[r]};
        rounds[r] = (bramble_scaling){.trees = 1, .n_nodes = 1, .nodes = &nodes[r], .rows = &rows[r]};
    }
    scaling_take_medians(rounds, n_rounds);
    near(rows[0].seconds, expected, 1e-12);
    near(rows[0].ideal_seconds, expected, 1e-12);
    near(rows[0].efficiency, -expected, 1e-12);
    near(nodes[0].trees_per_second, expected, 1e-12);
}

static void test_medians(void **state)
{
    (void)state;
    check_medians(1, (const double[]){3}, 3);
    check_medians(3, (const double[]){9, 2, 5}, 5);
    check_medians(4, (const double[]){1, 1, 2, 3}, 1.5);
    check_medians(5, (const double[]){4, 4, 4, 1, 7}, 4);
}

static void test_idle_in_any_round(void **state)
{
    (void)state;
    bramble_scaling_node nodes[2] = {{.trees_per_second = 1}, {.trees_per_second = 1}};
    bramble_scaling_row rows[2] = {{.cores = 1, .seconds = 1}, {.cores = 1, .seconds = 1}};
    bramble_scaling rounds[2] = {{.trees = 1, .n_nodes = 1, .nodes = &nodes[0], .rows = &rows[0]},
                                 {.trees = 1, .n_nodes = 1, .nodes = &nodes[1], .rows = &rows[1]}};
    char name[] = "pi4-2";
    rows[1].idle = name;
    scaling_take_medians(rounds, 2);
    assert_ptr_equal(rows[0].idle, name); /* one owner */
    assert_null(rows[1].idle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cluster_text),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_paper),
        cmocka_unit_test(test_medians),
        cmocka_unit_test(test_idle_in_any_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
