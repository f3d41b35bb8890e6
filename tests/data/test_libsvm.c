/* libsvm files. */
#include "reading.h"

static const char *write_text(struct scratch *s, const char *text)
{
    return scratch_write(s, "a.svm", text, strlen(text));
}

static bramble_table *read_text(struct scratch *s, const char *text, const bramble_read_options *options)
{
    return assert_read(reader_libsvm, write_text(s, text), options);
}

static void test_rows(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    static const char text[] = "# made by hand\n"
                               "+1 1:0.5 3:7 # first\r\n"
                               "\n"
                               "-1 qid:4 3:1e2\t2:-1e-3   \n"
                               "   1\n"
                               "-1 3:255 1:nan";
    for (int packed = 0; packed <= 1; packed++) {
        if (packed)
            scratch_write_gz(&s, "a.svm", text, strlen(text));
        else
            write_text(&s, text);
        bramble_table *t = assert_read(reader_libsvm, s.path, NULL);
        assert_int_equal(t->n_rows, 4);
        assert_int_equal(t->schema.n_features, 3);
        assert_string_equal(t->format, "libsvm");
        assert_string_equal(t->schema.features[0].name, "index1");
        assert_string_equal(t->schema.target_name, "label");
        assert_column(t, 0, (double[]){0.5, 0, 0, __builtin_nan("")});
        assert_column(t, 1, (double[]){0, -1e-3, 0, 0});
        assert_column(t, 2, (double[]){7, 100, 0, 255});
        assert_int_equal(t->schema.features[1].type, BRAMBLE_FEATURE_NUMBER);
        assert_int_equal(t->schema.features[2].type, BRAMBLE_FEATURE_BYTE);
        assert_int_equal(t->schema.n_classes, 2);
        assert_string_equal(t->schema.classes[0], "-1");
        assert_int_equal(t->classes[0], 1);
        bramble_table_free(t);
    }
    scratch_remove(&s);
}

static void test_counting_from_zero(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    bramble_table *t = read_text(&s, "0.5 1:3\n1.5 0:4\n2.25 1:5\n", NULL);
    assert_int_equal(t->schema.task, BRAMBLE_TASK_REGRESSION);
    assert_int_equal(t->schema.n_features, 2);
    assert_string_equal(t->schema.features[0].name, "index0");
    assert_column(t, 0, (double[]){0, 4, 0});
    assert_column(t, 1, (double[]){3, 0, 5});
    assert_true(t->values[2] == 2.25);
    bramble_table_free(t);
    scratch_remove(&s);
}

/* Test data count as the training data did, may lack the last indices and may have new ones. */
static void test_with_a_schema(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    bramble_table *one = read_text(&s, "0 1:3 4:1\n1 2:300\n", NULL);
    bramble_table *zero = read_text(&s, "0 0:3 3:1\n1 1:300\n", NULL);
    options.schema = &one->schema;
    bramble_table *t = read_text(&s, "1 1:1\n0 3:2 5:9 900000:1\n", &options);
    assert_int_equal(t->schema.n_features, 4);
    assert_column(t, 0, (double[]){1, 0});
    assert_column(t, 2, (double[]){0, 2});
    assert_column(t, 3, (double[]){0, 0});
    assert_int_equal(t->classes[0], 1);
    bramble_table_free(t);
    assert_refused(reader_libsvm, write_text(&s, "1 1:1\n0 0:2\n"), &options, BRAMBLE_ERR_DATA,
                   "line 2: index 0");
    options.schema = &zero->schema;
    t = read_text(&s, "1 1:1\n0 3:2 4:1 5:1\n", &options);
    assert_int_equal(t->schema.n_features, 4);
    assert_column(t, 1, (double[]){1, 0});
    assert_column(t, 3, (double[]){0, 2});
    bramble_table_free(t);
    t = read_text(&s, "1\n0\n", &options); /* nothing but zeros */
    assert_column(t, 3, (double[]){0, 0});
    bramble_table_free(t);
    bramble_table_free(zero);
    bramble_table_free(one);
    scratch_remove(&s);
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"", "no rows"},
        {"# nothing\n\n", "no rows"},
        {"1\n2\n", "no INDEX:VALUE"},
        {"1 1:1\n1:2 2:3\n", "line 2: a line begins with its label"},
        {"1,2 1:1\n", "line 1: several labels"},
        {"cat 1:1\n", "line 1: the label must be a number, not \"cat\""},
        {"1 1:1\n0 5\n", "line 2: INDEX:VALUE must follow"},
        {"1 :1\n", "no index before the colon"},
        {"1 a:1\n", "an index must be a whole number"},
        {"1 -1:1\n", "an index must be a whole number"},
        {"1 1.5:1\n", "an index must be a whole number"},
        {"1 1:\n", "the value must be a number"},
        {"1 1:x\n", "the value must be a number"},
        {"1 1:1:1\n", "the value must be a number"},
        {"1 1:0x10\n", "the value must be a number"},
        {"1 1000000:1\n", "indices must be below"},
        {"1 4294967297:1\n", "indices must be below"},
        {"1 99999999999999999999999:1\n", "indices must be below"},
        {"1 2:1 1:2 2:3\n", "line 1: index 2 occurs twice"},
        {"1 2:1\n0 2:1\n\n1 1:1 1:1\n", "line 4: index 1 occurs twice"},
        {"1 1:1\n0 1:inf\n", "row 2, column \"index1\""},
        {"1 1:1\n0 1:1e300\n", "row 2, column \"index1\""},
        {"nan 1:1\n", "the label must be a number"},
    };
    struct scratch s = scratch_new();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(reader_libsvm, write_text(&s, bad[i][0]), NULL, BRAMBLE_ERR_DATA, bad[i][1]);
    scratch_remove(&s);
}

