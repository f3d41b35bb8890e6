/* Folders of images as tables. */
#include "pictures.h"
#include "reading.h"
#include "tables.h"

static void folder(struct scratch *s, const char *name)
{
    assert_int_equal(mkdir(scratch_path(s, name), 0700), 0);
}

/* A grey or RGB image all of one value. */
static void plain(struct scratch *s, const char *name, uint32_t height, uint32_t width, int channels,
                  uint8_t value)
{
    uint8_t pixels[64 * 64 * 3];
    memset(pixels, value, sizeof pixels);
    int colour = channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY;
    picture_write_png(s, name, (struct picture){height, width, colour, 8, 0, pixels});
}

/* train: 2 dogs, 1 cat; val: 1 dog. */
static struct scratch pets(void)
{
    struct scratch s = scratch_new();
    const char *folders[] = {"train",        "val",         "train/dog", "train/cat",
                             "train/.cache", "train/notes", "val/dog"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) folder(&s, folders[i]);
    plain(&s, "train/dog/b.png", 4, 5, 3, 20);
    plain(&s, "train/dog/a.PNG", 4, 5, 1, 10);
    plain(&s, "train/cat/1.png", 9, 9, 3, 30);
    plain(&s, "train/.cache/x.png", 4, 5, 3, 99);
    plain(&s, "train/dog/.x.png", 4, 5, 3, 99);
    plain(&s, "val/dog/z.png", 7, 5, 1, 40);
    scratch_write(&s, "train/notes/read.txt", "no image", 8);
    return s;
}

static bramble_table *read_split(const struct scratch *s, bramble_split split, const bramble_schema *schema)
{
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    bramble_table *table = NULL;
    bramble_error error = {0};
    options.split = split;
    options.schema = schema;
    options.target_optional = schema != NULL;
    if (bramble_table_read(&table, s->folder, &options, &error)) fail_msg("%s", error.message);
    return table;
}

static void reads_folders_as_classes(void **state)
{
    (void)state;
    struct scratch s = pets();
    assert_true(bramble_path_has_test(s.folder));
    bramble_table *train = read_split(&s, BRAMBLE_SPLIT_TRAIN, NULL);
    assert_string_equal(train->format, "images");
    assert_int_equal(train->n_rows, 3);
    assert_int_equal(train->schema.n_features, 60); /* 4 x 5, the most common, in colour */
    assert_int_equal(train->schema.shape[0], 4);
    assert_int_equal(train->schema.shape[1], 5);
    assert_int_equal(train->schema.n_classes, 2);
    const char *classes[] = {"cat", "dog", "dog"};
    for (size_t r = 0; r < 3; r++) {
        assert_string_equal(tables_class(train, r), classes[r]);
        for (uint32_t f = 0; f < 60; f++)
            assert_int_equal(train->columns[f].bytes[r], ((uint8_t[]){30, 10, 20})[r]);
    }
    bramble_table *test = read_split(&s, BRAMBLE_SPLIT_TEST, &train->schema);
    assert_int_equal(test->n_rows, 1);
    assert_int_equal(test->schema.n_features, 60);
    assert_string_equal(tables_class(test, 0), "dog");
    assert_int_equal(test->columns[59].bytes[0], 40);
    bramble_table_free(test);
    bramble_table_free(train);
    scratch_remove(&s);
}

static void reads_images_without_classes(void **state)
{
    (void)state;
    struct scratch s = pets();
    bramble_table *train = read_split(&s, BRAMBLE_SPLIT_TRAIN, NULL), *table = NULL;
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.schema = &train->schema;
    options.target_optional = true;
    const char *names[] = {"train/dog", "train/dog/b.png"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(bramble_table_read(&table, scratch_path(&s, names[i]), &options, NULL), BRAMBLE_OK);
        assert_int_equal(table->n_rows, 2 - i);
        assert_null(table->classes);
        assert_int_equal(table->columns[0].bytes[1 - i], 20);
        bramble_table_free(table);
    }
    bramble_table_free(train);
    scratch_remove(&s);
}

static void keeps_the_order_of_pixels(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    uint8_t pixels[2 * 3 * 3];
    for (uint8_t i = 0; i < sizeof pixels; i++) pixels[i] = i;
    folder(&s, "a");
    folder(&s, "b");
    picture_write_png(&s, "a/1.png", (struct picture){2, 3, PNG_COLOR_TYPE_RGB, 8, 0, pixels});
    picture_write_jpeg(&s, "b/2.jpeg", 2, 3, 3, false, pixels);
    assert_false(bramble_path_has_test(s.folder));
    bramble_table *table = read_split(&s, BRAMBLE_SPLIT_TRAIN, NULL);
    assert_int_equal(table->schema.n_features, 18);
    for (uint32_t f = 0; f < 18; f++) assert_int_equal(table->columns[f].bytes[0], f);
    bramble_table_free(table);
    scratch_remove(&s);
}

