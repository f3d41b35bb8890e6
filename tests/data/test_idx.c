/* IDX, on small files made here (test_idx_fashion reads real ones). */
#include "reading.h"

#include <sys/stat.h>

struct bytes {
    size_t n;
    uint8_t data[4096];
};

static void put(struct bytes *b, const void *bytes, size_t n)
{
    assert_true(b->n + n <= sizeof b->data);
    memcpy(b->data + b->n, bytes, n);
    b->n += n;
}

static struct bytes header(uint8_t type, uint8_t rank, const uint32_t *shape)
{
    struct bytes b = {0};
    put(&b, (uint8_t[]){0, 0, type, rank}, 4);
    for (uint8_t d = 0; d < rank; d++)
        put(&b,
            (uint8_t[]){(uint8_t)(shape[d] >> 24), (uint8_t)(shape[d] >> 16), (uint8_t)(shape[d] >> 8),
                        (uint8_t)shape[d]},
            4);
    return b;
}

/* 4 images of 2 x 3 pixels: image r, pixel c is 10 r + c + 1. */
static struct bytes four_images(void)
{
    struct bytes b = header(8, 3, (uint32_t[]){4, 2, 3});
    for (uint8_t r = 0; r < 4; r++)
        for (uint8_t c = 0; c < 6; c++) put(&b, (uint8_t[]){(uint8_t)(10 * r + c + 1)}, 1);
    return b;
}

static struct bytes four_labels(void)
{
    struct bytes b = header(8, 1, (uint32_t[]){4});
    put(&b, (uint8_t[]){0, 1, 2, 0}, 4);
    return b;
}

static void write_bytes(struct scratch *s, const char *name, const struct bytes *b)
{
    scratch_write(s, name, b->data, b->n);
}

/* Writes images and labels under these names, packed where they end in .gz. */
static void write_pair(struct scratch *s, const char *images, const char *labels)
{
    struct bytes x = four_images(), y = four_labels();
    const char *names[] = {images, labels};
    const struct bytes *bytes[] = {&x, &y};
    for (int i = 0; i < 2; i++) {
        if (names[i] && strstr(names[i], ".gz"))
            scratch_write_gz(s, names[i], bytes[i]->data, bytes[i]->n);
        else if (names[i])
            write_bytes(s, names[i], bytes[i]);
    }
}

static void assert_four_images(const char *path, const bramble_read_options *options)
{
    bramble_table *t = assert_read(reader_idx, path, options);
    assert_int_equal(t->n_rows, 4);
    assert_int_equal(t->schema.n_features, 6);
    assert_int_equal(t->schema.shape[0], 2);
    assert_int_equal(t->schema.shape[1], 3);
    assert_string_equal(t->schema.features[5].name, "pixel5");
    assert_string_equal(t->schema.target_name, "label");
    assert_string_equal(t->format, "idx");
    assert_int_equal(t->schema.n_classes, 3);
    assert_int_equal(t->classes[2], 2);
    for (uint32_t c = 0; c < 6; c++) {
        assert_int_equal(t->schema.features[c].type, BRAMBLE_FEATURE_BYTE);
        assert_column(t, c, (double[]){c + 1, c + 11, c + 21, c + 31});
    }
    bramble_table_free(t);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
        {"train-images.idx3-ubyte", "train-labels.idx1-ubyte"},
        {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte"},
        {"train-images.idx3-ubyte", "train-labels-idx1-ubyte.gz"},
        {"train-images.gz", "train-labels"},
        {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}, /* the only part there is */
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct scratch s = scratch_new();
        write_pair(&s, pairs[i][0], pairs[i][1]);
        assert_four_images(s.folder, NULL);
        assert_four_images(scratch_path(&s, pairs[i][0]), NULL);
        assert_four_images(scratch_path(&s, pairs[i][1]), NULL);
        assert_false(reader_idx_has_test(s.folder));
        scratch_remove(&s);
    }
    struct scratch s = scratch_new();
    write_pair(&s, "emnist-letters-images-idx3-ubyte", "emnist-letters-labels-idx1-ubyte");
    write_pair(&s, "emnist-letters-old-images-idx3-ubyte", NULL); /* a neighbour with a longer name */
    assert_four_images(scratch_path(&s, "emnist-letters-images-idx3-ubyte"), NULL);
    scratch_remove(&s);
}

