#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/progress.h"

struct told {
    char *text;
    size_t size;
    FILE *out;
    struct progress progress;
};

static void told_begin(struct told *t, bool terminal)
{
    t->out = open_memstream(&t->text, &t->size);
    assert_non_null(t->out);
    fflush(t->out); /* t->text is there from now on */
    progress_init(&t->progress, t->out, "trees");
    assert_false(t->progress.terminal);
    if (!terminal) return;
    t->progress.terminal = true;
    t->progress.next = 0;
}

static void told_end(struct told *t)
{
    fclose(t->out);
    free(t->text);
}

/* What a terminal of so many columns shows at the first step. */
static void bar(char line[512], unsigned columns, uint64_t done, uint64_t total, double seconds)
{
    struct told t;
    char text[16];
    snprintf(text, sizeof text, "%u", columns);
    setenv("COLUMNS", text, 1);
    told_begin(&t, true);
    progress_step(&t.progress, done, total, seconds);
    unsetenv("COLUMNS");
    assert_in_range(t.size, 4, 500);
    assert_int_equal(t.text[0], '\r');
    assert_string_equal(t.text + t.size - 3, "\033[K");
    snprintf(line, 512, "%.*s", (int)t.size - 4, t.text + 1);
    told_end(&t);
}

static void test_bar(void **state)
{
    (void)state;
    char line[512];
    bar(line, 81, 0, 100, 0);
    assert_string_equal(line, "0 of 100 trees  [----------------------------------------]  0.0 ms");
    bar(line, 80, 50, 100, 2);
    assert_string_equal(line,
                        "50 of 100 trees  [#################-----------------]  25.0 trees/s, 2.0 s left");
    bar(line, 81, 200, 100, 2);
    assert_non_null(strstr(line, "100 of 100 trees"));
    assert_null(strchr(line, '-'));
    assert_non_null(strstr(line, "0.0 ms left"));
    bar(line, 81, 0, 0, 1);
    assert_string_equal(line, "0 of 0 trees  1.0 s");
}

static void test_bar_fits(void **state)
{
    (void)state;
    char line[512];
    for (unsigned columns = 2; columns < 200; columns++) {
        bar(line, columns, 12345, 1000000, 4000);
        assert_true(strlen(line) < columns);
    }
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (; (text = strstr(text, what)); text++) n++;
    return n;
}

static void test_a_file_gets_few_lines(void **state)
{
    (void)state;
    struct told t;
    told_begin(&t, false);
    progress_note(&t.progress, "reading");
    for (unsigned i = 0; i < 250; i++) progress_step(&t.progress, i, 250, i * 0.1);
    progress_clear(&t.progress);
    assert_string_equal(t.text, "10 of 250 trees, 10.0 trees/s, 24.0 s left\n"
                                "20 of 250 trees, 10.0 trees/s, 23.0 s left\n"
                                "40 of 250 trees, 10.0 trees/s, 21.0 s left\n"
                                "80 of 250 trees, 10.0 trees/s, 17.0 s left\n"
                                "160 of 250 trees, 10.0 trees/s, 9.0 s left\n");
    told_end(&t);
}

static void test_figures_are_said(void **state)
{
    (void)state;
    struct told t;
    told_begin(&t, false);
    t.progress.figures = "loss 0.5";
    t.progress.before = 10;
    progress_step(&t.progress, 20, 30, 1);
    assert_string_equal(t.text, "20 of 30 trees, loss 0.5, 10.0 trees/s, 1.0 s left\n");
    told_end(&t);
}

static void test_a_terminal_is_left_clean(void **state)
{
    (void)state;
    struct told t;
    told_begin(&t, true);
    progress_clear(&t.progress); /* nothing to clear yet */
    assert_int_equal(t.size, 0);
    progress_note(&t.progress, "reading %s", "a\033b");
    for (unsigned i = 0; i < 1000; i++) progress_step(&t.progress, i, 1000, i * 0.001);
    progress_clear(&t.progress);
    assert_int_equal(strncmp(t.text, "\rreading a?b\033[K\r", 15), 0);
    assert_in_range(count(t.text, "of 1,000 trees"), 9, 11);
    assert_int_equal(count(t.text, "\n"), 0);
    assert_string_equal(t.text + t.size - 4, "\r\033[J");
    told_end(&t);
}

static void test_silence(void **state)
{
    (void)state;
    struct progress progress;
    progress_init(&progress, NULL, "trees");
    progress_note(&progress, "reading");
    progress_step(&progress, 1, 2, 100);
    progress_clear(&progress);
    assert_false(progress.drawn);
}

static void test_columns(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    setenv("COLUMNS", "123", 1);
    assert_int_equal(progress_columns(file), 123);
    setenv("COLUMNS", "-5", 1);
    assert_int_equal(progress_columns(file), 80);
    unsetenv("COLUMNS");
    assert_int_equal(progress_columns(file), 80);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bar),
        cmocka_unit_test(test_bar_fits),
        cmocka_unit_test(test_a_file_gets_few_lines),
        cmocka_unit_test(test_figures_are_said),
        cmocka_unit_test(test_a_terminal_is_left_clean),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
