/* Features as codes: one bin a value where they fit, else quantiles; missing values, zeros, categories. */
#include "array_tables.h"

#include "data/bins.h"

static struct binned *bin(const struct bramble_table *table, uint32_t threads)
{
    struct binned *binned = NULL;
    bramble_error error;
    if (binned_new(&binned, table, threads, &error)) fail_msg("%s", error.message);
    return binned;
}

/* One column as a table; the target is of no account. */
static struct bramble_table *column_table(const float *x, size_t n)
{
    double *y = calloc(n, sizeof *y);
    assert_non_null(y);
    struct bramble_table *table = table_of(n, 1, x, y, NULL, BRAMBLE_TASK_REGRESSION);
    free(y);
    return table;
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The present values of x, sorted, into the caller's sorted; how many of them are different, into *distinct.
 */
static size_t sort_present(const float *x, size_t n, float *sorted, size_t *distinct)
{
    size_t present = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i])) sorted[present++] = x[i];
    qsort(sorted, present, sizeof *sorted, compare_floats);
    *distinct = 0;
    for (size_t i = 0; i < present; i++) *distinct += i == 0 || sorted[i] != sorted[i - 1];
    return present;
}

/* What holds for every number column: ordered bins that part the values, none empty, each row in its own. */
static void assert_bins_hold(const struct feature_bins *bins, const uint8_t *codes, const float *x, size_t n)
{
    size_t counts[257] = {0};
    for (uint32_t b = 0; b < bins->n_bins; b++) {
        assert_true(bins->low[b] <= bins->high[b]);
        if (b) assert_true(bins->high[b - 1] < bins->low[b]);
    }
    for (size_t i = 0; i < n; i++) {
        counts[codes[i]]++;
        if (isnan(x[i])) {
            assert_int_equal(codes[i], bins->n_bins);
            continue;
        }
        assert_true(codes[i] < bins->n_bins);
        assert_true(bins->low[codes[i]] <= x[i] && x[i] <= bins->high[codes[i]]);
    }
    for (uint32_t b = 0; b < bins->n_bins; b++) assert_true(counts[b] > 0);
}

/* Bins a column and checks it; *out is the result, with its codes' counts, when asked for. */
static void check_column(const float *x, size_t n, uint16_t *n_bins, size_t counts[257])
{
    struct bramble_table *table = column_table(x, n);
    assert_int_equal(table->schema.features[0].type, BRAMBLE_FEATURE_NUMBER);
    struct binned *binned = bin(table, 1);
    const struct feature_bins *bins = &binned->bins[0];
    float *sorted = malloc(n * sizeof *sorted);
    size_t distinct, present = sort_present(x, n, sorted, &distinct);
    size_t most = present < n ? 255 : 256;
    assert_int_equal(bins->has_missing, present < n);
    assert_false(bins->categorical);
    assert_bins_hold(bins, binned->columns[0], x, n);
    if (distinct <= most) {
        assert_int_equal(bins->n_bins, distinct);
        for (uint32_t b = 0; b < bins->n_bins; b++) assert_true(bins->low[b] == bins->high[b]);
    } else {
        assert_in_range(bins->n_bins, most / 2, most);
    }
    if (n_bins) *n_bins = bins->n_bins;
    if (counts) {
        memset(counts, 0, 257 * sizeof *counts);
        for (size_t i = 0; i < n; i++) counts[binned->columns[0][i]]++;
    }
    free(sorted);
    binned_free(binned);
    bramble_table_free(table);
}

static void few_values_have_a_bin_each(void **state)
{
    (void)state;
    static float x[5000];
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 1, 0);
    for (uint32_t distinct = 1; distinct <= 258; distinct += distinct < 250 ? 31 : 1)
        for (int missing = 0; missing < 2; missing++) {
            for (size_t i = 0; i < 5000; i++) {
                uint32_t which = i < distinct ? (uint32_t)i : rng_below(&rng, distinct);
                x[i] = ((float)which - 100) * 0.37f;
                if (missing && i % 9 == 8 && i > distinct) x[i] = NAN;
            }
            check_column(x, 5000, NULL, NULL);
        }
}