static void test_in_the_working_folder(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    write_pair(&s, "train-images-idx3-ubyte", "train-labels-idx1-ubyte");
    assert_int_equal(chdir(s.folder), 0);
    assert_four_images("train-images-idx3-ubyte", NULL);
    assert_four_images(".", NULL);
    assert_int_equal(chdir(here), 0);
    scratch_remove(&s);
}

static void test_parts(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    bramble_read_options test = BRAMBLE_READ_OPTIONS_INIT;
    test.split = BRAMBLE_SPLIT_TEST;
    write_pair(&s, "train-images-idx3-ubyte", "train-labels-idx1-ubyte");
    assert_refused(reader_idx, s.folder, &test, BRAMBLE_ERR_DATA, "no test part");
    assert_refused(reader_idx, scratch_path(&s, "train-images-idx3-ubyte"), &test, BRAMBLE_ERR_DATA,
                   "name the folder");
    write_pair(&s, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte");
    assert_true(reader_idx_has_test(s.folder));
    assert_false(reader_idx_has_test(scratch_path(&s, "train-images-idx3-ubyte")));
    assert_four_images(s.folder, &test);
    unlink(scratch_path(&s, "train-images-idx3-ubyte"));
    assert_refused(reader_idx, s.folder, NULL, BRAMBLE_ERR_DATA, "no train-images-idx3-ubyte");
    unlink(scratch_path(&s, "train-labels-idx1-ubyte"));
    unlink(scratch_path(&s, "t10k-images-idx3-ubyte"));
    assert_refused(reader_idx, s.folder, NULL, BRAMBLE_ERR_DATA, "no t10k-images-idx3-ubyte");
    assert_refused(reader_idx, scratch_path(&s, "t10k-labels-idx1-ubyte"), NULL, BRAMBLE_ERR_DATA,
                   "no images file");
    scratch_remove(&s);
}

/* Plain files win over packed ones: they are read faster. */
static void test_plain_before_packed(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_pair(&s, "train-images-idx3-ubyte", "train-labels-idx1-ubyte");
    scratch_write(&s, "train-images-idx3-ubyte.gz", "junk", 4);
    assert_four_images(s.folder, NULL);
    scratch_remove(&s);
}

static void test_without_labels(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_pair(&s, "train-images-idx3-ubyte", "train-labels-idx1-ubyte");
    bramble_table *train = assert_read(reader_idx, s.folder, NULL);
    unlink(scratch_path(&s, "train-labels-idx1-ubyte"));
    assert_refused(reader_idx, s.folder, NULL, BRAMBLE_ERR_DATA, "no target");
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.schema = &train->schema;
    options.target_optional = true;
    bramble_table *table = assert_read(reader_idx, s.folder, &options);
    assert_false(bramble_table_has_target(table));
    assert_int_equal(table->schema.n_features, 6);
    bramble_table_free(table);
    bramble_table_free(train);
    scratch_remove(&s);
}

/* The same two numbers, 1 and -2 where there is a sign, in every type. */
static void test_types(void **state)
{
    (void)state;
    static const struct {
        uint8_t type, size, one[8], two[8];
        double second;
    } types[] = {
        {0x08, 1, {1}, {254}, 254},
        {0x09, 1, {1}, {0xfe}, -2},
        {0x0b, 2, {0, 1}, {0xff, 0xfe}, -2},
        {0x0c, 4, {0, 0, 0, 1}, {0xff, 0xff, 0xff, 0xfe}, -2},
        {0x0d, 4, {0x3f, 0x80, 0, 0}, {0xc0, 0, 0, 0}, -2},
        {0x0e, 8, {0x3f, 0xf0, 0, 0, 0, 0, 0, 0}, {0xc0, 0, 0, 0, 0, 0, 0, 0}, -2},
    };
    struct scratch s = scratch_new();
    struct bytes labels = header(8, 1, (uint32_t[]){3});
    put(&labels, (uint8_t[]){7, 9, 7}, 3);
    write_bytes(&s, "a-labels-idx1-ubyte", &labels);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct bytes b = header(types[i].type, 2, (uint32_t[]){3, 2});
        for (int r = 0; r < 3; r++) {
            put(&b, types[i].one, types[i].size);
            put(&b, types[i].two, types[i].size);
        }
        write_bytes(&s, "a-images-idx2-ubyte", &b);
        bramble_table *t = assert_read(reader_idx, s.path, NULL);
        double second = types[i].second;
        assert_column(t, 0, (double[]){1, 1, 1});
        assert_column(t, 1, (double[]){second, second, second});
        assert_int_equal(t->schema.shape[0], 0);
        assert_string_equal(t->schema.features[1].name, "x1");
        assert_string_equal(t->schema.classes[1], "9");
        bramble_table_free(t);
    }
    scratch_remove(&s);
}