/* Words across the edges of the buffer, words too long, comments longer than the buffer. */
static void test_long_lines(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    enum { FEATURES = 30000, ROWS = 3 };
    char *text = malloc(ROWS * FEATURES * 24 + 300000), *end = text;
    end += sprintf(end, "#");
    memset(end, 'x', 200000);
    end += 200000;
    end += sprintf(end, "\n");
    for (unsigned r = 0; r < ROWS; r++) {
        end += sprintf(end, "%u", r % 2);
        for (unsigned f = 1; f <= FEATURES; f++) end += sprintf(end, " %u:%u.25", f, f + r);
        end += sprintf(end, "\n");
    }
    bramble_table *t = read_text(&s, text, NULL);
    assert_int_equal(t->n_rows, ROWS);
    assert_int_equal(t->schema.n_features, FEATURES);
    for (unsigned f = 1; f <= FEATURES; f++)
        assert_column(t, f - 1, (double[]){f + 0.25, f + 1.25, f + 2.25});
    bramble_table_free(t);
    free(text);
    char word[512];
    memset(word, '1', 401);
    snprintf(word + 401, sizeof word - 401, " 1:1\n");
    assert_refused(reader_libsvm, write_text(&s, word), NULL, BRAMBLE_ERR_DATA, "more than 400 bytes");
    snprintf(word + 400, sizeof word - 400, " 1:1\n0 1:1\n");
    assert_refused(reader_libsvm, write_text(&s, word), NULL, BRAMBLE_ERR_DATA, "label");
    scratch_remove(&s);
}

/* 2 MB of text that stand for 1 TB of zeros; and a few KB for 2 GB. */
static void test_tables_of_zeros(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    enum { ROWS = 1000000, FEW = 2000 };
    char *text = malloc(2 * ROWS + 40);
    for (size_t i = 0; i < ROWS; i++) memcpy(text + 2 * i, i % 2 ? "1\n" : "0\n", 2);
    memcpy(text + 2 * ROWS, "1 999999:0.5\n", sizeof "1 999999:0.5\n");
    assert_refused(reader_libsvm, write_text(&s, text), NULL, BRAMBLE_ERR_MEMORY, "as a table");
    assert_refused(reader_libsvm, write_text(&s, text + 2 * (ROWS - FEW)), NULL, BRAMBLE_ERR_MEMORY,
                   "so few values");
    free(text);
    scratch_remove(&s);
}

static void test_truncated_gzip(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    static const char text[] = "1 1:1 2:2\n0 2:7\n";
    size_t n;
    uint8_t *bytes = scratch_slurp(scratch_write_gz(&s, "a.gz", text, strlen(text)), &n);
    for (size_t cut = 2; cut < n; cut++)
        assert_refused(reader_libsvm, scratch_write(&s, "a.gz", bytes, cut), NULL, BRAMBLE_ERR_DATA,
                       "truncated");
    free(bytes);
    scratch_remove(&s);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_text(&s, "0 1:1 3:0.5\n1 2:7 4:1\n");
    assert_survives_no_memory(reader_libsvm, s.path, NULL);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),           cmocka_unit_test(test_counting_from_zero),
        cmocka_unit_test(test_with_a_schema),  cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_long_lines),     cmocka_unit_test(test_tables_of_zeros),
        cmocka_unit_test(test_truncated_gzip), cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
