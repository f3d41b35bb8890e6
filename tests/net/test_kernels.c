/*
 * Every level's kernels give the reference's bits, on shapes of every oddness, and write nothing else.
 * test_kernels --time prints what each does in GFLOP/s, beside OpenBLAS's sgemm where that is installed.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "kernel_times.h"
#include "net/kernels/products.h"

enum { ROOM = 1 << 14, TRIES = 1500 };

struct numbers {
    float a[ROOM], b[ROOM], bias[ROOM], before[ROOM], start[ROOM], levels[ROOM];
    _Alignas(64) float packed[ROOM];
    uint32_t rows[64], targets[64], segments[16];
};

static const char *const level_names[] = {"avx2", "avx512", "neon"};

static float draw(struct rng *rng)
{
    uint32_t kind = rng_below(rng, 200);
    if (kind == 0) return -0.0f;
    if (kind == 1) return NAN;
    if (kind == 2) return 0x1p-140f;
    return (float)(rng_double(rng) * 4 - 2);
}

static void fill(struct rng *rng, float *x)
{
    for (size_t i = 0; i < ROOM; i++) x[i] = draw(rng);
}

static void fill_all(struct rng *rng, struct numbers *numbers)
{
    fill(rng, numbers->a);
    fill(rng, numbers->b);
    fill(rng, numbers->bias);
    fill(rng, numbers->before);
    fill(rng, numbers->start);
    fill(rng, numbers->levels);
}

/* The same bits, or both are NaN: which one is up to the processor. */
static void check_same(const char *what, const char *level, const float *got, const float *want)
{
    for (size_t i = 0; i < ROOM; i++) {
        if (!memcmp(&got[i], &want[i], sizeof *got) || (isnan(got[i]) && isnan(want[i]))) continue;
        fail_msg("%s of %s: number %zu is %a, not %a", what, level, i, got[i], want[i]);
    }
}

typedef void product_kernel(const struct net_product *product);
typedef void outer_kernel(const struct net_outer *outer);

static void compare_products(const char *what, const struct net_product *p, size_t kernel,
                             const float *before)
{
    float *want = malloc(ROOM * sizeof *want), *got = malloc(ROOM * sizeof *got);
    assert_non_null(want);
    assert_non_null(got);
    struct net_product product = *p;
    memcpy(want, before, ROOM * sizeof *want);
    product.y = want;
    (*(product_kernel *const *)((const char *)&net_kernels_plain + kernel))(&product);
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        enum cpu_level level;
        if (!cpu_level_parse(level_names[i], &level)) continue;
        memcpy(got, before, ROOM * sizeof *got);
        product.y = got;
        (*(product_kernel *const *)((const char *)net_kernels_for(level) + kernel))(&product);
        check_same(what, level_names[i], got, want);
    }
    free(want);
    free(got);
}

static void compare_outers(const char *what, const struct net_outer *o, size_t kernel, const float *before)
{
    float *want = malloc(ROOM * sizeof *want), *got = malloc(ROOM * sizeof *got);
    assert_non_null(want);
    assert_non_null(got);
    struct net_outer outer = *o;
    memcpy(want, before, ROOM * sizeof *want);
    outer.g = want;
    (*(outer_kernel *const *)((const char *)&net_kernels_plain + kernel))(&outer);
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        enum cpu_level level;
        if (!cpu_level_parse(level_names[i], &level)) continue;
        memcpy(got, before, ROOM * sizeof *got);
        outer.g = got;
        (*(outer_kernel *const *)((const char *)net_kernels_for(level) + kernel))(&outer);
        check_same(what, level_names[i], got, want);
    }
    free(want);
    free(got);
}