static void many_values_are_cut_at_quantiles(void **state)
{
    (void)state;
    enum { N = 60000 };
    static float x[N];
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 2, 0);
    for (int shape = 0; shape < 4; shape++) {
        for (size_t i = 0; i < N; i++) {
            float u = (float)rng_double(&rng);
            x[i] = shape == 0 ? u : shape == 1 ? u * u * u * u * 1e9f : shape == 2 ? 1 / (u + 1e-30f) : -u;
            if (shape == 3 && i % 3 == 0) x[i] = NAN;
        }
        uint16_t n_bins;
        size_t counts[257], present = shape == 3 ? N - N / 3 : N;
        check_column(x, N, &n_bins, counts);
        assert_in_range(n_bins, 250, 256);
        for (uint32_t b = 0; b < n_bins; b++)
            assert_in_range(counts[b], present / 256 / 2, present / 255 * 2);
    }
}

/* A value with more than a few bins' share of the rows shares its bin with no other, wherever it lies. */
static void a_frequent_value_is_alone(void **state)
{
    (void)state;
    enum { N = 20000 };
    static float x[N];
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 3, 0);
    static const float frequent[] = {-1, 0, 0.5f, 0.999f, 2};
    for (size_t k = 0; k < sizeof frequent / sizeof *frequent; k++) {
        for (size_t i = 0; i < N; i++) x[i] = i % 10 ? (float)rng_double(&rng) : frequent[k];
        struct bramble_table *table = column_table(x, N);
        struct binned *binned = bin(table, 1);
        uint32_t code = binned->columns[0][0];
        assert_true(binned->bins[0].low[code] == frequent[k] && binned->bins[0].high[code] == frequent[k]);
        assert_bins_hold(&binned->bins[0], binned->columns[0], x, N);
        binned_free(binned);
        bramble_table_free(table);
    }
}

static void missing_values_and_nothing_else(void **state)
{
    (void)state;
    const float x[] = {NAN, NAN, NAN}, one[] = {NAN, -7.5f, NAN};
    uint16_t n_bins;
    check_column(x, 3, &n_bins, NULL);
    assert_int_equal(n_bins, 0);
    check_column(one, 3, &n_bins, NULL);
    assert_int_equal(n_bins, 1);
}

static void both_zeros_are_one_value(void **state)
{
    (void)state;
    const float x[] = {-0.0f, 0.0f, -1.5f, 0.0f, -0.0f, 2};
    uint16_t n_bins;
    size_t counts[257];
    check_column(x, 6, &n_bins, counts);
    assert_int_equal(n_bins, 3);
    assert_int_equal(counts[1], 4);
    static float many[2000];
    for (int i = 0; i < 2000; i++) many[i] = i % 4 == 0 ? (i % 8 ? 0.0f : -0.0f) : (float)(i - 1000) / 3;
    check_column(many, 2000, NULL, NULL);
}

static void the_smallest_and_greatest_numbers_keep_their_order(void **state)
{
    (void)state;
    const float x[] = {1e-45f, -1e-45f, 3e-45f, 1.1754944e-38f, 0, 3.4028235e38f, -3.4028235e38f,
                       1e-40f, -1e-40f, 1,      1.0000001f};
    uint16_t n_bins;
    check_column(x, sizeof x / sizeof *x, &n_bins, NULL);
    assert_int_equal(n_bins, sizeof x / sizeof *x);
    static float many[3000];
    for (int i = 0; i < 3000; i++) {
        uint32_t bits = ((uint32_t)i * 1431655u & 0x7fffff) | (i % 2 ? 0x80000000u : 0); /* denormals */
        memcpy(&many[i], &bits, sizeof bits);
    }
    check_column(many, 3000, NULL, NULL);
}