/* Each prefix of images and labels, plain and packed, and one byte too many. */
static void test_truncated(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct bytes x = four_images(), y = four_labels();
    for (int packed = 0; packed <= 1; packed++)
        for (int which = 0; which < 2; which++) {
            const char *name = which ? "a-labels-idx1-ubyte" : "a-images-idx3-ubyte";
            struct bytes *b = which ? &y : &x;
            write_pair(&s, "a-images-idx3-ubyte", "a-labels-idx1-ubyte");
            for (size_t n = 0; n <= b->n + 1; n++) {
                b->data[b->n] = 0;
                if (packed)
                    scratch_write_gz(&s, name, b->data, n);
                else
                    scratch_write(&s, name, b->data, n);
                scratch_path(&s, "a-images-idx3-ubyte");
                if (n == b->n)
                    assert_four_images(s.path, NULL);
                else
                    assert_refused(reader_idx, s.path, NULL, BRAMBLE_ERR_DATA, name);
            }
        }
    scratch_remove(&s);
}

static void assert_images_refused(struct scratch *s, const struct bytes *b, const char *why)
{
    write_bytes(s, "a-images-idx3-ubyte", b);
    bramble_error error = {0};
    bramble_table *table = NULL;
    bramble_status status = read_table(reader_idx, &table, s->path, NULL, &error);
    assert_refused(reader_idx, s->path, NULL, status, why);
    assert_true(status == BRAMBLE_ERR_DATA || status == BRAMBLE_ERR_UNSUPPORTED);
}

static void test_bad_headers(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct bytes labels = header(8, 1, (uint32_t[]){5});
    put(&labels, "\0\1\2\3\4", 5);
    struct bytes b = four_images();
    write_bytes(&s, "a-labels-idx1-ubyte", &labels);
    assert_images_refused(&s, &b, "5 labels for the 4 images");
    labels = header(8, 2, (uint32_t[]){4, 2});
    put(&labels, "01234567", 8);
    write_bytes(&s, "a-labels-idx1-ubyte", &labels);
    assert_images_refused(&s, &b, "one number a row");
    unlink(s.path);
    write_pair(&s, NULL, "a-labels-idx1-ubyte");
    b.data[0] = 1;
    assert_images_refused(&s, &b, "not an IDX file");
    b.data[0] = 0, b.data[2] = 0x0a;
    assert_images_refused(&s, &b, "not an IDX file");
    b.data[2] = 8, b.data[3] = 0;
    assert_images_refused(&s, &b, "not an IDX file");
    b.data[3] = 200;
    assert_images_refused(&s, &b, "not an IDX file");
    b = four_labels();
    assert_images_refused(&s, &b, "name the file of the images");
    b = header(8, 3, (uint32_t[]){0, 28, 28});
    assert_images_refused(&s, &b, "empty");
    b = header(8, 3, (uint32_t[]){28, 28, 0});
    assert_images_refused(&s, &b, "empty");
    b = header(8, 3, (uint32_t[]){1, 0x10000, 0x10000});
    assert_images_refused(&s, &b, "4294967296 values");
    b = header(14, 4, (uint32_t[]){0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff});
    assert_images_refused(&s, &b, "overflow");
    b = header(8, 2, (uint32_t[]){0xffffffff, 1000});
    assert_images_refused(&s, &b, "the header promises");
    scratch_remove(&s);
}

