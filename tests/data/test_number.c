/* Numbers as text: against the C library where it is right, against the rules where it is too lenient. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/number.h"

static uint64_t state = 88172645463325252u;

static uint32_t next(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 20) % n);
}

static void same_as_library(const char *text)
{
    double value = -7, expected = strtod(text, NULL);
    if (!number_parse(text, strlen(text), &value)) fail_msg("\"%s\" refused", text);
    if (memcmp(&value, &expected, sizeof value) != 0)
        fail_msg("\"%s\": %.17g instead of %.17g", text, value, expected);
}

static size_t put_digits(char *to, uint32_t most)
{
    uint32_t n = next(most + 1);
    for (uint32_t i = 0; i < n; i++) to[i] = (char)('0' + next(10));
    return n;
}

static void random_numbers_round_correctly(void **s)
{
    (void)s;
    for (int i = 0; i < 300000; i++) {
        char text[100];
        uint32_t most = i % 3 == 0 ? 25 : 9;
        size_t n = 0;
        if (next(2)) text[n++] = "+-"[next(2)];
        size_t before = n;
        n += put_digits(text + n, most);
        if (n == before) text[n++] = '0';
        if (next(3)) {
            text[n++] = '.';
            n += put_digits(text + n, most);
        }
        text[n] = 0;
        if (next(4) == 0) sprintf(text + n, "%c%d", "eE"[next(2)], (int)next(700) - 350);
        if (next(4) == 0 && !strpbrk(text, "eE")) sprintf(text + n, "e%d", (int)next(60) - 30);
        same_as_library(text);
    }
}

static void doubles_come_back(void **s)
{
    (void)s;
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = (uint64_t)next(1u << 31) << 33 ^ (uint64_t)next(1u << 31) << 11 ^ next(1u << 11);
        double value, again;
        memcpy(&value, &bits, sizeof value);
        if (i % 2) value = (double)next(1u << 30) / (double)(1u + next(1u << 30));
        if (!isfinite(value)) continue;
        char text[40];
        snprintf(text, sizeof text, "%.17g", value);
        same_as_library(text);
        number_print(value, text);
        assert_true(number_parse(text, strlen(text), &again));
        assert_true(again == value);
    }
}

/* Halfway cases, subnormals, the edges of every road through the code. */
static void hard_numbers_round_correctly(void **s)
{
    (void)s;
    static const char *const texts[] = {
        "9007199254740993",
        "9007199254740992.5",
        "9007199254740991.5",
        "0.500000000000000166533453693773481063",
        "1.00000000000000011102230246251565404236316680908203125",
        "9999999999999999999",
        "18446744073709551615",
        "1844674407370955161.6",
        "0.1844674407370955161",
        "5e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.2250738585072011e-308",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "1e22",
        "1e23",
        "123456789012345678e-19",
        "0.00000000000000000001",
        "1e-22",
        "9007199254740993e-22",
        "00000000000000000000000001.5",
        "0.0000000000000000000000000000000000000001",
        "-0",
        "-0.0e5",
        "0e999999999",
        "1e-999999999",
        "1234567.0",
        "12345678.0",
        "123456789.0",
        "1.1234567",
        "1.12345678",
        "1.123456789",
        "8.5",
        "4503599627370497.5",
        "4503599627370496.5",
        "1.",
        ".5",
        "+.5e1",
        "-1.e2",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) same_as_library(texts[i]);
    same_as_library("1e99999999999999999999");
    same_as_library("-inf");
    same_as_library("Infinity");
}

static void what_is_no_number_is_refused(void **s)
{
    (void)s;
    static const char *const texts[] = {
        "",         " ",   "-",   "+",       ".",   "-.",    "e5",           ".e5",
        "1e",       "1e+", "1 ",  " 1",      "1,5", "0x10",  "1_000",        "nan",
        "1.2.3",    "--1", "1d5", "infinit", "in",  "1e5.0", "\xef\xbc\x91", "1\x80",
        "\xb1\xb2",
    };
    double value = 42;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (number_parse(texts[i], strlen(texts[i]), &value))
            fail_msg("\"%s\" taken for %g", texts[i], value);
    assert_true(value == 42);
    char longer[402];
    memset(longer, '1', sizeof longer);
    assert_true(number_parse(longer, 400, &value));
    assert_false(number_parse(longer, 401, &value));
}

static void the_locale_has_no_say(void **s)
{
    (void)s;
    const char *old = setlocale(LC_NUMERIC, "de_DE.UTF-8");
    double value;
    assert_true(number_parse("1.5e300", 7, &value) && value == 1.5e300);
    char text[32];
    number_print(0.25, text);
    assert_string_equal(text, "0.25");
    if (old) setlocale(LC_NUMERIC, "C");
}

static void printing_is_short(void **s)
{
    (void)s;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{3, "3"},     {-0.0, "0"},     {0.1, "0.1"},
                 {-12, "-12"}, {1e30, "1e+30"}, {1e15, "1000000000000000"}};
    char text[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        number_print(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
    number_print(1.0 / 3, text);
    assert_string_equal(text, "0.3333333333333333");
}

static void short_numbers_are_whole(void **s)
{
    (void)s;
    uint32_t value = 0;
    char text[16] = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        sprintf(text, "%u,99999", i);
        const char *end = number_scan_short(text, &value);
        assert_ptr_equal(end, strchr(text, ','));
        assert_int_equal(value, i);
    }
    assert_null(number_scan_short("1000,0000", &value));
    assert_null(number_scan_short(",123", &value));
    assert_null(number_scan_short("-1,2", &value));
    assert_null(number_scan_short("\xb1\xb2,2", &value));
    assert_int_equal(*number_scan_short("12.5", &value), '.');
}

static void missing_values_have_spellings(void **s)
{
    (void)s;
    static const char *const missing[] = {"",     "NA",   "N/A",  "n/a", "NaN",  "nan", "NAN",
                                          "null", "NULL", "None", "?",   "<NA>", "#N/A"};
    static const char *const present[] = {"0", "na", "none", "-", "N", "NAs", "Nulls", "Nine", ".", "inf"};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        assert_true(text_is_missing(missing[i], strlen(missing[i])));
    for (size_t i = 0; i < sizeof present / sizeof *present; i++)
        assert_false(text_is_missing(present[i], strlen(present[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_numbers_round_correctly), cmocka_unit_test(doubles_come_back),
        cmocka_unit_test(hard_numbers_round_correctly),   cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(the_locale_has_no_say),          cmocka_unit_test(printing_is_short),
        cmocka_unit_test(short_numbers_are_whole),        cmocka_unit_test(missing_values_have_spellings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
