/* NPY files, made byte by byte. */
#include "npy_bytes.h"
#include "reading.h"

#include <math.h>

static const char *write_npy(struct scratch *s, const struct bytes *b)
{
    return scratch_write(s, "a.npy", b->data, b->n);
}

static void assert_npy_refused(struct scratch *s, const struct bytes *b, bramble_status status,
                               const char *why)
{
    assert_refused(reader_npy, write_npy(s, b), NULL, status, why);
}

/* 3 rows of (value, class): 1, 2 and the last column 0, 1, 0; the same bits in both byte orders. */
static void check_type(char kind, uint8_t size, const uint64_t bits[3], const uint64_t classes[3],
                       const double expected[3], bramble_feature_type type)
{
    struct scratch s = scratch_new();
    for (int big = 0; big <= 1; big++) {
        char descr[8];
        snprintf(descr, sizeof descr, "%c%c%d", size == 1 ? '|' : big ? '>' : '<', kind, size);
        struct bytes values = {0};
        for (int i = 0; i < 6; i++) {
            struct bytes one = {0};
            put_little(&one, i % 2 ? classes[i / 2] : bits[i / 2], size);
            for (size_t j = 0; j < size; j++) put(&values, &one.data[big ? size - 1 - j : j], 1);
        }
        struct bytes file = npy(descr, "False", "(3, 2)", values.data, values.n);
        bramble_table *t = assert_read(reader_npy, write_npy(&s, &file), NULL);
        assert_int_equal(t->n_rows, 3);
        assert_int_equal(t->schema.n_features, 1);
        assert_int_equal(t->schema.features[0].type, type);
        assert_string_equal(t->schema.features[0].name, "x0");
        assert_string_equal(t->schema.target_name, "x1");
        assert_string_equal(t->format, "npy");
        assert_column(t, 0, expected);
        assert_int_equal(t->classes[1], 1);
        assert_int_equal(t->classes[2], 0);
        bramble_table_free(t);
    }
    scratch_remove(&s);
}

static void test_whole_numbers(void **state)
{
    (void)state;
    const uint64_t classes[3] = {0, 1, 0}, minus_one = ~(uint64_t)0;
    const uint64_t bytes[3] = {1, 200, 255}, wide[3] = {1, 200, 60000}, below[3] = {1, 100, minus_one};
    for (uint8_t size = 1; size <= 8; size *= 2) {
        check_type('u', size, bytes, classes, (double[]){1, 200, 255}, BRAMBLE_FEATURE_BYTE);
        check_type('i', size, below, classes, (double[]){1, 100, -1}, BRAMBLE_FEATURE_NUMBER);
        if (size > 1) check_type('i', size, bytes, classes, (double[]){1, 200, 255}, BRAMBLE_FEATURE_BYTE);
        if (size > 1) check_type('u', size, wide, classes, (double[]){1, 200, 60000}, BRAMBLE_FEATURE_NUMBER);
    }
    const uint64_t top[3] = {minus_one, 0, (uint64_t)1 << 63};
    check_type('u', 8, top, classes, (double[]){0x1p64, 0, 0x1p63}, BRAMBLE_FEATURE_NUMBER);
    check_type('i', 8, top, classes, (double[]){-1, 0, -0x1p63}, BRAMBLE_FEATURE_NUMBER);
    const uint64_t truths[3] = {1, 0, 1};
    check_type('b', 1, truths, classes, (double[]){1, 0, 1}, BRAMBLE_FEATURE_BYTE);
}

static void test_floats(void **state)
{
    (void)state;
    check_type('f', 8, (uint64_t[]){0x3ff8000000000000, 0xc000000000000000, 0x7ff8000000000000},
               (uint64_t[]){0, 0x3ff0000000000000, 0}, (double[]){1.5, -2, NAN}, BRAMBLE_FEATURE_NUMBER);
    check_type('f', 4, (uint64_t[]){0x3fc00000, 0xc0000000, 0x7fc00000}, (uint64_t[]){0, 0x3f800000, 0},
               (double[]){1.5, -2, NAN}, BRAMBLE_FEATURE_NUMBER);
    const uint64_t classes[3] = {0, 0x3c00, 0};
    check_type('f', 2, (uint64_t[]){0x3e00, 0xc000, 0x7e00}, classes, (double[]){1.5, -2, NAN},
               BRAMBLE_FEATURE_NUMBER);
    check_type('f', 2, (uint64_t[]){0x7bff, 0x0001, 0x0400}, classes, (double[]){65504, 0x1p-24, 0x1p-14},
               BRAMBLE_FEATURE_NUMBER);
    check_type('f', 2, (uint64_t[]){0x83ff, 0x3555, 0x8000}, classes,
               (double[]){-1023 * 0x1p-24, 1365 * 0x1p-12, 0}, BRAMBLE_FEATURE_NUMBER);
    check_type('f', 4, (uint64_t[]){0x3f800000, 0x437f0000, 0x80000000}, (uint64_t[]){0, 0x3f800000, 0},
               (double[]){1, 255, 0}, BRAMBLE_FEATURE_BYTE);
}

