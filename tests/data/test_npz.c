/* NPZ files, made byte by byte. */
#include "npy_bytes.h"
#include "reading.h"

static struct bytes x_array(void)
{
    return npy("<i2", "False", "(3, 2)", "\1\0\4\0\2\0\5\0\3\0\6\0", 12);
}

static struct bytes y_array(void)
{
    return npy("<i8", "False", "(3,)", "\7\0\0\0\0\0\0\0\11\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0", 24);
}

static const char *write_zip(struct scratch *s, const struct entry *entries, size_t n)
{
    struct bytes b = zip_of(entries, n);
    return scratch_write(s, "a.npz", b.data, b.n);
}

static void assert_three_rows(const char *path, const bramble_read_options *options)
{
    bramble_table *t = assert_read(reader_npz, path, options);
    assert_int_equal(t->n_rows, 3);
    assert_int_equal(t->schema.n_features, 2);
    assert_string_equal(t->format, "npz");
    assert_string_equal(t->schema.target_name, "label");
    assert_int_equal(t->schema.n_classes, 2);
    assert_string_equal(t->schema.classes[1], "9");
    assert_int_equal(t->classes[1], 1);
    assert_column(t, 0, (double[]){1, 2, 3});
    assert_column(t, 1, (double[]){4, 5, 6});
    bramble_table_free(t);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const x[] = {"X.npy", "x.npy", "data.npy"};
    static const char *const y[] = {"y.npy", "Y.npy", "target.npy", "labels.npy", "label.npy"};
    struct scratch s = scratch_new();
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        for (size_t j = 0; j < sizeof y / sizeof *y; j++)
            for (uint16_t method = 0; method <= 8; method += 8) {
                struct entry entries[] = {
                    {"readme.txt", {0}, 0}, {y[j], y_array(), method}, {x[i], x_array(), method}};
                assert_three_rows(write_zip(&s, entries, 3), NULL);
                assert_false(reader_npz_has_test(s.path));
            }
    scratch_remove(&s);
}

static void test_parts(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    bramble_read_options test = BRAMBLE_READ_OPTIONS_INIT;
    test.split = BRAMBLE_SPLIT_TEST;
    struct bytes images = npy("|u1", "False", "(2, 2, 3)", "abcdefghijkl", 12);
    struct entry entries[] = {{"x_test.npy", x_array(), 8},
                              {"y_test.npy", y_array(), 0},
                              {"x_train.npy", images, 8},
                              {"y_train.npy", npy("|u1", "False", "(2, 1)", "\0\1", 2), 8}};
    write_zip(&s, entries, 4);
    assert_true(reader_npz_has_test(s.path));
    bramble_table *t = assert_read(reader_npz, s.path, NULL);
    assert_int_equal(t->n_rows, 2);
    assert_int_equal(t->schema.shape[0], 2);
    assert_int_equal(t->schema.shape[1], 3);
    assert_string_equal(t->schema.features[5].name, "pixel5");
    bramble_table_free(t);
    assert_three_rows(s.path, &test);
    write_zip(&s, entries + 2, 2);
    assert_refused(reader_npz, s.path, &test, BRAMBLE_ERR_DATA, "no test part");
    assert_false(reader_npz_has_test(s.path));
    assert_false(reader_npz_has_test("/nowhere"));
    scratch_remove(&s);
}

static void test_one_array_is_like_npy(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct bytes array = npy("|u1", "False", "(2, 3)", "\1\2\0\3\4\1", 6);
    struct entry entries[] = {{"arr_0.npy", array, 0}, {"arr_1.npy", y_array(), 0}};
    bramble_table *t = assert_read(reader_npz, write_zip(&s, entries, 1), NULL);
    assert_int_equal(t->schema.n_features, 2);
    assert_string_equal(t->schema.target_name, "x2");
    bramble_table_free(t);
    assert_refused(reader_npz, write_zip(&s, entries, 2), NULL, BRAMBLE_ERR_DATA, "found arr_0, arr_1");
    assert_refused(reader_npz, write_zip(&s, entries, 0), NULL, BRAMBLE_ERR_DATA, "a.npz");
    scratch_remove(&s);
}

