/* Single images: decoding, damage, fitting to a size. */
#include <stdbool.h>

#include "base/mem.h"
#include "data/image.h"
#include "pictures.h"

enum { HEIGHT = 6, WIDTH = 8 };

static void fill(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)(17 * i + 3);
}

static struct image assert_image(const char *path, uint32_t channels)
{
    struct image image = {0}, head = {0};
    bramble_error error = {0};
    if (image_read(&image, path, false, &error)) fail_msg("%s", error.message);
    assert_int_equal(image_read(&head, path, true, NULL), BRAMBLE_OK);
    assert_null(head.pixels);
    assert_int_equal(head.height, HEIGHT);
    assert_int_equal(image.height, HEIGHT);
    assert_int_equal(head.width, WIDTH);
    assert_int_equal(image.width, WIDTH);
    assert_int_equal(head.channels, channels);
    assert_int_equal(image.channels, channels);
    return image;
}

/* Kind of PNG by kind: what comes out of bytes, 8 to a channel and pixel, that count up by 17. */
static void reads_every_kind_of_png(void **state)
{
    (void)state;
    static const struct {
        int colour, depth;
        uint32_t channels;
    } kinds[] = {{PNG_COLOR_TYPE_GRAY, 8, 1},      {PNG_COLOR_TYPE_GRAY, 16, 1},
                 {PNG_COLOR_TYPE_GRAY, 1, 1},      {PNG_COLOR_TYPE_GRAY_ALPHA, 8, 1},
                 {PNG_COLOR_TYPE_RGB, 8, 3},       {PNG_COLOR_TYPE_RGB, 16, 3},
                 {PNG_COLOR_TYPE_RGB_ALPHA, 8, 3}, {PNG_COLOR_TYPE_PALETTE, 8, 3}};
    struct scratch s = scratch_new();
    uint8_t bytes[HEIGHT * WIDTH * 8];
    fill(bytes, sizeof bytes);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int interlace = 0; interlace < 2; interlace++) {
            int colour = kinds[k].colour, depth = kinds[k].depth;
            picture_write_png(&s, "a.png", (struct picture){HEIGHT, WIDTH, colour, depth, interlace, bytes});
            struct image image = assert_image(s.path, kinds[k].channels);
            uint32_t stored = kinds[k].channels + !!(colour & PNG_COLOR_MASK_ALPHA);
            for (uint32_t i = 0; i < HEIGHT * WIDTH; i++)
                for (uint32_t c = 0; c < kinds[k].channels; c++) {
                    int got = image.pixels[i * kinds[k].channels + c], v = bytes[i];
                    if (colour == PNG_COLOR_TYPE_PALETTE)
                        assert_int_equal(got, c == 0 ? v : c == 1 ? 255 - v : v / 2);
                    else if (depth == 8)
                        assert_int_equal(got, bytes[i * stored + c]);
                    else if (depth == 1)
                        assert_int_equal(got, bytes[i / 8] >> (7 - i % 8) & 1 ? 255 : 0);
                    else
                        assert_in_range(got - bytes[2 * (i * stored + c)] + 1, 0, 2);
                }
            image_fini(&image);
        }
    scratch_remove(&s);
}

static void reads_jpeg(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    uint8_t bytes[HEIGHT * WIDTH * 3];
    for (int i = 0; i < HEIGHT * WIDTH * 3; i++) bytes[i] = (uint8_t)(40 + i % 3 * 60 + i / 3);
    for (int i = 0; i < 4; i++) {
        int channels = i & 1 ? 3 : 1;
        picture_write_jpeg(&s, "a.jpg", HEIGHT, WIDTH, channels, i & 2, bytes);
        struct image image = assert_image(s.path, (uint32_t)channels);
        for (int p = 0; channels == 3 && p < HEIGHT * WIDTH * 3; p++)
            assert_in_range(image.pixels[p] - bytes[p] + 8, 0, 16);
        image_fini(&image);
    }
    scratch_remove(&s);
}