/* Rows here and there in a, each result's place its own. */
static struct net_product draw_product(struct rng *rng, struct numbers *numbers)
{
    struct net_product p = {.a = numbers->a, .b = numbers->packed};
    p.n_rows = 1 + rng_below(rng, 40);
    p.n = 1 + rng_below(rng, 100);
    p.n_segments = 1 + rng_below(rng, 4);
    p.length = 1 + rng_below(rng, 17);
    p.bias = rng_below(rng, 2) ? numbers->bias : NULL;
    p.add = rng_below(rng, 2);
    p.relu = rng_below(rng, 2);
    p.a_stride = rng_below(rng, 100);
    p.y_stride = p.n + rng_below(rng, 5);
    for (uint32_t i = 0; i < p.n_rows; i++) {
        numbers->rows[i] = rng_below(rng, 8000);
        numbers->targets[i] = (uint32_t)((p.n_rows - 1 - i) * (p.n + 3));
    }
    for (uint32_t s = 0; s < p.n_segments; s++) numbers->segments[s] = rng_below(rng, 8000);
    if (rng_below(rng, 2)) p.rows = numbers->rows;
    if (rng_below(rng, 2)) p.y_rows = numbers->targets;
    if (p.n_segments > 1 || rng_below(rng, 2)) p.segments = numbers->segments;
    return p;
}

static void test_product(void **state)
{
    struct numbers *numbers = *state;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 1, 1);
    fill_all(&rng, numbers);
    for (int i = 0; i < TRIES; i++) {
        struct net_product p = draw_product(&rng, numbers);
        uint32_t k = p.n_segments * p.length;
        assert_true(packed_size(k, p.n) <= ROOM);
        packed_fill(numbers->packed, k, p.n, 0, k, numbers->b, p.n, 1);
        compare_products("product", &p, offsetof(struct net_kernels, product), numbers->before);
    }
}

static void test_channel_product(void **state)
{
    struct numbers *numbers = *state;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 2, 1);
    fill_all(&rng, numbers);
    for (int i = 0; i < TRIES; i++) {
        struct net_product p = draw_product(&rng, numbers);
        p.b = numbers->b;
        p.segments = numbers->segments;
        p.length = 1;
        compare_products("channel product", &p, offsetof(struct net_kernels, channel_product),
                         numbers->before);
    }
}

static struct net_outer draw_outer(struct rng *rng, const struct numbers *numbers)
{
    struct net_outer o = {.a = numbers->a, .b = numbers->b};
    o.n_outer = 1 + rng_below(rng, 5);
    o.n_inner = 1 + rng_below(rng, 9);
    o.n_rows = 1 + rng_below(rng, 40);
    o.n = 1 + rng_below(rng, 100);
    o.a_inner = rng_below(rng, 50);
    o.a_outer = rng_below(rng, 500);
    o.b_inner = rng_below(rng, 100);
    o.b_outer = rng_below(rng, 1000);
    o.g_stride = o.n + rng_below(rng, 5);
    o.sums_stride = o.n + rng_below(rng, 5);
    o.start = rng_below(rng, 2) ? numbers->start : NULL;
    o.carry_levels = rng_below(rng, 4) ? 0 : rng_below(rng, 8);
    o.levels = numbers->levels;
    o.level_stride = o.n_rows * o.sums_stride;
    return o;
}

static void test_outer(void **state)
{
    struct numbers *numbers = *state;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 3, 1);
    fill_all(&rng, numbers);
    for (int i = 0; i < TRIES; i++) {
        struct net_outer o = draw_outer(&rng, numbers);
        compare_outers("outer product", &o, offsetof(struct net_kernels, outer), numbers->before);
        o.n_rows = 1;
        compare_outers("channel outer product", &o, offsetof(struct net_kernels, channel_outer),
                       numbers->before);
    }
}