static void test_weights_and_named_targets(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    struct entry entries[] = {{"X.npy", x_array(), 0},
                              {"importance.npy", npy("|u1", "False", "(3,)", "\1\2\3", 3), 0},
                              {"price.npy", y_array(), 0}};
    write_zip(&s, entries, 3);
    assert_refused(reader_npz, s.path, NULL, BRAMBLE_ERR_DATA, "no target");
    options.target = "price";
    assert_three_rows(s.path, &options);
    options.sample_weight = "importance";
    bramble_table *t = assert_read(reader_npz, s.path, &options);
    assert_int_equal(t->schema.n_features, 2);
    assert_true(t->weights[0] == 1 && t->weights[1] == 2 && t->weights[2] == 3);
    bramble_table_free(t);
    options = (bramble_read_options)BRAMBLE_READ_OPTIONS_INIT;
    options.target = "x1"; /* a column of X; the labels are a feature then */
    entries[2].name = "y.npy";
    t = assert_read(reader_npz, write_zip(&s, entries, 3), &options);
    assert_string_equal(t->schema.target_name, "x1");
    assert_string_equal(t->schema.features[1].name, "label");
    assert_column(t, 1, (double[]){7, 9, 7});
    bramble_table_free(t);
    options.target = NULL;
    options.sample_weight = "nothing";
    assert_refused(reader_npz, s.path, &options, BRAMBLE_ERR_DATA, "\"nothing\"");
    scratch_remove(&s);
}

static void test_arrays_that_do_not_fit(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct entry entries[] = {{"X.npy", x_array(), 0}, {"y.npy", npy("|u1", "False", "(2,)", "\0\1", 2), 0}};
    assert_refused(reader_npz, write_zip(&s, entries, 2), NULL, BRAMBLE_ERR_DATA,
                   "y.npy: 2 values for the 3 rows");
    entries[1].content = npy("|u1", "False", "(3, 2)", "\0\1\1\0\0\1", 6);
    assert_refused(reader_npz, write_zip(&s, entries, 2), NULL, BRAMBLE_ERR_DATA, "y.npy: 2 values a row");
    entries[1].content = npy("|O", "False", "(3,)", "xxx", 3);
    assert_refused(reader_npz, write_zip(&s, entries, 2), NULL, BRAMBLE_ERR_UNSUPPORTED, "y.npy: values of");
    scratch_remove(&s);
}

static void test_truncated(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct entry entries[] = {{"X.npy", x_array(), 8}, {"y.npy", y_array(), 0}};
    struct bytes b = zip_of(entries, 2);
    for (size_t n = 0; n < b.n; n++)
        assert_refused(reader_npz, scratch_write(&s, "a.npz", b.data, n), NULL, BRAMBLE_ERR_DATA, "a.npz");
    scratch_remove(&s);
}

static void test_entries_that_lie(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    for (uint16_t method = 0; method <= 8; method += 8) {
        struct entry entries[] = {{"X.npy", x_array(), method}, {"y.npy", y_array(), 0}};
        entries[0].crc = 1;
        assert_refused(reader_npz, write_zip(&s, entries, 2), NULL, BRAMBLE_ERR_DATA, "X.npy");
        entries[0].crc = 0;
        entries[0].size = 4000000000;
        assert_refused(reader_npz, write_zip(&s, entries, 2), NULL, BRAMBLE_ERR_DATA, "a.npz");
        entries[0].content =
            npy("|u1", "False", "(2000000000, 2)", "\1\0\4\0", 4); /* and the header as well */
        entries[0].size = (uint32_t)(4000000000 + entries[0].content.n - 4);
        assert_refused(reader_npz, write_zip(&s, entries, 2), NULL, BRAMBLE_ERR_DATA, "a.npz");
        assert_lie_is_cheap(reader_npz, s.path, 32 << 20);
    }
    struct entry unknown[] = {{"X.npy", x_array(), 0}, {"y.npy", y_array(), 0}};
    unknown[0].method = 77;
    assert_refused(reader_npz, write_zip(&s, unknown, 2), NULL, BRAMBLE_ERR_DATA, "X.npy: cannot be read");
    scratch_remove(&s);
}

static void test_unopenable(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    assert_refused(reader_npz, scratch_path(&s, "absent.npz"), NULL, BRAMBLE_ERR_IO, "No such file");
    assert_refused(reader_npz, scratch_write(&s, "a.npz", "PK\3\4", 4), NULL, BRAMBLE_ERR_DATA,
                   "cannot be read");
    scratch_remove(&s);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.sample_weight = "w";
    struct entry entries[] = {{"X.npy", x_array(), 8},
                              {"y.npy", y_array(), 0},
                              {"w.npy", npy("|u1", "False", "(3,)", "\1\2\3", 3), 0}};
    assert_survives_no_memory(reader_npz, write_zip(&s, entries, 3), &options);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_one_array_is_like_npy),
        cmocka_unit_test(test_weights_and_named_targets),
        cmocka_unit_test(test_arrays_that_do_not_fit),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_entries_that_lie),
        cmocka_unit_test(test_unopenable),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
