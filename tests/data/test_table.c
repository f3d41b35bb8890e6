/* Tables from arrays: types, tasks, classes, checks, checksum, holdout. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "data/table.h"

static bramble_error error;

static bramble_table *make(size_t n, uint32_t f, const float *x, const double *y, const double *w,
                           bramble_task task)
{
    bramble_table *table = NULL;
    bramble_status status = bramble_table_from_arrays(&table, n, f, x, y, w, task, &error);
    if (status != BRAMBLE_OK) assert_null(table);
    return status == BRAMBLE_OK ? table : NULL;
}

static void types_follow_the_values(void **state)
{
    (void)state;
    const float x[] = {0, 0.5f, 255, 3, 1, NAN, 254, -0.0f, 2, 1, 1, 256};
    const double y[] = {7, 3, 7};
    bramble_table *t = make(3, 4, x, y, NULL, BRAMBLE_TASK_AUTO);
    assert_non_null(t);
    const bramble_schema *s = bramble_table_schema(t);
    assert_int_equal(bramble_schema_feature_type(s, 0), BRAMBLE_FEATURE_BYTE);
    assert_int_equal(bramble_schema_feature_type(s, 1), BRAMBLE_FEATURE_NUMBER);
    assert_int_equal(bramble_schema_feature_type(s, 2), BRAMBLE_FEATURE_BYTE);
    assert_int_equal(bramble_schema_feature_type(s, 3), BRAMBLE_FEATURE_NUMBER);
    assert_string_equal(bramble_schema_feature_name(s, 3), "x3");
    assert_null(bramble_schema_feature_name(s, 4));
    assert_int_equal(bramble_table_n_missing(t, 1), 1);
    assert_int_equal(bramble_table_n_missing(t, 0), 0);
    assert_int_equal(bramble_table_bytes(t), 3 * (1 + 4 + 1 + 4 + 2));
    double low, high;
    assert_true(bramble_table_range(t, 3, &low, &high));
    assert_true(low == 0 && high == 256 && !signbit(low));
    assert_true(bramble_table_range(t, 1, &low, &high));
    assert_true(low == 0.5 && high == 1);
    assert_string_equal(bramble_table_format(t), "array");
    bramble_table_free(t);
}

static void classes_are_sorted_by_value(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4};
    const double y[] = {10, 9, -1, 10};
    bramble_table *t = make(4, 1, x, y, NULL, BRAMBLE_TASK_AUTO);
    const bramble_schema *s = bramble_table_schema(t);
    assert_int_equal(bramble_schema_task(s), BRAMBLE_TASK_CLASSIFICATION);
    assert_int_equal(bramble_schema_n_classes(s), 3);
    assert_string_equal(bramble_schema_class_name(s, 0), "-1");
    assert_string_equal(bramble_schema_class_name(s, 1), "9");
    assert_string_equal(bramble_schema_class_name(s, 2), "10");
    assert_int_equal(bramble_table_class_count(t, 2), 2);
    assert_int_equal(bramble_table_class_count(t, 3), 0);
    assert_string_equal(bramble_schema_target_name(s), "y");
    uint32_t code = 9;
    assert_true(schema_class_code(s, "9.0", 3, &code));
    assert_int_equal(code, 1);
    assert_true(schema_class_code(s, "010", 3, &code));
    assert_int_equal(code, 2);
    assert_false(schema_class_code(s, "8", 1, &code));
    bramble_table_free(t);
}

static void many_or_fractional_values_are_numbers(void **state)
{
    (void)state;
    float x[101];
    double y[101];
    for (int i = 0; i < 101; i++) x[i] = (float)i, y[i] = i;
    bramble_table *t = make(100, 1, x, y, NULL, BRAMBLE_TASK_AUTO);
    assert_int_equal(bramble_schema_n_classes(bramble_table_schema(t)), 100);
    bramble_table_free(t);
    t = make(101, 1, x, y, NULL, BRAMBLE_TASK_AUTO);
    assert_int_equal(bramble_schema_task(bramble_table_schema(t)), BRAMBLE_TASK_REGRESSION);
    assert_true(t->values[100] == 100);
    bramble_table_free(t);
    t = make(101, 1, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION);
    assert_int_equal(bramble_schema_n_classes(bramble_table_schema(t)), 101);
    bramble_table_free(t);
    y[0] = 0.5;
    t = make(2, 1, x, y, NULL, BRAMBLE_TASK_AUTO);
    assert_int_equal(bramble_schema_task(bramble_table_schema(t)), BRAMBLE_TASK_REGRESSION);
    bramble_table_free(t);
}

static void refuse(bramble_status status, const char *part, size_t n, uint32_t f, const float *x,
                   const double *y, const double *w, bramble_task task)
{
    bramble_table *table = NULL;
    assert_int_equal(bramble_table_from_arrays(&table, n, f, x, y, w, task, &error), status);
    assert_null(table);
    if (!strstr(error.message, part)) fail_msg("\"%s\" lacks \"%s\"", error.message, part);
}

static void bad_arrays_are_refused(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, INFINITY}, good[] = {1, 2};
    const double y[] = {1, 1}, nan_y[] = {1, NAN}, inf_y[] = {INFINITY, 1}, ok[] = {0, 1};
    const double negative[] = {1, -1}, zero[] = {0, 0}, nan_w[] = {NAN, 1};
    refuse(BRAMBLE_ERR_DATA, "row 2, column \"x1\"", 2, 2, x, ok, NULL, BRAMBLE_TASK_AUTO);
    refuse(BRAMBLE_ERR_DATA, "only one class, \"1\"", 2, 1, good, y, NULL, BRAMBLE_TASK_AUTO);
    refuse(BRAMBLE_ERR_DATA, "row 2: the target \"y\" is missing", 2, 1, good, nan_y, NULL,
           BRAMBLE_TASK_AUTO);
    refuse(BRAMBLE_ERR_DATA, "row 1: the target \"y\" is infinite", 2, 1, good, inf_y, NULL,
           BRAMBLE_TASK_REGRESSION);
    refuse(BRAMBLE_ERR_DATA, "row 2, column \"weight\"", 2, 1, good, ok, negative, BRAMBLE_TASK_AUTO);
    refuse(BRAMBLE_ERR_DATA, "row 1, column \"weight\": the weight is missing", 2, 1, good, ok, nan_w,
           BRAMBLE_TASK_AUTO);
    refuse(BRAMBLE_ERR_DATA, "are 0", 2, 1, good, ok, zero, BRAMBLE_TASK_AUTO);
    refuse(BRAMBLE_ERR_USAGE, "at least one row", 0, 1, good, ok, NULL, BRAMBLE_TASK_AUTO);
    refuse(BRAMBLE_ERR_USAGE, "one feature", 2, 0, good, ok, NULL, BRAMBLE_TASK_AUTO);
    bramble_table *t = make(2, 1, good, y, NULL, BRAMBLE_TASK_REGRESSION);
    assert_non_null(t);
    bramble_table_free(t);
}

static void too_many_classes_are_refused(void **state)
{
    (void)state;
    enum { N = 65537 };
    float *x = calloc(N, sizeof *x);
    double *y = malloc(N * sizeof *y);
    for (int i = 0; i < N; i++) y[i] = (double)((int64_t)i * 7919 % N);
    refuse(BRAMBLE_ERR_DATA, "more than 65535 classes", N, 1, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION);
    bramble_table *t = make(N - 2, 1, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION);
    assert_non_null(t);
    assert_int_equal(bramble_schema_n_classes(bramble_table_schema(t)), N - 2);
    bramble_table_free(t);
    free(x);
    free(y);
}

static void a_checksum_is_of_the_values(void **state)
{
    (void)state;
    float x[] = {1, 2, 3, 4.5f}, other[] = {1, 2, 3, 4.25f}, nans[] = {-NAN, 2, 3, 4.5f};
    float nan2[] = {NAN, 2, 3, 4.5f};
    double y[] = {0, 1}, w[] = {1, 2};
    bramble_table *a = make(2, 2, x, y, NULL, BRAMBLE_TASK_AUTO);
    bramble_table *b = make(2, 2, x, y, NULL, BRAMBLE_TASK_AUTO);
    bramble_table *c = make(2, 2, other, y, NULL, BRAMBLE_TASK_AUTO);
    bramble_table *d = make(2, 2, x, y, w, BRAMBLE_TASK_AUTO);
    bramble_table *e = make(2, 2, nans, y, NULL, BRAMBLE_TASK_AUTO);
    bramble_table *f = make(2, 2, nan2, y, NULL, BRAMBLE_TASK_AUTO);
    assert_int_equal(bramble_table_checksum(a), bramble_table_checksum(b));
    assert_int_not_equal(bramble_table_checksum(a), bramble_table_checksum(c));
    assert_int_not_equal(bramble_table_checksum(a), bramble_table_checksum(d));
    assert_int_equal(bramble_table_checksum(e), bramble_table_checksum(f));
    bramble_table *all[] = {a, b, c, d, e, f};
    for (int i = 0; i < 6; i++) bramble_table_free(all[i]);
}

enum { HOLD_N = 1000 };

static bramble_table *numbered(bool weighted)
{
    float x[HOLD_N * 2];
    double y[HOLD_N], w[HOLD_N];
    for (int i = 0; i < HOLD_N; i++) {
        x[2 * i] = i % 10 ? (float)i : NAN;
        x[2 * i + 1] = (float)(i % 200);
        y[i] = i + 0.5;
        w[i] = 1 + i;
    }
    return make(HOLD_N, 2, x, y, weighted ? w : NULL, BRAMBLE_TASK_AUTO);
}

static void check_part(const bramble_table *t, bool *seen)
{
    double before = -1;
    uint64_t missing = 0;
    for (size_t r = 0; r < t->n_rows; r++) {
        int i = (int)t->values[r];
        assert_true(t->values[r] > before);
        before = t->values[r];
        assert_false(seen[i]);
        seen[i] = true;
        assert_true(i % 10 ? t->columns[0].numbers[r] == (float)i : isnan(t->columns[0].numbers[r]));
        assert_int_equal(t->columns[1].bytes[r], i % 200);
        assert_true(t->weights[r] == 1 + i);
        missing += i % 10 == 0;
    }
    assert_int_equal(bramble_table_n_missing(t, 0), missing);
}

static void a_holdout_parts_the_rows(void **state)
{
    (void)state;
    bool seen[HOLD_N] = {false};
    bramble_table *train = numbered(true), *test = NULL;
    assert_int_equal(bramble_table_holdout(train, 0.2, 42, &test, &error), BRAMBLE_OK);
    assert_int_equal(train->n_rows, 800);
    assert_int_equal(test->n_rows, 200);
    check_part(train, seen);
    check_part(test, seen);
    bramble_table *again = numbered(true), *test2 = NULL, *other = numbered(true), *test3 = NULL;
    assert_int_equal(bramble_table_holdout(again, 0.2, 42, &test2, &error), BRAMBLE_OK);
    assert_int_equal(bramble_table_holdout(other, 0.2, 43, &test3, &error), BRAMBLE_OK);
    assert_int_equal(bramble_table_checksum(test), bramble_table_checksum(test2));
    assert_int_not_equal(bramble_table_checksum(test), bramble_table_checksum(test3));
    bramble_table *all[] = {train, test, again, test2, other, test3};
    for (int i = 0; i < 6; i++) bramble_table_free(all[i]);
}

static void a_holdout_leaves_a_row_on_each_side(void **state)
{
    (void)state;
    const float x[] = {1, 2};
    const double y[] = {0, 1}, lone[] = {0, 5};
    bramble_table *test = NULL, *t = make(2, 1, x, y, NULL, BRAMBLE_TASK_AUTO);
    for (int i = 0; i < 4; i++) {
        const double bad[] = {0, 1, -0.5, NAN};
        assert_int_equal(bramble_table_holdout(t, bad[i], 1, &test, &error), BRAMBLE_ERR_USAGE);
    }
    assert_int_equal(bramble_table_holdout(t, 1e-9, 1, &test, &error), BRAMBLE_OK);
    assert_int_equal(test->n_rows, 1);
    bramble_table_free(test);
    test = NULL;
    assert_int_equal(bramble_table_holdout(t, 0.5, 1, &test, &error), BRAMBLE_ERR_DATA);
    assert_null(test);
    bramble_table_free(t);
    t = make(2, 1, x, y, lone, BRAMBLE_TASK_AUTO);
    assert_int_equal(bramble_table_holdout(t, 0.5, 1, &test, &error), BRAMBLE_ERR_DATA);
    assert_non_null(strstr(error.message, "weigh 0"));
    assert_int_equal(t->n_rows, 2);
    bramble_table_free(t);
    bramble_table_free(NULL);
}

/* Every allocation failing in turn: a memory error, nothing leaked, the table as it was. */
static void failed_allocations_are_survived(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    const float x[] = {1, 2.5f, 3, 4, 5, 6};
    const double y[] = {0, 1, 1}, w[] = {1, 2, 3};
    for (size_t n = 1;; n++) {
        bramble_table *t = NULL, *test = NULL;
        mem_fail_at(n, n % 2);
        bramble_status status = bramble_table_from_arrays(&t, 3, 2, x, y, w, BRAMBLE_TASK_AUTO, &error);
        if (status == BRAMBLE_OK) status = bramble_table_holdout(t, 0.4, 1, &test, &error);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        if (status != BRAMBLE_OK) {
            assert_int_equal(status, BRAMBLE_ERR_MEMORY);
            assert_null(test);
            if (t) assert_int_equal(t->n_rows, 3);
        }
        bramble_table_free(t);
        bramble_table_free(test);
        if (!reached) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_follow_the_values),
        cmocka_unit_test(classes_are_sorted_by_value),
        cmocka_unit_test(many_or_fractional_values_are_numbers),
        cmocka_unit_test(bad_arrays_are_refused),
        cmocka_unit_test(too_many_classes_are_refused),
        cmocka_unit_test(a_checksum_is_of_the_values),
        cmocka_unit_test(a_holdout_parts_the_rows),
        cmocka_unit_test(a_holdout_leaves_a_row_on_each_side),
        cmocka_unit_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
