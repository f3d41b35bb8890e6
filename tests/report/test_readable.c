#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/readable.h"

static void test_counts(void **state)
{
    (void)state;
    assert_string_equal(readable_count(0).text, "0");
    assert_string_equal(readable_count(999).text, "999");
    assert_string_equal(readable_count(1000).text, "1,000");
    assert_string_equal(readable_count(1234567).text, "1,234,567");
    assert_string_equal(readable_items(1, "row", "rows").text, "1 row");
    assert_string_equal(readable_items(1234, "row", "rows").text, "1,234 rows");
    assert_string_equal(readable_count(UINT64_MAX).text, "18,446,744,073,709,551,615");
}

static void test_bytes(void **state)
{
    (void)state;
    assert_string_equal(readable_bytes(0).text, "0 bytes");
    assert_string_equal(readable_bytes(1).text, "1 byte");
    assert_string_equal(readable_bytes(999).text, "999 bytes");
    assert_string_equal(readable_bytes(1000).text, "1.0 kB");
    assert_string_equal(readable_bytes(47040000).text, "47.0 MB");
    assert_string_equal(readable_bytes(999960000).text, "1.0 GB");
    assert_string_equal(readable_bytes(1e21).text, "1000000.0 PB");
}

static void test_seconds(void **state)
{
    (void)state;
    assert_string_equal(readable_seconds(0).text, "0.0 ms");
    assert_string_equal(readable_seconds(NAN).text, "0.0 ms");
    assert_string_equal(readable_seconds(0.045).text, "45 ms");
    assert_string_equal(readable_seconds(0.9996).text, "1.0 s");
    assert_string_equal(readable_seconds(3.21).text, "3.2 s");
    assert_string_equal(readable_seconds(59.97).text, "1 min 00 s");
    assert_string_equal(readable_seconds(125.2).text, "2 min 05 s");
    assert_string_equal(readable_seconds(3725).text, "1 h 02 min");
    assert_string_equal(readable_seconds(1e7).text, "2777 h 46 min");
}

static void test_other_numbers(void **state)
{
    (void)state;
    assert_string_equal(readable_percent(0.87714).text, "87.71 %");
    assert_string_equal(readable_percent(NAN).text, "-");
    assert_string_equal(readable_number(534.2).text, "534.2");
    assert_string_equal(readable_number(NAN).text, "-");
    assert_string_equal(readable_rate(0.25).text, "0.25");
    assert_string_equal(readable_rate(21.34).text, "21.3");
    assert_string_equal(readable_rate(12345.6).text, "12,346");
    assert_string_equal(readable_rate(INFINITY).text, "inf");
}

static void test_names_are_cut_by_characters(void **state)
{
    (void)state;
    assert_string_equal(readable_name("caf\xc3\xa9", 4).text, "caf\xc3\xa9");
    assert_string_equal(readable_name("caf\xc3\xa9s", 4).text, "ca..");
    assert_string_equal(readable_name("abcdef", 1).text, ".");
    assert_string_equal(readable_name("abcdef", 0).text, "");
    assert_string_equal(readable_name("", 5).text, "");
    assert_int_equal(readable_columns("caf\xc3\xa9"), 4);
    char long_name[200];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    assert_int_equal(strlen(readable_name(long_name, 1000).text), READABLE_COLUMNS_MAX);
}

/* Escape sequences and the like must not reach a terminal. */
static void test_names_are_harmless(void **state)
{
    (void)state;
    assert_string_equal(readable_name("a\033[31mb", 20).text, "a?[31mb");
    assert_string_equal(readable_name("a\nb\x7f", 20).text, "a?b?");
    assert_string_equal(readable_name("\xc2\x9b", 20).text, "?");        /* CSI, in one character */
    assert_string_equal(readable_name("\xe2\x80\xae", 20).text, "?");    /* right to left from here */
    assert_string_equal(readable_name("\xff", 20).text, "\xef\xbf\xbd"); /* no UTF-8 */
}

static void test_long_text_is_harmless_too(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    readable_write(out, "a\nb\033c", true);
    readable_write(out, "a\nb", false);
    fclose(out);
    assert_string_equal(text, "a\nb?ca?b");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_other_numbers),
        cmocka_unit_test(test_names_are_cut_by_characters),
        cmocka_unit_test(test_names_are_harmless),
        cmocka_unit_test(test_long_text_is_harmless_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