static void bytes_and_categories_are_their_own_codes(void **state)
{
    (void)state;
    const float x[] = {0, 2, 5, 255, 1, 5, 7, 0, NAN, 9, 2, 0};
    const double y[] = {0, 1, 0, 1};
    struct bramble_table *table = table_of(4, 3, x, y, NULL, BRAMBLE_TASK_AUTO);
    assert_int_equal(table->schema.features[0].type, BRAMBLE_FEATURE_BYTE);
    table_set_categories(table, 1, 3);
    table_set_categories(table, 2, 6);
    struct binned *binned = bin(table, 2);
    for (uint32_t f = 0; f < 2; f++) { /* nothing is missing: no copy */
        assert_ptr_equal(binned->columns[f], table->columns[f].bytes);
        assert_false(binned->bins[f].has_missing);
        assert_int_equal(binned->bins[f].categorical, f == 1);
    }
    assert_int_equal(binned->bins[0].n_bins, 256);
    assert_true(binned->bins[0].low[200] == 200 && binned->bins[0].high[200] == 200);
    assert_int_equal(binned->bins[1].n_bins, 3);
    assert_true(binned->bins[2].categorical && binned->bins[2].has_missing);
    assert_int_equal(binned->bins[2].n_bins, 6);
    assert_memory_equal(binned->columns[2], ((const uint8_t[]){5, 5, 6, 0}), 4);
    binned_free(binned);
    bramble_table_free(table);
}

/* Numbers with and without missing values, bytes, categories: N rows of 24 columns. */
static struct bramble_table *mixed_table(size_t n)
{
    float *x = malloc(n * 24 * sizeof *x);
    double *y = calloc(n, sizeof *y);
    assert_non_null(x);
    assert_non_null(y);
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 4, 0);
    for (size_t i = 0; i < n * 24; i++) {
        uint32_t f = i % 24;
        x[i] = f % 4 < 2 ? (float)draw_normal(&rng) : (float)rng_below(&rng, 255);
        if (f % 2 && rng_below(&rng, 7) == 0) x[i] = NAN;
    }
    struct bramble_table *table = table_of(n, 24, x, y, NULL, BRAMBLE_TASK_REGRESSION);
    for (uint32_t f = 3; f < 24; f += 4) table_set_categories(table, f, 255);
    free(x);
    free(y);
    return table;
}

static void threads_make_no_difference(void **state)
{
    (void)state;
    struct bramble_table *table = mixed_table(1500);
    struct binned *one = bin(table, 1);
    for (uint32_t threads = 2; threads <= 8; threads *= 2) {
        struct binned *many = bin(table, threads);
        for (uint32_t f = 0; f < 24; f++) {
            const struct feature_bins *a = &one->bins[f], *b = &many->bins[f];
            assert_memory_equal(one->columns[f], many->columns[f], 1500);
            assert_true(a->n_bins == b->n_bins && a->has_missing == b->has_missing);
            if (a->categorical) continue;
            assert_memory_equal(a->low, b->low, a->n_bins * sizeof *a->low);
            assert_memory_equal(a->high, b->high, a->n_bins * sizeof *a->high);
        }
        binned_free(many);
    }
    assert_int_equal(one->bins[3].n_bins, 255);
    assert_true(one->bins[3].has_missing);
    binned_free(one);
    bramble_table_free(table);
}

/* Every allocation failing in turn: a memory error, and nothing leaked. */
static void failed_allocations_are_survived(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct bramble_table *table = mixed_table(1500);
    bool reached = true;
    for (size_t n = 1; reached; n++) {
        struct binned *binned = NULL;
        bramble_error error;
        mem_fail_at(n, n % 2);
        bramble_status status = binned_new(&binned, table, 1, &error);
        reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        assert_int_equal(status, reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK);
        if (reached) assert_null(binned);
        binned_free(binned);
    }
    bramble_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_values_have_a_bin_each),
        cmocka_unit_test(many_values_are_cut_at_quantiles),
        cmocka_unit_test(a_frequent_value_is_alone),
        cmocka_unit_test(missing_values_and_nothing_else),
        cmocka_unit_test(both_zeros_are_one_value),
        cmocka_unit_test(the_smallest_and_greatest_numbers_keep_their_order),
        cmocka_unit_test(bytes_and_categories_are_their_own_codes),
        cmocka_unit_test(threads_make_no_difference),
        cmocka_unit_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