static void makes_photos_small(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    uint8_t *pixels = calloc(300, 400);
    folder(&s, "a");
    picture_write_jpeg(&s, "a/1.jpg", 300, 400, 1, false, pixels);
    picture_write_jpeg(&s, "a/2.jpg", 300, 400, 1, false, pixels);
    bramble_table *table = NULL;
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    plain(&s, "b.png", 4, 4, 1, 9);
    folder(&s, "b");
    plain(&s, "b/3.png", 64, 64, 1, 200);
    assert_int_equal(bramble_table_read(&table, s.folder, &options, NULL), BRAMBLE_OK);
    assert_int_equal(table->schema.shape[0], 224);
    assert_int_equal(table->schema.shape[1], 224);
    assert_int_equal(table->n_rows, 3);
    assert_int_equal(table->columns[224 * 224 - 1].bytes[2], 200);
    bramble_table_free(table);
    free(pixels);
    scratch_remove(&s);
}

static void fits_to_the_size_asked_for(void **state)
{
    (void)state;
    struct scratch s = pets();
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.image_size[0] = 7;
    options.image_size[1] = 3;
    bramble_table *train = assert_read(reader_images, s.folder, &options);
    assert_int_equal(train->schema.n_features, 7 * 3 * 3);
    uint32_t size[2] = {0, 0};
    assert_true(bramble_schema_image_size(&train->schema, size));
    assert_int_equal(size[0], 7);
    assert_int_equal(size[1], 3);
    for (uint32_t f = 0; f < train->schema.n_features; f++)
        for (size_t r = 0; r < 3; r++)
            assert_int_equal(train->columns[f].bytes[r], ((uint8_t[]){30, 10, 20})[r]);
    options.schema = &train->schema; /* asking for what the model has is fine */
    bramble_table_free(assert_read(reader_images, s.folder, &options));
    bramble_table_free(train);
    scratch_remove(&s);
}

static void refuses_sizes(void **state)
{
    (void)state;
    struct scratch s = pets();
    static const struct {
        uint32_t size[2];
        const char *why;
    } cases[] = {{{0, 5}, "0x5 is out of range"},
                 {{5, 0}, "5x0 is out of range"},
                 {{1, 16385}, "1x16385 is out of range"},
                 {{577, 578}, "577x578 is out of range"}, /* in colour */
                 {{1000, 1000}, "1000x1000 is out of range"},
                 {{UINT32_MAX, UINT32_MAX}, "out of range"},
                 {{4, 6}, "the model's images are 4x5 and not 4x6"}};
    bramble_table *train = read_split(&s, BRAMBLE_SPLIT_TRAIN, NULL), *table = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
        memcpy(options.image_size, cases[i].size, sizeof options.image_size);
        if (cases[i].size[0] == 4) options.schema = &train->schema;
        bramble_error error = {0};
        assert_int_equal(bramble_table_read(&table, s.folder, &options, &error), BRAMBLE_ERR_USAGE);
        if (!strstr(error.message, cases[i].why)) fail_msg("%s", error.message);
    }
    bramble_table_free(train);
    scratch_remove(&s);
}

static void refuses_bad_folders(void **state)
{
    (void)state;
    struct scratch s = pets();
    bramble_read_options test = BRAMBLE_READ_OPTIONS_INIT;
    test.split = BRAMBLE_SPLIT_TEST;
    char path[512];
    snprintf(path, sizeof path, "%s/train", s.folder);
    assert_refused(reader_images, path, &test, BRAMBLE_ERR_DATA, "no test part");
    snprintf(path, sizeof path, "%s/train/dog/b.png", s.folder);
    assert_refused(reader_images, path, &test, BRAMBLE_ERR_DATA, "one image has no test part");
    snprintf(path, sizeof path, "%s/train/notes", s.folder);
    assert_refused(reader_images, path, NULL, BRAMBLE_ERR_DATA, "no PNG or JPEG images");
    scratch_write(&s, "train/cat/2.png", "no image", 8);
    snprintf(path, sizeof path, "%s/train", s.folder);
    assert_refused(reader_images, path, NULL, BRAMBLE_ERR_DATA, "train/cat/2.png: neither a PNG nor a JPEG");
    scratch_write(&s, "train/cat/2.png", "\x89PNG\r\n\x1a\n", 8);
    assert_refused(reader_images, path, NULL, BRAMBLE_ERR_DATA, "train/cat/2.png: damaged PNG");
    scratch_remove(&s);
}

static void survives_no_memory(void **state)
{
    (void)state;
    struct scratch s = pets();
    assert_survives_no_memory(reader_images, s.folder, NULL);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_folders_as_classes),   cmocka_unit_test(reads_images_without_classes),
        cmocka_unit_test(keeps_the_order_of_pixels),  cmocka_unit_test(makes_photos_small),
        cmocka_unit_test(fits_to_the_size_asked_for), cmocka_unit_test(refuses_sizes),
        cmocka_unit_test(refuses_bad_folders),        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
