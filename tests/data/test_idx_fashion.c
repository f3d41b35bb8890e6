/* IDX, on the real Fashion-MNIST. */
#include "reading.h"

#define FASHION "/usr/share/datasets/fashion-mnist"

static void need_fashion(void)
{
    if (access(FASHION, R_OK) != 0)
        fail_msg("%s is not there: install the package dataset-fashion-mnist (`make test` does)", FASHION);
}

/* Every pixel and label of one part against the file unpacked by zlib alone. */
static void check_fashion_part(bramble_split split, const char *part, size_t n_rows)
{
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.split = split;
    bramble_table *t = assert_read(reader_idx, FASHION, &options);
    assert_int_equal(t->n_rows, n_rows);
    assert_int_equal(t->schema.n_features, 784);
    assert_int_equal(t->schema.n_classes, 10);
    assert_int_equal(t->schema.task, BRAMBLE_TASK_CLASSIFICATION);
    char path[128];
    uint8_t row[784], label;
    snprintf(path, sizeof path, FASHION "/%s-images-idx3-ubyte.gz", part);
    gzFile images = gzopen(path, "rb");
    snprintf(path, sizeof path, FASHION "/%s-labels-idx1-ubyte.gz", part);
    gzFile labels = gzopen(path, "rb");
    assert_int_equal(gzread(images, row, 16), 16);
    assert_int_equal(gzread(labels, row, 8), 8);
    for (size_t r = 0; r < n_rows; r++) {
        assert_int_equal(gzread(images, row, 784), 784);
        assert_int_equal(gzread(labels, &label, 1), 1);
        size_t differ = t->classes[r] != label;
        for (uint32_t c = 0; c < 784; c++) differ += t->columns[c].bytes[r] != row[c];
        if (differ) fail_msg("%zu values of row %zu are wrong", differ, r);
    }
    gzclose(images);
    gzclose(labels);
    bramble_table_free(t);
}

static void test_fashion_memory(void **state)
{
    (void)state;
    need_fashion();
    bramble_status status;
    size_t peak = reading_peak_bytes(reader_idx, FASHION, &status);
    assert_int_equal(status, BRAMBLE_OK);
    size_t table = (size_t)60000 * 784 + 60000 * 2;
    if (MEASURES_MEMORY && peak > table + table * 3 / 10 + (4 << 20))
        fail_msg("%zu bytes at the peak for a table of %zu", peak, table);
}

static void test_fashion(void **state)
{
    (void)state;
    need_fashion();
    check_fashion_part(BRAMBLE_SPLIT_TRAIN, "train", 60000);
    check_fashion_part(BRAMBLE_SPLIT_TEST, "t10k", 10000);
    assert_true(reader_idx_has_test(FASHION));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fashion_memory), /* first, while this process is small */
        cmocka_unit_test(test_fashion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
