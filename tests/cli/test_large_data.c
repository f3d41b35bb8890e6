/* bramble train net on data that memory cannot hold: the same network, from a file that is gone afterwards.
 */
#include <sys/resource.h>

#include "program.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { LIMITS_WORK = 0 }; /* a sanitizer's own memory would count */
#else
enum { LIMITS_WORK = 1 };
#endif

enum {
    ROWS = 150000,
    SIDE = 28,
    DATA_LIMIT = 220 << 20, /* bytes; OpenBLAS takes a good part of them */
};

static void put_number(FILE *file, uint32_t n)
{
    const uint8_t bytes[] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    assert_int_equal(fwrite(bytes, 1, sizeof bytes, file), sizeof bytes);
}

/* Images whose class shows in how bright a line is, and noise. */
static void write_images(struct scratch *s)
{
    FILE *images = fopen(scratch_path(s, "train-images-idx3-ubyte"), "wb");
    FILE *labels = fopen(scratch_path(s, "train-labels-idx1-ubyte"), "wb");
    assert_non_null(images);
    assert_non_null(labels);
    put_number(images, 0x803);
    put_number(labels, 0x801);
    put_number(images, ROWS);
    put_number(labels, ROWS);
    put_number(images, SIDE);
    put_number(images, SIDE);
    uint32_t noise = 1;
    for (uint32_t r = 0; r < ROWS; r++) {
        uint8_t image[SIDE * SIDE], label = r % 10;
        for (size_t i = 0; i < sizeof image; i++) image[i] = (noise = noise * 1664525 + 1013904223) >> 25;
        memset(image + 2 * label * SIDE, 200, SIDE);
        assert_int_equal(fwrite(image, 1, sizeof image, images), sizeof image);
        fputc(label, labels);
    }
    assert_int_equal(fclose(images), 0);
    assert_int_equal(fclose(labels), 0);
}

/* An NPY file of bytes: rows of noise, in which one number shows the class; at their ends a weight, 0 to 3,
 * and the class. */
static void write_weighted_table(struct scratch *s)
{
    FILE *file = fopen(scratch_path(s, "weighted.npy"), "wb");
    assert_non_null(file);
    char text[118];
    snprintf(text, sizeof text, "{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d), }", ROWS,
             SIDE * SIDE + 2);
    fprintf(file, "\x93NUMPY\x01%cv%c%-117s\n", 0, 0, text);
    uint32_t noise = 1;
    for (uint32_t r = 0; r < ROWS; r++) {
        uint8_t row[SIDE * SIDE + 2], label = r % 10;
        for (size_t i = 0; i < sizeof row; i++) row[i] = (noise = noise * 1664525 + 1013904223) >> 25;
        row[label] = 200;
        row[SIDE * SIDE] = row[0] % 4;
        row[SIDE * SIDE + 1] = label;
        assert_int_equal(fwrite(row, 1, sizeof row, file), sizeof row);
    }
    assert_int_equal(fclose(file), 0);
}

/* `words` train the same network when memory cannot hold the data: so many bytes of them are in a file then.
 */
static void assert_the_same(struct scratch *s, const char *const *words, double file_bytes)
{
    struct rlimit before, little;
    setenv("BRAMBLE_CACHE", scratch_path(s, "cache"), 1);
    json_t *free = said_json(program_run(s, words));
    assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
    little = (struct rlimit){DATA_LIMIT, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_DATA, &little), 0);
    json_t *limited = said_json(program_run(s, words));
    setrlimit(RLIMIT_DATA, &before);
    assert_true(json_number_of(free, "file_bytes") == 0);
    assert_true(json_number_of(limited, "file_bytes") > file_bytes);
    assert_string_equal(json_text_of(free, "model_hash"), json_text_of(limited, "model_hash"));
    assert_int_equal(rmdir(scratch_path(s, "cache")), 0); /* it is empty */
    json_decref(free);
    json_decref(limited);
}

#define TRAINING                                                                                             \
    "--net", "linear", "--epochs", "1", "--batch-size", "256", "--validation", "0.01", "--threads", "1",     \
        "--json", NULL

static void test_the_network_is_the_same(void **state)
{
    (void)state;
    if (!LIMITS_WORK) skip();
    struct scratch s = scratch_new();
    write_images(&s);
    assert_the_same(&s, (const char *const[]){"train", "net", "train-images-idx3-ubyte", TRAINING},
                    2.0 * ROWS * SIDE * SIDE);
    scratch_remove(&s);
}

/* A weight is a double of the table and a float of the rows, beside 4 bytes of their classes. */
static void test_weights_are_in_the_file_too(void **state)
{
    (void)state;
    if (!LIMITS_WORK) skip();
    struct scratch s = scratch_new();
    write_weighted_table(&s);
    assert_the_same(&s,
                    (const char *const[]){"train", "net", "weighted.npy", "--sample-weight", "784", TRAINING},
                    ROWS * (2.0 * SIDE * SIDE + 8 + 4 + 4));
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_network_is_the_same),
        cmocka_unit_test(test_weights_are_in_the_file_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