static void test_infinities_are_refused(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct bytes values = {0};
    put_little(&values, 0x3c00, 2), put_little(&values, 0x3c00, 2);
    put_little(&values, 0x7c00, 2), put_little(&values, 0, 2);
    struct bytes file = npy("<f2", "False", "(2, 2)", values.data, values.n);
    assert_npy_refused(&s, &file, BRAMBLE_ERR_DATA, "row 2, column \"x0\"");
    values.n = 0;
    put_little(&values, 0x7fe0000000000000, 8), put_little(&values, 0, 8); /* too large for float32 */
    put_little(&values, 0, 8), put_little(&values, 0x3ff0000000000000, 8);
    file = npy("<f8", "False", "(2, 2)", values.data, values.n);
    assert_npy_refused(&s, &file, BRAMBLE_ERR_DATA, "row 1, column \"x0\"");
    scratch_remove(&s);
}

/* Shape (2, 3, 2): place in C order is 6 r + 2 h + w, which is the value, too. */
static void test_orders(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    uint8_t c_order[12], fortran[12];
    for (uint8_t i = 0; i < 12; i++) c_order[i] = i;
    for (uint8_t r = 0; r < 2; r++)
        for (uint8_t h = 0; h < 3; h++)
            for (uint8_t w = 0; w < 2; w++) fortran[r + 2 * (h + 3 * w)] = (uint8_t)(6 * r + 2 * h + w);
    for (int f = 0; f <= 1; f++) {
        struct bytes file =
            npy("|u1", f ? "True" : "False", "(2, 3, 2)", f ? fortran : c_order, sizeof c_order);
        bramble_table *t = assert_read(reader_npy, write_npy(&s, &file), NULL);
        assert_int_equal(t->schema.n_features, 5);
        for (uint32_t c = 0; c < 5; c++) assert_column(t, c, (double[]){c, 6 + c});
        assert_string_equal(t->schema.classes[1], "11");
        bramble_table_free(t);
    }
    scratch_remove(&s);
}

/* Many rows, where values stop being bytes halfway: room and types change on the way. */
static void test_long_columns(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    enum { ROWS = 100000 };
    for (int f = 0; f <= 1; f++) {
        struct bytes head = npy("<i2", f ? "True" : "False", "(100000, 2)", NULL, 0);
        uint8_t *bytes = calloc(1, head.n + ROWS * 4);
        memcpy(bytes, head.data, head.n);
        for (size_t r = 0; r < ROWS; r++) {
            uint16_t value = (uint16_t)(r < 50000 ? r % 200 : r % 30000), label = r % 3;
            memcpy(bytes + head.n + 2 * (f ? r : 2 * r), &value, 2);
            memcpy(bytes + head.n + 2 * (f ? ROWS + r : 2 * r + 1), &label, 2);
        }
        bramble_table *t =
            assert_read(reader_npy, scratch_write_gz(&s, "long.npy.gz", bytes, head.n + ROWS * 4), NULL);
        for (size_t r = 0; r < ROWS; r++) {
            assert_true(t->columns[0].numbers[r] == (float)(r < 50000 ? r % 200 : r % 30000));
            assert_int_equal(t->classes[r], r % 3);
        }
        bramble_table_free(t);
        free(bytes);
    }
    scratch_remove(&s);
}

static void test_headers(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2), }            \n",
        "{'descr': '<u1', 'fortran_order': False, 'shape': (3, 2)}",
        "{\"shape\":(3L,2L),\"fortran_order\":False,\"descr\":\"=u1\"}",
        " { 'shape' : ( 3 , 2 , ) , 'descr' : '>u1' , 'fortran_order' : False , }\n\n",
    };
    struct scratch s = scratch_new();
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        for (uint8_t version = 1; version <= 3; version++) {
            struct bytes b = npy_raw(version, good[i], "\1\0\2\1\3\0", 6);
            bramble_table *t = assert_read(reader_npy, write_npy(&s, &b), NULL);
            assert_column(t, 0, (double[]){1, 2, 3});
            bramble_table_free(t);
        }
    scratch_remove(&s);
}

static void test_malformed_headers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{",
        "{}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2)",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2)} x",
        "{'descr': '|u1', 'fortran_order': False}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2), 'shape': (3, 2)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2), 'more': 1}",
        "{'descr': '|u1' 'fortran_order': False, 'shape': (3, 2)}",
        "{'descr': '|u1', 'fortran_order': 0, 'shape': (3, 2)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': [3, 2]}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (6)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (3 2)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-3, 2)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (3.0, 2)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999, 2)}",
        "{'descr: |u1, 'fortran_order': False, 'shape': (3, 2)}",
        "{'descr': u1, 'fortran_order': False, 'shape': (3, 2)}",
        "{'descr': '|u2', 'fortran_order': False, 'shape': (3, 1)}",
    };
    struct scratch s = scratch_new();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bytes b = npy_raw(1, bad[i], "\1\0\2\1\3\0", 6);
        assert_npy_refused(&s, &b, BRAMBLE_ERR_DATA, "the NPY header has no valid");
    }
    struct bytes b =
        npy_raw(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2)}", "\1\0\2\1\3\0", 6);
    b.data[12] = 0; /* a byte within the text */
    assert_npy_refused(&s, &b, BRAMBLE_ERR_DATA, "the NPY header has no valid text");
    scratch_remove(&s);
}

