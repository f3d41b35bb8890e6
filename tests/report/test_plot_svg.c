#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/plot_svg.h"

static unsigned count(const char *text, const char *part)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) n++;
    return n;
}

static char *drawn(const struct plot_series *series, size_t n, bool from_zero)
{
    struct plot plot = {.title = "a & b",
                        .note = "<note>",
                        .x_label = "x",
                        .y_label = "y",
                        .x_from_zero = from_zero,
                        .y_from_zero = from_zero,
                        .series = series,
                        .n_series = n};
    struct str text = {0};
    plot_svg_write(&text, &plot, 1);
    assert_false(text.failed);
    return str_take(&text);
}

static void test_steps(void **state)
{
    (void)state;
    assert_true(plot_step(30, 6) == 5);
    assert_true(plot_step(31, 6) == 10);
    assert_true(plot_step(6, 6) == 1);
    assert_true(plot_step(9, 6) == 2);
    assert_true(fabs(plot_step(0.12, 6) - 0.02) < 1e-12);
    assert_true(plot_step(1e300, 6) > 1e299);
}

static void test_points(void **state)
{
    (void)state;
    const double x[] = {4, 11, 15, 19}, y[] = {1, 3.8, NAN, 6};
    const struct plot_series series[] = {{.name = "one", .x = x, .y = y, .n = 4},
                                         {.name = "two", .x = x, .y = x, .n = 4, .dashed = true}};
    char *text = drawn(series, 2, true);
    assert_int_equal(count(text, "<circle"), 3);          /* the dashed line has none */
    assert_int_equal(count(text, "stroke-dasharray"), 2); /* the line and its legend */
    assert_non_null(strstr(text, ">a &amp; b</text>"));
    assert_non_null(strstr(text, ">&lt;note&gt;</text>"));
    assert_null(strstr(text, "nan"));
    /* The first point of the measured line: x 4 of 0..20 on 72..696, y 1 of 0..20 on 384..64. */
    assert_non_null(strstr(text, "d=\"M196.8 368.0 L"));
    assert_int_equal(count(text, "L"), 4); /* NaN breaks the first line: one of two strokes is left */
    free(text);
}

static void test_nothing_to_draw(void **state)
{
    (void)state;
    const double none[] = {NAN, INFINITY}, same[] = {5, 5};
    char *text = drawn(NULL, 0, false);
    assert_non_null(strstr(text, "</svg>"));
    free(text);
    text = drawn(&(const struct plot_series){.name = "n", .x = none, .y = none, .n = 2}, 1, true);
    assert_int_equal(count(text, "<circle"), 0);
    free(text);
    text = drawn(&(const struct plot_series){.name = "s", .x = same, .y = same, .n = 2}, 1, false);
    assert_int_equal(count(text, "<circle"), 2);
    assert_null(strstr(text, "nan"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_nothing_to_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
