/* Divisions of a batch: pieces are subtrees, and their sums' total has the bits of all leaves'. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "net/division.h"
#include "net/fold.h"

enum { LEAVES = 77, SIZE = 5, MEMBERS = 6 };

static uint32_t ones(uint32_t x)
{
    return (uint32_t)__builtin_popcount(x);
}

/* Every microbatch is in one piece, and a member has as many as its share. */
static void check_pieces(const struct division *division, const uint32_t *shares, uint32_t n)
{
    uint32_t next = 0;
    assert_int_equal(division->n_microbatches, n);
    for (uint32_t p = 0; p < division->n_pieces; p++) {
        const struct division_piece *piece = &division->pieces[p];
        assert_int_equal(piece->first, next);
        assert_int_equal(piece->first % (1u << piece->level), 0);
        next += 1u << piece->level;
    }
    assert_int_equal(next, n);
    for (uint32_t m = 0; m < division->n_members; m++) {
        uint32_t has = 0;
        for (uint32_t p = 0; p < division->n_pieces; p++)
            if (division->pieces[p].member == m) has += 1u << division->pieces[p].level;
        assert_int_equal(has, shares[m]);
        assert_int_equal(division_pieces_of(division, m), ones(shares[m]));
    }
}

static void fold_leaves(float leaves[][SIZE], uint32_t first, uint32_t n, float *total)
{
    float room[8 * SIZE];
    struct fold fold;
    fold_begin(&fold, room, SIZE);
    for (uint32_t i = first; i < first + n; i++) {
        memcpy(fold_leaf(&fold), leaves[i], sizeof leaves[i]);
        fold_add(&fold);
    }
    fold_end(&fold, total);
}

static void check_totals(const struct division *division, float leaves[][SIZE], double doubles[][SIZE],
                         uint32_t n)
{
    float want[SIZE], got[SIZE], sums[LEAVES][SIZE];
    double all[LEAVES][SIZE], pieces[LEAVES][SIZE];
    const float *places[LEAVES];
    for (uint32_t p = 0; p < division->n_pieces; p++) {
        const struct division_piece *piece = &division->pieces[p];
        fold_leaves(leaves, piece->first, 1u << piece->level, sums[p]);
        places[p] = sums[p];
        memcpy(all, doubles, LEAVES * sizeof *all);
        fold_doubles(all[piece->first], 1u << piece->level, SIZE, SIZE);
        memcpy(pieces[p], all[piece->first], sizeof pieces[p]);
    }
    fold_leaves(leaves, 0, n, want);
    division_fold(division, places, SIZE, got);
    assert_memory_equal(want, got, sizeof want);
    memcpy(all, doubles, LEAVES * sizeof *all);
    fold_doubles(all[0], n, SIZE, SIZE);
    division_fold_doubles(division, pieces[0], SIZE);
    assert_memory_equal(all[0], pieces[0], sizeof pieces[0]);
}

static void test_every_batch(void **state)
{
    (void)state;
    struct rng rng;
    struct division division;
    float leaves[LEAVES][SIZE];
    double doubles[LEAVES][SIZE];
    rng_init(&rng, 1, 0, 0, 0);
    for (uint32_t i = 0; i < LEAVES; i++)
        for (uint32_t j = 0; j < SIZE; j++) {
            leaves[i][j] = (float)rng_u32(&rng) / 3;
            doubles[i][j] = (double)rng_u32(&rng) / 3;
        }
    assert_int_equal(division_init(&division, MEMBERS, LEAVES, NULL), BRAMBLE_OK);
    for (uint32_t n = 1; n <= LEAVES; n++)
        for (uint32_t again = 0; again < 5; again++) {
            uint32_t shares[MEMBERS] = {0};
            for (uint32_t i = 0; i < n; i++) shares[rng_u32(&rng) % (again + 2)]++;
            division_set(&division, shares);
            check_pieces(&division, shares, n);
            check_totals(&division, leaves, doubles, n);
        }
    division_fini(&division);
}

/* Totals of more numbers than are taken at once. */
static void test_long_sums(void **state)
{
    (void)state;
    enum { LONG = 1000 };
    static float a[LONG], b[LONG], total[LONG];
    const float *sums[] = {a, b};
    const uint32_t shares[] = {4, 1};
    struct division division;
    for (uint32_t i = 0; i < LONG; i++) {
        a[i] = (float)i / 7;
        b[i] = 1 / (1 + (float)i);
    }
    assert_int_equal(division_init(&division, 2, 5, NULL), BRAMBLE_OK);
    division_set(&division, shares);
    division_fold(&division, sums, LONG, total);
    for (uint32_t i = 0; i < LONG; i++) assert_true(total[i] == a[i] + b[i]);
    division_fini(&division);
}

static void test_out_of_memory(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct division division;
    bramble_error error = {0};
    mem_fail_at(1, 0);
    assert_int_equal(division_init(&division, 2, 5, &error), BRAMBLE_ERR_MEMORY);
    mem_fail_at(0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_batch),
        cmocka_unit_test(test_long_sums),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
