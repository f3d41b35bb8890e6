/* Arrays that do not fit into memory: what they hold, where they are, and what a full disk says. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "data/rows.h"
#include "data/spill.h"
#include "reading.h"

enum { MANY = 40, IMAGES = 60000, PIXELS = 28 * 28 };

static struct spill *new_spill(bool forced)
{
    struct spill *spill;
    assert_int_equal(spill_new(&spill, NULL), BRAMBLE_OK);
    if (forced) spill_force(spill);
    return spill;
}

static uint32_t value_of(size_t array, size_t i)
{
    return (uint32_t)(array * 2654435761u + i);
}

static void check_values(const uint32_t *array, size_t number, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (array[i] != value_of(number, i)) fail_msg("array %zu, value %zu", number, i);
}

/* Arrays of many sizes, some of a file's segments, that grow and shrink. */
static void keep_values(struct spill *spill)
{
    uint32_t *arrays[MANY] = {0};
    size_t sizes[MANY];
    for (size_t a = 0; a < MANY; a++) {
        sizes[a] = a * a * 1000 + a % 7;
        arrays[a] = spill_resize(spill, NULL, sizes[a], sizeof **arrays);
        assert_non_null(arrays[a]);
        assert_int_equal((uintptr_t)arrays[a] % 16, 0);
        for (size_t i = 0; i < sizes[a]; i++) arrays[a][i] = value_of(a, i);
    }
    for (size_t a = 0; a < MANY; a++) {
        size_t n = a % 2 ? sizes[a] / 3 : sizes[a] + 5000;
        uint32_t *resized = spill_resize(spill, arrays[a], n, sizeof *resized);
        assert_non_null(resized);
        for (size_t i = sizes[a]; i < n; i++) resized[i] = value_of(a, i);
        arrays[a] = resized;
        sizes[a] = n;
    }
    spill_scattered(spill, true);
    for (size_t a = 0; a < MANY; a++) {
        spill_want(spill, arrays[a], sizes[a] * sizeof **arrays);
        check_values(arrays[a], a, sizes[a]);
    }
    for (size_t a = 0; a < MANY; a += 3) spill_release(arrays[a]);
    for (size_t a = 0; a < MANY; a++)
        if (a % 3) check_values(arrays[a], a, sizes[a]);
    for (size_t a = 0; a < MANY; a++)
        if (a % 3) spill_release(arrays[a]);
}

static void values_are_kept(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    setenv("BRAMBLE_CACHE", s.folder, 1);
    for (int forced = 0; forced < 2; forced++) {
        struct spill *spill = new_spill(forced);
        keep_values(spill);
        assert_int_equal(spill_file_bytes(spill), 0);
        spill_free(spill);
    }
    spill_free(NULL);
    spill_release(NULL);
    spill_want(NULL, NULL, 0);
    scratch_remove(&s);
}

/* Its bytes are in the folder, and no name is. */
static void the_file_has_no_name(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    setenv("BRAMBLE_CACHE", s.folder, 1);
    struct spill *spill = new_spill(true);
    void *array = spill_resize(spill, NULL, 1000, 1);
    assert_non_null(array);
    assert_true(spill_file_bytes(spill) >= 1000);
    assert_int_equal(scratch_count(&s), 0);
    spill_release(array);
    spill_free(spill);
    assert_int_equal(scratch_count(&s), 0);
    scratch_remove(&s);
}

static void small_data_stay_on_the_heap(void **state)
{
    (void)state;
    struct spill *spill = new_spill(false);
    void *array = spill_resize(spill, NULL, 1 << 20, 1);
    assert_int_equal(spill_file_bytes(spill), 0);
    spill_release(array);
    spill_expect(spill, UINT64_MAX / 2); /* no machine has that much */
    array = spill_resize(spill, NULL, 1, 1);
    assert_true(spill_file_bytes(spill) > 0);
    spill_release(array);
    assert_null(spill_resize(spill, NULL, SIZE_MAX / 2, 4));
    assert_int_equal(spill_error(spill, NULL, "much"), BRAMBLE_ERR_MEMORY);
    spill_free(spill);
}

static void without_a_folder_the_heap_has_to_do(void **state)
{
    (void)state;
    setenv("BRAMBLE_CACHE", "/proc/no/such/folder", 1);
    struct spill *spill = new_spill(true);
    void *array = spill_resize(spill, NULL, 1000, 1);
    assert_non_null(array);
    assert_int_equal(spill_file_bytes(spill), 0);
    spill_release(array);
    spill_free(spill);
}

/* A limit on the size of files stands for a full disk. */
static void a_full_disk_is_told(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct rlimit before, little = {1 << 20, RLIM_INFINITY};
    setenv("BRAMBLE_CACHE", s.folder, 1);
    struct spill *spill = new_spill(true);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    little.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_FSIZE, &little);
    uint8_t *first = spill_resize(spill, NULL, 1 << 16, 1);
    memset(first, 7, 1 << 16);
    void *second = spill_resize(spill, NULL, 8 << 20, 1);
    bramble_error error;
    bramble_status status = spill_error(spill, &error, "the rows of a table");
    void *grown = spill_resize(spill, first, 8 << 20, 1);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_null(second);
    assert_null(grown);
    assert_int_equal(first[65535], 7);
    assert_int_equal(status, BRAMBLE_ERR_IO);
    if (!strstr(error.message, s.folder) || !strstr(error.message, "8.4 MB are needed"))
        fail_msg("%s", error.message);
    spill_release(first);
    spill_free(spill);
    scratch_remove(&s);
}

