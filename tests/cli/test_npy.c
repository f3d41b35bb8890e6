/* Predictions as NPY files, read back by what the format's description says. */
#include "program.h"

struct npy {
    uint8_t *bytes;
    const uint8_t *values;
    size_t n_bytes; /* of values */
    char header[256];
};

static struct npy npy_read(struct scratch *s, const char *name)
{
    struct npy npy = {0};
    size_t n;
    npy.bytes = scratch_slurp(scratch_path(s, name), &n);
    assert_true(n >= 10);
    assert_memory_equal(npy.bytes, "\x93NUMPY\x01\x00", 8);
    size_t length = npy.bytes[8] | (size_t)npy.bytes[9] << 8;
    assert_true(10 + length <= n && length < sizeof npy.header);
    assert_int_equal((10 + length) % 64, 0);
    memcpy(npy.header, npy.bytes + 10, length);
    assert_int_equal(npy.header[length - 1], '\n');
    npy.values = npy.bytes + 10 + length;
    npy.n_bytes = n - 10 - length;
    return npy;
}

static void assert_described(const struct npy *npy, const char *type, const char *shape)
{
    char wanted[128];
    snprintf(wanted, sizeof wanted, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    if (strncmp(npy->header, wanted, strlen(wanted)) != 0) fail_msg("%s, wanted %s", npy->header, wanted);
}

/* Trains on `csv` until every row is known by heart, and writes predictions of the same rows to p.npy. */
static json_t *predict(struct scratch *s, const char *csv, const char *option)
{
    scratch_write(s, "a.csv", csv, strlen(csv));
    struct said said = DONE(s, "train", "forest", "a.csv", "--trees", "3", "--no-bootstrap", "--max-features",
                            "all", "--quiet");
    said_fini(&said);
    json_decref(JSON(s, "predict", "model.onnx", "a.csv", "--json", "--out", "p.npy", option));
    return JSON(s, "predict", "model.onnx", "a.csv", "--json", option);
}

static void test_whole_numbers(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    json_decref(predict(&s, "x,y\n1,-7\n2,300\n3,-7\n4,5\n", "--threads=1"));
    struct npy npy = npy_read(&s, "p.npy");
    assert_described(&npy, "<i8", "(4,)");
    static const int64_t wanted[] = {-7, 300, -7, 5};
    assert_int_equal(npy.n_bytes, sizeof wanted);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t value = 0;
        for (unsigned b = 0; b < 8; b++) value |= (uint64_t)npy.values[8 * i + b] << 8 * b;
        assert_true((int64_t)value == wanted[i]);
    }
    free(npy.bytes);
    scratch_remove(&s);
}

static uint32_t character(const struct npy *npy, size_t i)
{
    const uint8_t *b = npy->values + 4 * i;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void test_text(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    json_decref(predict(&s, "x,y\n1,a\n2,n\xc3\xa4h\n3,a\n4,\xf0\x9f\x8c\xb3\n", "--threads=1"));
    struct npy npy = npy_read(&s, "p.npy");
    assert_described(&npy, "<U3", "(4,)");
    static const uint32_t wanted[] = {'a', 0, 0, 'n', 0xe4, 'h', 'a', 0, 0, 0x1f333, 0, 0};
    assert_int_equal(npy.n_bytes, sizeof wanted);
    for (unsigned i = 0; i < 12; i++) assert_int_equal(character(&npy, i), wanted[i]);
    free(npy.bytes);
    scratch_remove(&s);
}

static float real(const struct npy *npy, size_t i)
{
    uint32_t bits = character(npy, i);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void test_probabilities(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    json_t *same = predict(&s, "x,y\n1,a\n2,b\n3,a\n4,c\n", "--proba");
    struct npy npy = npy_read(&s, "p.npy");
    assert_described(&npy, "<f4", "(4, 3)");
    assert_int_equal(npy.n_bytes, 48);
    for (size_t i = 0; i < 12; i++) {
        const json_t *row = json_array_get(json_object_get(same, "probabilities"), i / 3);
        assert_true(real(&npy, i) == (float)json_number_value(json_array_get(row, i % 3)));
    }
    free(npy.bytes);
    json_decref(same);
    scratch_remove(&s);
}

static void test_numbers(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    json_decref(predict(&s, "x,y\n1,0.5\n2,0.25\n3,-1000\n4,17.125\n", "--threads=1"));
    struct npy npy = npy_read(&s, "p.npy");
    assert_described(&npy, "<f4", "(4,)");
    assert_int_equal(npy.n_bytes, 16);
    static const float wanted[] = {0.5f, 0.25f, -1000.0f, 17.125f};
    for (unsigned i = 0; i < 4; i++)
        if (!(real(&npy, i) > wanted[i] - 1e-3f && real(&npy, i) < wanted[i] + 1e-3f))
            fail_msg("%g, wanted %g", (double)real(&npy, i), (double)wanted[i]);
    free(npy.bytes);
    scratch_remove(&s);
}

/* More rows than one block of output. */
static void test_many_rows(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_numbers_csv(&s, "a.csv", 9001, 1);
    struct said said = DONE(&s, "train", "forest", "a.csv", "--trees", "2", "--max-depth", "4", "--quiet");
    said_fini(&said);
    json_decref(JSON(&s, "predict", "model.onnx", "a.csv", "--json", "--out", "p.npy"));
    json_t *same = JSON(&s, "predict", "model.onnx", "a.csv", "--json");
    struct npy npy = npy_read(&s, "p.npy");
    assert_described(&npy, "<f4", "(9001,)");
    assert_int_equal(npy.n_bytes, 4 * 9001);
    for (size_t i = 0; i < 9001; i++)
        assert_true(real(&npy, i) ==
                    (float)json_number_value(json_array_get(json_object_get(same, "predictions"), i)));
    free(npy.bytes);
    json_decref(same);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_numbers), cmocka_unit_test(test_text),
        cmocka_unit_test(test_probabilities), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
