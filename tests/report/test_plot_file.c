/* Plots as files: SVG always, PNG where librsvg is. */
#include "report/plot_file.h"
#include "report/plot_png.h"
#include "scratch.h"

/* What fontconfig and the others keep for good is no leak of ours: told to LeakSanitizer, where it is. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig.so\nleak:libglib-2.0.so\nleak:libpango\nleak:librsvg-2.so\n";
}

static const double x[] = {1, 2, 3}, y[] = {0.9, 0.5, 0.4};
static const struct plot_series series[] = {{.name = "one", .x = x, .y = y, .n = 3}};
static const struct plot panels[] = {
    {.title = "Loss",
     .x_label = "epoch",
     .y_label = "loss",
     .series = series,
     .n_series = 1,
     .legend_right = true},
    {.title = "Accuracy", .x_label = "epoch", .y_label = "share", .series = series, .n_series = 1},
};

static void test_svg(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    size_t n;
    assert_int_equal(plot_save(scratch_path(&s, "a.svg"), panels, 2, NULL), BRAMBLE_OK);
    char *text = (char *)scratch_slurp(s.path, &n);
    text[n] = 0;
    assert_non_null(strstr(text, "viewBox=\"0 0 720 880\""));
    assert_non_null(strstr(text, ">Loss</text>"));
    assert_non_null(strstr(text, "translate(0 440)"));
    free(text);
    scratch_remove(&s);
}

static void test_png(void **state)
{
    (void)state;
    if (plot_png_check(NULL)) {
        print_message("librsvg is not installed\n");
        skip();
    }
    struct scratch s = scratch_new();
    size_t n;
    assert_int_equal(plot_save(scratch_path(&s, "a.png"), panels, 2, NULL), BRAMBLE_OK);
    uint8_t *bytes = scratch_slurp(s.path, &n);
    assert_true(n > 1000);
    assert_memory_equal(bytes, "\x89PNG\r\n\x1a\n", 8);
    assert_memory_equal(bytes + 16, "\0\0\x02\xd0\0\0\x03\x70", 8); /* 720 x 880 */
    free(bytes);
    scratch_remove(&s);
}

static void test_other_endings(void **state)
{
    (void)state;
    bramble_error error = {0};
    assert_int_equal(plot_path_check("a.jpg", &error), BRAMBLE_ERR_USAGE);
    assert_non_null(strstr(error.message, ".svg or .png"));
    assert_int_equal(plot_path_check(".svg", NULL), BRAMBLE_ERR_USAGE);
    assert_int_equal(plot_path_check("a.svg", NULL), BRAMBLE_OK);
    assert_int_equal(plot_save("a.gif", panels, 2, NULL), BRAMBLE_ERR_USAGE);
    assert_int_equal(plot_save("/nowhere/a.svg", panels, 2, NULL), BRAMBLE_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_svg),
        cmocka_unit_test(test_png),
        cmocka_unit_test(test_other_endings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