/* Sizes that could be true as far as the packed file tells, but are not: room grows with what arrives. */
static void test_lies_are_cheap(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    enum { REAL = 400000 };
    uint8_t *bytes = calloc(1, REAL);
    struct bytes b = header(8, 1, (uint32_t[]){REAL - 8});
    memcpy(bytes, b.data, b.n);
    scratch_write_gz(&s, "a-labels-idx1-ubyte.gz", bytes, REAL);
    b = header(8, 3, (uint32_t[]){REAL - 8, 28, 28}); /* 314 MB */
    memcpy(bytes, b.data, b.n);
    uint32_t state32 = 1;
    for (size_t i = b.n; i < REAL; i++)
        bytes[i] = (uint8_t)((state32 = state32 * 1664525u + 1013904223u) >> 24);
    scratch_write_gz(&s, "a-images-idx3-ubyte.gz", bytes, REAL);
    assert_refused(reader_idx, s.path, NULL, BRAMBLE_ERR_DATA, "truncated");
    assert_lie_is_cheap(reader_idx, s.path, 32 << 20);
    memset(bytes + b.n, 0, REAL - b.n);
    scratch_write_gz(&s, "a-images-idx3-ubyte.gz", bytes, REAL);
    assert_refused(reader_idx, s.path, NULL, BRAMBLE_ERR_DATA, "compressed bytes can hold");
    free(bytes);
    scratch_remove(&s);
}

/* What grows in steps ends up the same: zeros pack so well that their room was not foreseen. */
static void test_growth(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    enum { ROWS = 50000, PIXELS = 20 };
    struct bytes b = header(8, 3, (uint32_t[]){ROWS, 4, 5});
    uint8_t *bytes = calloc(1, b.n + ROWS * PIXELS);
    memcpy(bytes, b.data, b.n);
    for (size_t r = 0; r < ROWS; r += 1000) bytes[b.n + r * PIXELS + 3] = (uint8_t)(r / 1000 + 1);
    scratch_write_gz(&s, "a-images-idx3-ubyte.gz", bytes, b.n + ROWS * PIXELS);
    b = header(8, 1, (uint32_t[]){ROWS});
    memset(bytes, 0, b.n + ROWS);
    memcpy(bytes, b.data, b.n);
    bytes[b.n + ROWS - 1] = 1;
    scratch_write_gz(&s, "a-labels-idx1-ubyte.gz", bytes, b.n + ROWS);
    bramble_table *t = assert_read(reader_idx, s.path, NULL);
    for (size_t r = 0; r < ROWS; r++) {
        assert_int_equal(t->columns[3].bytes[r], r % 1000 ? 0 : r / 1000 + 1);
        assert_int_equal(t->columns[19].bytes[r], 0);
        assert_int_equal(t->classes[r], r == ROWS - 1);
    }
    bramble_table_free(t);
    free(bytes);
    scratch_remove(&s);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_pair(&s, "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte");
    assert_survives_no_memory(reader_idx, s.folder, NULL);
    assert_survives_no_memory(reader_idx, scratch_path(&s, "train-labels-idx1-ubyte"), NULL);
    scratch_remove(&s);
}

static void knows_channels(void **state)
{
    (void)state;
    for (uint32_t channels = 3; channels <= 5; channels += 2) {
        struct scratch s = scratch_new();
        struct bytes b = header(8, 4, (uint32_t[]){2, 3, 4, channels});
        for (uint32_t i = 0; i < 24 * channels; i++) put(&b, (uint8_t[]){(uint8_t)i}, 1);
        struct bytes labels = header(8, 1, (uint32_t[]){2});
        put(&labels, (uint8_t[]){0, 1}, 2);
        write_bytes(&s, "a-labels-idx1-ubyte", &labels);
        write_bytes(&s, "a-images-idx4-ubyte", &b);
        bramble_table *table = assert_read(reader_idx, s.path, NULL);
        assert_int_equal(table->schema.n_features, 12 * channels);
        assert_int_equal(table->schema.shape[0], channels == 3 ? 3 : 0);
        assert_int_equal(table->schema.shape[1], channels == 3 ? 4 : 0);
        bramble_table_free(table);
        scratch_remove(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_channels),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_in_the_working_folder),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_plain_before_packed),
        cmocka_unit_test(test_without_labels),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_lies_are_cheap),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
