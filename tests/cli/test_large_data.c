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

static json_t *train(const struct scratch *s)
{
    return JSON(s, "train", "net", "train-images-idx3-ubyte", "--net", "linear", "--epochs", "1",
                "--batch-size", "256", "--validation", "0.01", "--threads", "1", "--json");
}

static void test_the_network_is_the_same(void **state)
{
    (void)state;
    if (!LIMITS_WORK) skip();
    struct scratch s = scratch_new();
    struct rlimit before, little;
    write_images(&s);
    setenv("BRAMBLE_CACHE", scratch_path(&s, "cache"), 1);
    json_t *free = train(&s);
    assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
    little = (struct rlimit){DATA_LIMIT, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_DATA, &little), 0);
    json_t *limited = train(&s);
    setrlimit(RLIMIT_DATA, &before);
    assert_true(json_number_of(limited, "file_bytes") > 2.0 * ROWS * SIDE * SIDE);
    assert_string_equal(json_text_of(free, "model_hash"), json_text_of(limited, "model_hash"));
    assert_int_equal(rmdir(scratch_path(&s, "cache")), 0); /* it is empty */
    json_decref(free);
    json_decref(limited);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_network_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