static void write_images(struct scratch *s)
{
    const uint8_t head[] = {0, 0, 8, 3, 0, 0, IMAGES >> 8, IMAGES & 255, 0, 0, 0, 28, 0, 0, 0, 28};
    const uint8_t label_head[] = {0, 0, 8, 1, 0, 0, IMAGES >> 8, IMAGES & 255};
    size_t n = (size_t)IMAGES * PIXELS;
    uint8_t *bytes = malloc(sizeof head + n);
    assert_non_null(bytes);
    memcpy(bytes, label_head, sizeof label_head);
    for (size_t i = 0; i < IMAGES; i++) bytes[sizeof label_head + i] = i * 7 % 10;
    scratch_write(s, "train-labels-idx1-ubyte", bytes, sizeof label_head + IMAGES);
    memcpy(bytes, head, sizeof head);
    for (size_t i = 0; i < n; i++) bytes[sizeof head + i] = (uint8_t)(value_of(i, 0) >> 24);
    scratch_write(s, "train-images-idx3-ubyte", bytes, sizeof head + n);
    free(bytes);
}

/* Of a folder's table and its rows in an order. */
static uint64_t sum_of(const char *folder, bool in_file)
{
    static uint32_t numbers[1000];
    bramble_table *table;
    struct encoder encoder;
    struct rows rows;
    for (uint32_t i = 0; i < 1000; i++) numbers[i] = i < 700 ? i * 59 : (i - 700) * 190 + 1;
    assert_int_equal(bramble_table_read(&table, folder, NULL, NULL), BRAMBLE_OK);
    assert_int_equal(bramble_table_file_bytes(table) > (size_t)IMAGES * PIXELS, in_file);
    assert_int_equal(encoder_init(&encoder, table, NULL, NULL), BRAMBLE_OK);
    assert_int_equal(rows_init_listed(&rows, table, &encoder, numbers, 1000, NULL), BRAMBLE_OK);
    for (size_t i = 0; i < 1000; i++)
        for (uint32_t f = 0; f < PIXELS; f++)
            if (rows.bytes[i * PIXELS + f] != table->columns[f].bytes[numbers[i]]) fail_msg("row %zu", i);
    uint64_t sum = bramble_table_checksum(table);
    rows_fini(&rows);
    encoder_fini(&encoder);
    bramble_table_free(table);
    return sum;
}

/* Half of what a limit on this process's data leaves is less than the table takes. */
static void a_table_goes_into_the_file(void **state)
{
    (void)state;
    if (!MEASURES_MEMORY) skip();
    struct scratch s = scratch_new();
    struct rlimit before, little;
    setenv("BRAMBLE_CACHE", s.folder, 1);
    write_images(&s);
    uint64_t free_sum = sum_of(s.folder, false);
    getrlimit(RLIMIT_DATA, &before);
    little = (struct rlimit){60 << 20, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_DATA, &little), 0);
    getrlimit(RLIMIT_DATA, &little);
    bool limited = little.rlim_cur == 60 << 20; /* user-mode emulation takes no such limit */
    uint64_t limited_sum = limited ? sum_of(s.folder, true) : free_sum;
    setrlimit(RLIMIT_DATA, &before);
    if (!limited) {
        scratch_remove(&s);
        skip();
    }
    assert_true(free_sum == limited_sum);
    assert_int_equal(scratch_count(&s), 2);
    scratch_remove(&s);
}

/* Rows wider than what is worked on at a time, of floats and bytes. */
static void wide_rows_are_whole(void **state)
{
    (void)state;
    enum { ROWS = 70, FEATURES = 9001 };
    float *x = malloc(sizeof(float) * ROWS * FEATURES);
    uint32_t numbers[] = {3, 1, 69, 0, 42};
    assert_non_null(x);
    for (size_t i = 0; i < (size_t)ROWS * FEATURES; i++)
        x[i] = (float)(i * 2654435761u >> 8 & 255) + (i % FEATURES % 3 ? 0 : 0.5f);
    bramble_table *table;
    double y[ROWS];
    for (int r = 0; r < ROWS; r++) y[r] = r % 3;
    assert_int_equal(
        bramble_table_from_arrays(&table, ROWS, FEATURES, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION, NULL),
        BRAMBLE_OK);
    struct encoder encoder;
    struct rows rows;
    assert_int_equal(encoder_init(&encoder, table, NULL, NULL), BRAMBLE_OK);
    assert_int_equal(rows_init_listed(&rows, table, &encoder, numbers, 5, NULL), BRAMBLE_OK);
    assert_int_equal(rows.row_bytes, 3001 * 4 + 6000);
    for (size_t i = 0; i < 5; i++) {
        const uint8_t *at = rows.bytes + i * rows.row_bytes;
        assert_int_equal(((const uint32_t *)rows.targets)[i], numbers[i] % 3);
        for (size_t f = 0; f < FEATURES; f++, at += f % 3 == 1 ? 4 : 1) {
            float value = *at, wanted = x[numbers[i] * FEATURES + f];
            if (f % 3 == 0) memcpy(&value, at, sizeof value);
            if (value != wanted) fail_msg("row %zu, feature %zu", i, f);
        }
    }
    struct rows part = rows_part(&rows, 2, 3);
    assert_memory_equal(part.bytes, rows.bytes + 2 * rows.row_bytes, 3 * rows.row_bytes);
    assert_int_equal(((const uint32_t *)part.targets)[0], 69 % 3);
    rows_want(&part, numbers + 1, 1);
    rows_fini(&rows);
    encoder_fini(&encoder);
    bramble_table_free(table);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_kept),
        cmocka_unit_test(the_file_has_no_name),
        cmocka_unit_test(small_data_stay_on_the_heap),
        cmocka_unit_test(without_a_folder_the_heap_has_to_do),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(a_table_goes_into_the_file),
        cmocka_unit_test(wide_rows_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
