/* The forest does not depend on threads or on the processor's features. */
#include "base/cpu.h"
#include "program.h"

struct hash {
    char text[64];
};

static struct hash train(struct scratch *s, const char *data, const char *splitter, const char *threads,
                         const char *cpu)
{
    struct hash hash;
    json_t *trained = JSON(s, "train", "forest", data, "--trees", "12", "--splitter", splitter, "--threads",
                           threads, "--cpu", cpu, "--json");
    snprintf(hash.text, sizeof hash.text, "%s", json_text_of(trained, "model_hash"));
    json_decref(trained);
    return hash;
}

static void check(struct scratch *s, const char *data, const char *splitter)
{
    static const char *const threads[] = {"2", "3", "8"}, *const levels[] = {"neon", "avx2", "avx512"};
    struct hash plain = train(s, data, splitter, "1", "plain");
    assert_int_equal(strlen(plain.text), 32);
    for (unsigned i = 0; i < 3; i++)
        assert_string_equal(train(s, data, splitter, threads[i], "plain").text, plain.text);
    for (unsigned i = 0; i < 3; i++) {
        enum cpu_level level;
        if (cpu_level_parse(levels[i], &level))
            assert_string_equal(train(s, data, splitter, "2", levels[i]).text, plain.text);
        else
            FAILS(2, levels[i], s, "train", "forest", data, "--cpu", levels[i]);
    }
    struct said said = DONE(s, "inspect", "model.onnx", "--hash");
    assert_int_equal(strncmp(said.out, plain.text, 32), 0);
    said_fini(&said);
}

static void test_same_hash(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 700, 1);
    write_numbers_csv(&s, "numbers.csv", 700, 1);
    check(&s, "kinds.csv", "best");
    check(&s, "kinds.csv", "random");
    check(&s, "numbers.csv", "best");
    check(&s, "numbers.csv", "random");
    scratch_remove(&s);
}

static void test_seeds_differ(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 200, 1);
    json_t *a = JSON(&s, "train", "forest", "kinds.csv", "--trees", "3", "--seed", "1", "--json");
    json_t *b = JSON(&s, "train", "forest", "kinds.csv", "--trees", "3", "--random-state=2", "--json");
    assert_string_not_equal(json_text_of(a, "model_hash"), json_text_of(b, "model_hash"));
    json_decref(a);
    json_decref(b);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_hash),
        cmocka_unit_test(test_seeds_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
