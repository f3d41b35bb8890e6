#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/text_chart.h"

static char *drawn(const struct chart_line *lines, size_t n, unsigned columns, unsigned rows)
{
    struct str text = {0};
    text_chart_write(&text, lines, n, columns, rows);
    assert_false(text.failed);
    return str_take(&text);
}

static void test_a_falling_line(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3}, y[] = {3, 2, 1};
    char *text = drawn(&(const struct chart_line){'a', x, y, 3}, 1, 5, 3);
    assert_string_equal(text, "        3 |a\n"
                              "          |  a\n"
                              "        1 |    a\n"
                              "           1   3\n");
    free(text);
}

static void test_lines_that_meet(void **state)
{
    (void)state;
    const double x[] = {1, 2}, a[] = {0, 1}, b[] = {1, 1};
    const struct chart_line lines[] = {{'a', x, a, 2}, {'b', x, b, 2}};
    char *text = drawn(lines, 2, 3, 2);
    assert_string_equal(text, "        1 |b *\n"
                              "        0 |a\n"
                              "           1 2\n");
    free(text);
}

static void test_points_that_are_none(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3}, y[] = {NAN, 7, INFINITY}, none[] = {NAN, NAN, NAN};
    char *text = drawn(&(const struct chart_line){'a', x, y, 3}, 1, 4, 2);
    assert_string_equal(text, "          |\n"
                              "        7 |a\n"
                              "           2\n");
    free(text);
    struct str nothing = {0};
    text_chart_write(&nothing, &(const struct chart_line){'a', x, none, 3}, 1, 4, 2);
    assert_int_equal(nothing.length, 0);
    str_fini(&nothing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_falling_line),
        cmocka_unit_test(test_lines_that_meet),
        cmocka_unit_test(test_points_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
