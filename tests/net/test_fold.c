/* Sums over microbatches are those of a fixed binary tree, whichever way they are taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "net/fold.h"

enum { LEAVES = 75, SIZE = 19 };

struct leaves {
    float of[LEAVES][SIZE];
    float room[8][SIZE];
};

/* The definition: neighbours are added, then neighbouring pairs, and so on; who has no neighbour waits. */
static float tree_sum(const struct leaves *leaves, size_t first, size_t width, size_t n, size_t j)
{
    if (width == 1) return leaves->of[first][j];
    size_t half = width / 2;
    float left = tree_sum(leaves, first, half, n, j);
    return first + half < n ? left + tree_sum(leaves, first + half, half, n, j) : left;
}

static void check_total(const struct leaves *leaves, const float *total, size_t n)
{
    for (size_t j = 0; j < SIZE; j++) {
        float want = tree_sum(leaves, 0, 128, n, j);
        if (memcmp(&want, &total[j], sizeof want))
            fail_msg("%zu leaves: sum %zu is %a, not %a", n, j, total[j], want);
    }
}

static void test_tree(void **state)
{
    struct leaves *leaves = *state;
    for (size_t n = 1; n <= LEAVES; n++) {
        struct fold fold;
        float total[SIZE];
        assert_true(fold_levels(n) <= 8);
        memset(leaves->room, 0xff, sizeof leaves->room);
        fold_begin(&fold, leaves->room[0], SIZE);
        for (size_t i = 0; i < n; i++) {
            float *leaf = fold_leaf(&fold);
            assert_true(leaf < leaves->room[fold_levels(n)]);
            memcpy(leaf, leaves->of[i], sizeof leaves->of[i]);
            fold_add(&fold);
        }
        fold_end(&fold, total);
        check_total(leaves, total, n);
    }
}

/* As net_outer does it: what is pending is added to a leaf before it is written. */
static void test_carries(void **state)
{
    struct leaves *leaves = *state;
    for (size_t n = 1; n <= LEAVES; n++) {
        struct fold fold;
        float total[SIZE];
        fold_begin(&fold, leaves->room[0], SIZE);
        for (size_t i = 0; i < n; i++) {
            float *leaf = fold_leaf(&fold);
            for (size_t j = 0; j < SIZE; j++) {
                leaf[j] = leaves->of[i][j];
                for (uint32_t level = 0; level < 8; level++)
                    if (fold_carries(&fold) >> level & 1) leaf[j] += leaves->room[level][j];
            }
            fold_added(&fold);
        }
        fold_end(&fold, total);
        check_total(leaves, total, n);
    }
}

static void test_floats(void **state)
{
    struct leaves *leaves = *state;
    for (size_t n = 1; n <= LEAVES; n++) {
        float total[SIZE];
        fold_floats(leaves->of[0], n, SIZE, SIZE, total);
        check_total(leaves, total, n);
    }
    enum { HALF = LEAVES * SIZE / 2 };
    const float *all = leaves->of[0];
    float total[HALF];
    fold_floats(all, 2, HALF, HALF, total);
    for (size_t j = 0; j < HALF; j++) assert_true(total[j] == all[j] + all[HALF + j]);
}

/* The last leaf becomes the total when all that is pending is added to it. */
static void test_pending(void **state)
{
    struct leaves *leaves = *state;
    for (size_t n = 1; n <= LEAVES; n++) {
        struct fold fold;
        float total[SIZE];
        fold_begin(&fold, leaves->room[0], SIZE);
        for (size_t i = 0; i + 1 < n; i++) {
            memcpy(fold_leaf(&fold), leaves->of[i], sizeof leaves->of[i]);
            fold_add(&fold);
        }
        for (size_t j = 0; j < SIZE; j++) {
            total[j] = leaves->of[n - 1][j];
            for (uint32_t level = 0; level < 8; level++)
                if (fold_pending(&fold) >> level & 1) total[j] += leaves->room[level][j];
        }
        check_total(leaves, total, n);
    }
}

static void test_nothing(void **state)
{
    struct leaves *leaves = *state;
    struct fold fold;
    float total[SIZE];
    memset(total, 0xff, sizeof total);
    fold_begin(&fold, leaves->room[0], SIZE);
    fold_end(&fold, total);
    for (size_t j = 0; j < SIZE; j++) assert_true(total[j] == 0);
    assert_int_equal(fold_levels(0), 0);
    assert_int_equal(fold_levels(1), 1);
    assert_int_equal(fold_levels(8), 4);
}

/* Doubles whose sums depend on the order: big ones cancel. */
static void test_doubles(void **state)
{
    (void)state;
    double leaves[5][3];
    for (size_t i = 0; i < 5; i++) leaves[i][2] = -7;
    const double first[] = {1e16, 1, -1e16, 1, 3};
    for (size_t i = 0; i < 5; i++) {
        leaves[i][0] = first[i];
        leaves[i][1] = (double)i;
    }
    fold_doubles(leaves[0], 5, 2, 3);
    assert_true(leaves[0][0] == ((1e16 + 1) + (-1e16 + 1)) + 3);
    assert_true(leaves[0][1] == 10);
    for (size_t i = 0; i < 5; i++) assert_true(leaves[i][2] == -7);
}

static int make_leaves(void **state)
{
    struct leaves *leaves = malloc(sizeof *leaves);
    struct rng rng;
    if (!leaves) return -1;
    rng_init(&rng, 3, RNG_HOLDOUT, 1, 1);
    for (size_t i = 0; i < LEAVES; i++)
        for (size_t j = 0; j < SIZE; j++) leaves->of[i][j] = (float)(rng_double(&rng) * 2 - 1);
    *state = leaves;
    return 0;
}

static int free_leaves(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),    cmocka_unit_test(test_carries), cmocka_unit_test(test_pending),
        cmocka_unit_test(test_nothing), cmocka_unit_test(test_doubles), cmocka_unit_test(test_floats),
    };
    return cmocka_run_group_tests(tests, make_leaves, free_leaves);
}