static void assert_refused(const char *path, const void *bytes, size_t n, bramble_status expected,
                           const char *why)
{
    struct image image = {0};
    bramble_error error = {0};
    bramble_status status = image_decode(&image, path, bytes, n, false, &error);
    if (status != expected) fail_msg("%zu bytes: status %d: %s", n, status, error.message);
    assert_null(image.pixels);
    assert_int_equal(strncmp(error.message, path, strlen(path)), 0);
    assert_null(strchr(error.message, '\n'));
    if (!strstr(error.message, why)) fail_msg("not \"%s\" but %s", why, error.message);
    assert_int_equal(image_decode(&image, path, bytes, n, false, NULL), expected);
}

static void refuses_what_is_cut_short(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    uint8_t bytes[HEIGHT * WIDTH * 3];
    fill(bytes, sizeof bytes);
    size_t n;
    picture_write_png(&s, "a.png", (struct picture){HEIGHT, WIDTH, PNG_COLOR_TYPE_RGB, 8, 0, bytes});
    uint8_t *file = scratch_slurp(s.path, &n);
    for (size_t cut = 0; cut < n; cut++) assert_refused("a.png", file, cut, BRAMBLE_ERR_DATA, "");
    assert_refused("a.png", file, n - 1, BRAMBLE_ERR_DATA, "damaged PNG image (the file ends too early)");
    free(file);
    for (int progressive = 0; progressive < 2; progressive++) {
        picture_write_jpeg(&s, "a.jpg", HEIGHT, WIDTH, 3, progressive, bytes);
        file = scratch_slurp(s.path, &n);
        for (size_t cut = 0; cut < n - 1; cut++) assert_refused("a.jpg", file, cut, BRAMBLE_ERR_DATA, "");
        assert_refused("a.jpg", file, n / 2, BRAMBLE_ERR_DATA, "damaged JPEG image (");
        free(file);
    }
    scratch_remove(&s);
}

/* Any byte changed: never a crash, never a message of more than a line. */
static void survives_damage(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    uint8_t bytes[HEIGHT * WIDTH * 3];
    fill(bytes, sizeof bytes);
    for (int kind = 0; kind < 3; kind++) {
        size_t n;
        if (kind == 0)
            picture_write_png(&s, "a", (struct picture){HEIGHT, WIDTH, PNG_COLOR_TYPE_RGB, 8, 1, bytes});
        else
            picture_write_jpeg(&s, "a", HEIGHT, WIDTH, 3, kind == 2, bytes);
        uint8_t *file = scratch_slurp(s.path, &n);
        for (size_t i = 0; i < n; i++)
            for (int bit = 0; bit < 8; bit += 3) {
                struct image image = {0};
                bramble_error error = {0};
                file[i] ^= (uint8_t)(1 << bit);
                bramble_status status = image_decode(&image, "a", file, n, false, &error);
                assert_int_equal(status, error.status);
                assert_true((status == BRAMBLE_OK) == (image.pixels != NULL));
                assert_null(strchr(error.message, '\n'));
                image_fini(&image);
                file[i] ^= (uint8_t)(1 << bit);
            }
        free(file);
    }
    scratch_remove(&s);
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void refuses_giants_and_strangers(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    uint8_t bytes[HEIGHT * WIDTH * 4];
    fill(bytes, sizeof bytes);
    size_t n;
    picture_write_png(&s, "a.png", (struct picture){HEIGHT, WIDTH, PNG_COLOR_TYPE_GRAY, 8, 0, bytes});
    uint8_t *file = scratch_slurp(s.path, &n);
    put32(file + 16, 16384);
    put32(file + 20, 16384);
    put32(file + 29, (uint32_t)crc32(0, file + 12, 17));
    assert_refused("a.png", file, n, BRAMBLE_ERR_DATA, "16384 x 16384 pixels");
    put32(file + 16, 16385);
    put32(file + 20, 1);
    put32(file + 29, (uint32_t)crc32(0, file + 12, 17));
    assert_refused("a.png", file, n, BRAMBLE_ERR_DATA, "");
    free(file);
    picture_write_jpeg(&s, "a.jpg", HEIGHT, WIDTH, 4, false, bytes);
    file = scratch_slurp(s.path, &n);
    assert_refused("a.jpg", file, n, BRAMBLE_ERR_UNSUPPORTED, "4 colours");
    free(file);
    assert_refused("a.png", "GIF89a", 6, BRAMBLE_ERR_DATA, "neither a PNG nor a JPEG");
    assert_refused("a.png", "", 0, BRAMBLE_ERR_DATA, "neither a PNG nor a JPEG");
    scratch_remove(&s);
}

static void fit(const struct image *image, uint32_t height, uint32_t width, uint32_t channels, uint8_t *out)
{
    assert_int_equal(image_fit(image, height, width, channels, out, NULL), BRAMBLE_OK);
}

static void fits_to_a_size(void **state)
{
    (void)state;
    uint8_t grey[HEIGHT * WIDTH], out[4096], even[3 * 64];
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) grey[y * WIDTH + x] = (uint8_t)(16 * x + 4 * y);
    struct image image = {HEIGHT, WIDTH, 1, grey};
    fit(&image, HEIGHT, WIDTH, 1, out);
    assert_memory_equal(out, grey, sizeof grey);
    fit(&image, HEIGHT, WIDTH, 3, out);
    for (int i = 0; i < 3 * HEIGHT * WIDTH; i++) assert_int_equal(out[i], grey[i / 3]);
    fit(&image, 3, 4, 1, out); /* a slope stays one: inside, the mean of four pixels */
    for (int y = 1; y < 2; y++)
        for (int x = 1; x < 3; x++) assert_int_equal(out[y * 4 + x], 16 * 2 * x + 8 + 4 * 2 * y + 2);
    fit(&image, 6, 6, 1, out); /* the middle, cut without scaling */
    for (int y = 0; y < 6; y++)
        for (int x = 0; x < 6; x++) assert_int_equal(out[y * 6 + x], grey[y * WIDTH + x + 1]);
    for (size_t i = 0; i < sizeof even; i++) even[i] = (uint8_t[]){250, 100, 7}[i % 3];
    struct image colour = {4, 16, 3, even};
    fit(&colour, 31, 17, 3, out);
    for (int i = 0; i < 31 * 17 * 3; i++) assert_int_equal(out[i], even[i % 3]);
    fit(&colour, 1, 1, 1, out);
    assert_int_equal(out[0], (299 * 250 + 587 * 100 + 114 * 7 + 500) / 1000);
}

