/* What goes wrong outside the program: exit code 1, one line, and every file as it was. */
#include "program.h"

static void test_files_that_are_not_there(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    FAILS(1, "absent.csv", &s, "data", "absent.csv");
    FAILS(1, "absent.csv", &s, "data", "absent.csv", "--json");
    FAILS(1, "absent.csv", &s, "train", "forest", "absent.csv");
    FAILS(1, "absent.onnx", &s, "predict", "absent.onnx", "absent.csv");
    FAILS(1, "absent.onnx", &s, "evaluate", "absent.onnx", "absent.csv", "--json");
    FAILS(1, "absent.onnx", &s, "inspect", "absent.onnx", "--hash");
    write_kinds_csv(&s, "a.csv", 50, 1);
    FAILS(1, "absent.csv", &s, "train", "forest", "a.csv", "--test", "absent.csv");
    FAILS(1, "no column \"price\"", &s, "train", "forest", "a.csv", "--target", "price");
    FAILS(1, "no column \"price\"", &s, "data", "a.csv", "--sample-weight", "price");
    FAILS(1, "a.csv", &s, "data", "a.csv", "--split", "test");
    assert_int_equal(scratch_count(&s), 1);
    scratch_remove(&s);
}

/* The door is tried before the work: even before the data are looked for. */
static void test_output_is_checked_first(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    FAILS(1, "nowhere/m.onnx", &s, "train", "forest", "absent.csv", "--out", "nowhere/m.onnx");
    FAILS(1, "not a regular file", &s, "train", "forest", "absent.csv", "--out", ".");
    FAILS(1, "nowhere/p.csv", &s, "predict", "absent.onnx", "absent.csv", "--out", "nowhere/p.csv");
    assert_int_equal(scratch_count(&s), 0);
    scratch_remove(&s);
}

static void check_untouched(struct scratch *s, const char *name, const char *text)
{
    size_t n;
    uint8_t *bytes = scratch_slurp(scratch_path(s, name), &n);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(bytes, text, n);
    free(bytes);
}

static void test_existing_files_stay(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "a.csv", 50, 1);
    scratch_write(&s, "model.onnx", "precious", 8);
    scratch_write(&s, "p.csv", "precious", 8);
    FAILS(1, "absent.csv", &s, "train", "forest", "absent.csv");
    FAILS(1, "no column", &s, "train", "forest", "a.csv", "--target", "price");
    FAILS(2, "max_features", &s, "train", "forest", "a.csv", "--max-features", "none");
    FAILS(1, "model.onnx", &s, "predict", "model.onnx", "a.csv", "--out", "p.csv");
    FAILS(1, "model.onnx", &s, "evaluate", "model.onnx", "a.csv");
    FAILS(1, "model.onnx", &s, "inspect", "model.onnx");
    check_untouched(&s, "model.onnx", "precious");
    check_untouched(&s, "p.csv", "precious");
    assert_int_equal(scratch_count(&s), 3);
    scratch_remove(&s);
}

static void test_data_that_do_not_fit_the_model(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "a.csv", 100, 1);
    write_numbers_csv(&s, "b.csv", 50, 1);
    struct said said = DONE(&s, "train", "forest", "a.csv", "--trees", "2", "--quiet");
    said_fini(&said);
    FAILS(1, "b.csv", &s, "predict", "model.onnx", "b.csv");
    FAILS(1, "b.csv", &s, "evaluate", "model.onnx", "b.csv", "--json");
    const char *untold = "size,colour,weight\n1,red,1\n";
    scratch_write(&s, "untold.csv", untold, strlen(untold));
    FAILS(1, "kind", &s, "evaluate", "model.onnx", "untold.csv");
    FAILS(1, "b.csv", &s, "train", "forest", "a.csv", "--test", "b.csv", "--out", "other.onnx");
    assert_int_equal(scratch_count(&s), 4);
    scratch_remove(&s);
}

static void run_on_a_full_disk(struct scratch *s, const char *const *words)
{
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    struct running running = program_start(s, "bramble", words, full, NULL);
    struct said said = program_wait(&running);
    said.out_length = 0;
    said_failed(said, 1, "standard output: cannot write");
}

static void test_full_disk_behind_stdout(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "a.csv", 3000, 1);
    struct said said = DONE(&s, "train", "forest", "a.csv", "--trees", "2", "--quiet");
    said_fini(&said);
    run_on_a_full_disk(&s, (const char *const[]){"--version", NULL});
    run_on_a_full_disk(&s, (const char *const[]){"--help", NULL});
    run_on_a_full_disk(&s, (const char *const[]){"data", "a.csv", "--json", NULL});
    run_on_a_full_disk(&s, (const char *const[]){"predict", "model.onnx", "a.csv", NULL});
    run_on_a_full_disk(&s, (const char *const[]){"inspect", "model.onnx", "--json", NULL});
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_that_are_not_there),
        cmocka_unit_test(test_output_is_checked_first),
        cmocka_unit_test(test_existing_files_stay),
        cmocka_unit_test(test_data_that_do_not_fit_the_model),
        cmocka_unit_test(test_full_disk_behind_stdout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