static void test_unsupported(void **state)
{
    (void)state;
    static const char *const descrs[] = {"<U3", "|S5",     "|O", "<c8", "<f16", "<f1",
                                         "<i3", "<M8[ns]", "",   "u1",  "?"};
    struct scratch s = scratch_new();
    for (size_t i = 0; i < sizeof descrs / sizeof *descrs; i++) {
        struct bytes b = npy(descrs[i], "False", "(3, 2)", "\1\0\2\1\3\0", 6);
        assert_npy_refused(&s, &b, BRAMBLE_ERR_UNSUPPORTED, "are not read");
    }
    struct bytes b = npy_raw(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}", NULL, 0);
    assert_npy_refused(&s, &b, BRAMBLE_ERR_UNSUPPORTED, "record");
    b = npy("|u1", "False", "(3, 2)", "\1\0\2\1\3\0", 6);
    b.data[6] = 4;
    assert_npy_refused(&s, &b, BRAMBLE_ERR_UNSUPPORTED, "version 4.0");
    b.data[6] = 1, b.data[0] = 'x';
    assert_npy_refused(&s, &b, BRAMBLE_ERR_DATA, "not an NPY array");
    b = npy_raw(2, "{}", NULL, 0);
    b.data[11] = 1; /* a header of 16 MB */
    assert_npy_refused(&s, &b, BRAMBLE_ERR_DATA, "cannot be");
    scratch_remove(&s);
}

static void test_sizes(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct bytes b = npy("|u1", "False", "()", "\1", 1);
    assert_npy_refused(&s, &b, BRAMBLE_ERR_DATA, "a single value");
    b = npy("|u1", "False", "(0, 4)", NULL, 0);
    assert_npy_refused(&s, &b, BRAMBLE_ERR_DATA, "empty");
    b = npy("<f8", "False", "(4294967296, 4294967296)", NULL, 0);
    assert_npy_refused(&s, &b, BRAMBLE_ERR_DATA, "overflow");
    b = npy("<f8", "False", "(0, 4294967296, 4294967296)", NULL, 0);
    assert_npy_refused(&s, &b, BRAMBLE_ERR_DATA, "overflow");
    b = npy("<f8", "True", "(1152921504606846976, 2)", NULL, 0);
    assert_npy_refused(&s, &b, BRAMBLE_ERR_DATA, "overflow");
    b = npy("<f8", "True", "(1000000000, 2)", NULL, 0);
    assert_npy_refused(&s, &b, BRAMBLE_ERR_DATA, "the header promises");
    b = npy("|u1", "False", "(2, 1000001)", NULL, 0);
    assert_npy_refused(&s, &b, BRAMBLE_ERR_UNSUPPORTED, "1000001 values");
    b = npy("|u1", "False", "(3,)", "\1\2\3", 3);
    assert_npy_refused(&s, &b, BRAMBLE_ERR_DATA, "no feature");
    scratch_remove(&s);
}

static void test_truncated(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    for (int f = 0; f <= 1; f++) {
        struct bytes b = npy("<i2", f ? "True" : "False", "(3, 2)", "\1\0\2\0\3\0\4\0\5\0\6\0", 12);
        for (size_t n = 0; n <= b.n + 1; n++) {
            if (n == b.n) continue;
            scratch_write(&s, "a.npy", b.data, n);
            assert_refused(reader_npy, s.path, NULL, BRAMBLE_ERR_DATA, "a.npy");
            scratch_write_gz(&s, "a.npy.gz", b.data, n);
            assert_refused(reader_npy, s.path, NULL, BRAMBLE_ERR_DATA, "a.npy.gz");
        }
    }
    scratch_remove(&s);
}

static void test_lies_are_cheap(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    enum { REAL = 400000 };
    uint8_t *bytes = malloc(REAL);
    uint32_t random = 1;
    for (size_t i = 0; i < REAL; i++) bytes[i] = (uint8_t)((random = random * 1664525u + 1013904223u) >> 24);
    for (int f = 0; f <= 1; f++) {
        struct bytes head = npy("<f8", f ? "True" : "False", "(4000000, 10)", NULL, 0); /* 320 MB */
        memcpy(bytes, head.data, head.n);
        scratch_write_gz(&s, "a.npy.gz", bytes, REAL);
        assert_refused(reader_npy, s.path, NULL, BRAMBLE_ERR_DATA, "truncated");
        assert_lie_is_cheap(reader_npy, s.path, 32 << 20);
    }
    free(bytes);
    scratch_remove(&s);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct bytes b = npy("<i2", "True", "(3, 3)", "\1\0\2\0\3\0\1\1\2\0\3\0\0\0\1\0\1\0", 18);
    assert_survives_no_memory(reader_npy, scratch_write_gz(&s, "a.npy", b.data, b.n), NULL);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_infinities_are_refused),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_long_columns),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_malformed_headers),
        cmocka_unit_test(test_unsupported),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_lies_are_cheap),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