/* What the header says a product is, in so many words. */
static void test_product_means(void **state)
{
    struct numbers *numbers = *state;
    const float a[] = {1, 2, 3, 4, 5, 6, 7, 8}, w[] = {1, 10, 100, 1000, -1, -10, -100, -1000};
    const float bias[] = {0.5f, -5000};
    const uint32_t rows[] = {0, 2}, segments[] = {0, 4};
    float y[4];
    /* Row 0: 1 2, 5 6; row 1: 3 4, 7 8. Columns of w, read with stride 1 to the next k: 1 10 100 1000. */
    packed_fill(numbers->packed, 4, 2, 0, 2, w, 1, 4);
    packed_fill(numbers->packed, 4, 2, 2, 2, w + 2, 1, 4);
    const struct net_product p = {.a = a,
                                  .rows = rows,
                                  .n_rows = 2,
                                  .segments = segments,
                                  .n_segments = 2,
                                  .length = 2,
                                  .b = numbers->packed,
                                  .n = 2,
                                  .bias = bias,
                                  .relu = true,
                                  .y = y,
                                  .y_stride = 2};
    net_kernels_plain.product(&p);
    assert_true(y[0] == 6521.5f && y[1] == 0);
    assert_true(y[2] == 8743.5f && y[3] == 0);
}

static void test_outer_means(void **state)
{
    (void)state;
    const float a[] = {1, 2, 3, 4}, b[] = {1, 10, 100, 1000}, levels[] = {NAN, NAN, NAN, NAN, 1, 2, 3, 4};
    float g[4] = {NAN, NAN, NAN, NAN};
    const struct net_outer o = {.a = a,
                                .b = b,
                                .a_inner = 2,
                                .b_inner = 2,
                                .n_outer = 1,
                                .n_inner = 2,
                                .n_rows = 2,
                                .n = 2,
                                .g = g,
                                .g_stride = 2,
                                .levels = levels,
                                .level_stride = 4,
                                .carry_levels = 2,
                                .sums_stride = 2};
    net_kernels_plain.outer(&o);
    assert_true(g[0] == 1 + 1 + 300 && g[1] == 2 + 10 + 3000);
    assert_true(g[2] == 3 + 2 + 400 && g[3] == 4 + 20 + 4000);
}

static void test_packing(void **state)
{
    struct numbers *numbers = *state;
    assert_int_equal(packed_size(7, 10), 7 * 16);
    assert_int_equal(packed_size(7, 17), 7 * 32);
    assert_int_equal(packed_size(7, 49), 7 * 64);
    assert_true(packed_size(7, 33) == 7 * 48);
    for (size_t i = 0; i < ROOM; i++) numbers->b[i] = (float)i;
    packed_fill(numbers->packed, 3, 50, 0, 3, numbers->b, 50, 1);
    assert_true(numbers->packed[0] == 0 && numbers->packed[31] == 31 && numbers->packed[32] == 50);
    assert_true(numbers->packed[96] == 32 && numbers->packed[96 + 18] == 0 && numbers->packed[128] == 82);
}

static void test_turned_panels(void **state)
{
    enum { K = 35, N = 70 };
    static float turned[N * K], whole[K * N], packed[K * 80];
    struct numbers *numbers = *state;
    assert_true(packed_size(K, N) == K * 80 && ROOM >= K * 80);
    for (int i = 0; i < K * N; i++) turned[i % N * K + i / N] = whole[i] = (float)(i + 1);
    packed_fill(numbers->packed, K, N, 0, K, whole, N, 1);
    packed_fill(packed, K, N, 0, K, turned, 1, K);
    assert_memory_equal(packed, numbers->packed, sizeof packed);
}

static int make_numbers(void **state)
{
    *state = aligned_alloc(64, (sizeof(struct numbers) + 63) / 64 * 64);
    return *state ? 0 : -1;
}

static int free_numbers(void **state)
{
    free(*state);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--time") == 0) return kernel_times(argc > 2 ? argv[2] : NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turned_panels), cmocka_unit_test(test_product_means),
        cmocka_unit_test(test_outer_means),   cmocka_unit_test(test_packing),
        cmocka_unit_test(test_product),       cmocka_unit_test(test_channel_product),
        cmocka_unit_test(test_outer),
    };
    return cmocka_run_group_tests(tests, make_numbers, free_numbers);
}