/* The same bytes on every processor. */
static void fits_to_the_same_pixels_everywhere(void **state)
{
    (void)state;
    uint8_t pixels[64 * 48 * 3], out[50 * 90 * 3];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
    struct image image = {64, 48, 3, pixels};
    static const struct {
        uint32_t height, width, channels;
        unsigned long sum;
    } cases[] = {
        {28, 28, 1, 0x2677bc96}, {50, 90, 3, 0xe6a090b0}, {63, 49, 3, 0xe55d5829}, {7, 1, 1, 0x4d8fd3bc}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t height = cases[i].height, width = cases[i].width, channels = cases[i].channels;
        fit(&image, height, width, channels, out);
        unsigned long sum = crc32(0, out, height * width * channels);
        if (sum != cases[i].sum) fail_msg("%u x %u x %u: %#lx", height, width, channels, sum);
    }
}

static void survives_no_memory(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    uint8_t bytes[HEIGHT * WIDTH * 3], out[300];
    fill(bytes, sizeof bytes);
    for (int kind = 0; kind < 2; kind++) {
        if (kind)
            picture_write_jpeg(&s, "a", HEIGHT, WIDTH, 3, false, bytes);
        else
            picture_write_png(&s, "a", (struct picture){HEIGHT, WIDTH, PNG_COLOR_TYPE_PALETTE, 8, 1, bytes});
        for (size_t n = 1;; n++) {
            struct image image = {0};
            bramble_error error = {0};
            mem_fail_at(n, 1);
            bramble_status status = image_read(&image, s.path, false, &error);
            if (!status) status = image_fit(&image, 10, 10, 3, out, &error);
            size_t count = mem_fail_count();
            mem_fail_at(0, 0);
            image_fini(&image);
            if (status == BRAMBLE_OK && count < n) break;
            if (status) assert_int_equal(status, BRAMBLE_ERR_MEMORY);
            assert_int_equal(error.status, status);
        }
    }
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind_of_png),
        cmocka_unit_test(reads_jpeg),
        cmocka_unit_test(refuses_what_is_cut_short),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(refuses_giants_and_strangers),
        cmocka_unit_test(fits_to_a_size),
        cmocka_unit_test(fits_to_the_same_pixels_everywhere),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
