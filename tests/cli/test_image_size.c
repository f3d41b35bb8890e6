/* --image-size: folders of images of any sizes become rows of one, which a model then knows. */
#include "data/pictures.h"
#include "program.h"

enum { IMAGES = 12 };

/* Pictures of `side` and more pixels that get brighter to the right or downwards. */
static void write_pictures(struct scratch *s, const char *folder, uint32_t side)
{
    static const char *const classes[] = {"across", "down"};
    char name[64];
    assert_int_equal(mkdir(scratch_path(s, folder), 0700), 0);
    for (uint32_t c = 0; c < 2; c++) {
        snprintf(name, sizeof name, "%s/%s", folder, classes[c]);
        assert_int_equal(mkdir(scratch_path(s, name), 0700), 0);
        for (uint32_t i = 0; i < IMAGES; i++) {
            uint32_t height = side + i % 3, width = side + i % 5;
            uint8_t pixels[64 * 64];
            for (uint32_t p = 0; p < height * width; p++)
                pixels[p] = (uint8_t)(10 * i + 100 * (c ? p / width : p % width) / side);
            snprintf(name, sizeof name, "%s/%s/%u.png", folder, classes[c], i);
            picture_write_png(s, name, (struct picture){height, width, PNG_COLOR_TYPE_GRAY, 8, 0, pixels});
        }
    }
}

static void test_data_say_the_size(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_pictures(&s, "small", 20);
    json_t *data = JSON(&s, "data", "small", "--image-size", "6x9", "--json");
    assert_true(json_number_of(data, "features") == 6 * 9);
    const json_t *size = json_object_get(data, "image_size");
    assert_int_equal(json_integer_value(json_array_get(size, 0)), 6);
    assert_int_equal(json_integer_value(json_array_get(size, 1)), 9);
    json_decref(data);
    struct said said = DONE(&s, "data", "small", "--image-size", "6x9");
    assert_non_null(strstr(said.out, "images      6x9 pixels, grey\n"));
    said_fini(&said);
    scratch_remove(&s);
}

/* The model fits larger images to its own size: to the same rows as if they had been asked for in it. */
static void check_fits(struct scratch *s)
{
    json_t *evaluated = JSON(s, "evaluate", "model.onnx", "large", "--json");
    assert_true(json_number_of(evaluated, "accuracy") == 1);
    json_decref(evaluated);
    struct said said = DONE(s, "predict", "model.onnx", "large/down/7.png");
    assert_non_null(strstr(said.out, "down\n"));
    said_fini(&said);
}

static void test_models_know_their_size(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_pictures(&s, "small", 20);
    write_pictures(&s, "large", 59);
    json_t *forest = JSON(&s, "train", "forest", "small", "--image-size", "8x8", "--trees", "20", "--test",
                          "large", "--json");
    assert_true(json_number_of(forest, "accuracy") == 1);
    json_decref(forest);
    check_fits(&s);
    json_t *net = JSON(&s, "train", "net", "small", "--image-size", "8x8", "--net", "cnn", "--epochs", "20",
                       "--batch-size", "4", "--test", "large", "--json");
    assert_true(json_number_of(net, "accuracy") == 1);
    json_decref(net);
    check_fits(&s);
    struct said said = DONE(&s, "show", "last");
    assert_non_null(strstr(said.out, "8x8"));
    said_fini(&said);
    scratch_remove(&s);
}

static void test_what_cannot_be(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_pictures(&s, "small", 20);
    write_kinds_csv(&s, "kinds.csv", 20, 1);
    FAILS(2, "--image-size: \"8\" is not a height and a width", &s, "data", "small", "--image-size", "8");
    FAILS(2, "image_size: 2000x2000 is out of range", &s, "data", "small", "--image-size", "2000x2000");
    FAILS(2, "kinds.csv holds no PNG or JPEG images", &s, "train", "forest", "kinds.csv", "--image-size",
          "8x8");
    struct said said = DONE(&s, "train", "net", "small", "--image-size", "8x8", "--epochs", "1");
    said_fini(&said);
    FAILS(1, "; image_size fits folders of images to it", &s, "train", "net", "small", "--image-size", "9x8",
          "--net", "model.onnx", "--out", "other.onnx");
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_say_the_size),
        cmocka_unit_test(test_models_know_their_size),
        cmocka_unit_test(test_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
