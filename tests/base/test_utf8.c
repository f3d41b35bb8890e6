#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static void test_every_code_point_goes_round(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        if (code >= 0xd800 && code <= 0xdfff) continue;
        char bytes[4];
        uint32_t back;
        size_t n = utf8_encode(code, bytes);
        if (utf8_decode(bytes, n, &back) != n || back != code)
            fail_msg("U+%04x came back as U+%04x", code, back);
        if (n > 1 && (utf8_decode(bytes, n - 1, &back) != 1 || back != UTF8_REPLACEMENT))
            fail_msg("U+%04x cut short was taken for U+%04x", code, back);
    }
}

static void assert_is_none(const char *bytes)
{
    uint32_t code = 0;
    assert_int_equal(utf8_decode(bytes, strlen(bytes), &code), 1);
    assert_int_equal(code, UTF8_REPLACEMENT);
}

static void test_what_is_no_utf8(void **state)
{
    (void)state;
    assert_is_none("\x80");
    assert_is_none("\xff");
    assert_is_none("\xc0\x80");         /* overlong NUL */
    assert_is_none("\xc1\xbf");         /* overlong DEL */
    assert_is_none("\xe0\x9f\xbf");     /* overlong */
    assert_is_none("\xf0\x8f\xbf\xbf"); /* overlong */
    assert_is_none("\xed\xa0\x80");     /* a surrogate */
    assert_is_none("\xf4\x90\x80\x80"); /* above U+10FFFF */
    assert_is_none("\xe4z\xa4");        /* no continuation */
    assert_is_none("\xf8\x88\x80\x80\x80");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_point_goes_round),
        cmocka_unit_test(test_what_is_no_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
