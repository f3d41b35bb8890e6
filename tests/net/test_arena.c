/* Places in an arena: whatever the lives, nobody lies on what is needed; and what can share does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/arena.h"

static bool lives_meet(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return a <= d && c <= b;
}

static void check(const struct arena_item *items, size_t n, size_t bytes)
{
    for (size_t i = 0; i < n; i++) {
        const struct arena_item *a = &items[i];
        assert_true(a->offset + a->bytes <= bytes && a->offset % 64 == 0);
        for (size_t j = 0; j < i; j++) {
            const struct arena_item *b = &items[j];
            bool apart = a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset;
            bool never = !lives_meet(a->wide_begin, a->wide_end, b->wide_begin, b->wide_end);
            bool same = a->offset == b->offset && a->bytes == b->bytes &&
                        !lives_meet(a->begin, a->end, b->begin, b->end);
            if (!apart && !never && !same) fail_msg("items %zu and %zu meet", i, j);
        }
    }
}

static void test_random_lives(void **state)
{
    (void)state;
    unsigned seed = 1;
    for (int round = 0; round < 300; round++) {
        struct arena_item items[60];
        size_t n = 1 + (size_t)(round % 60), all = 0, bytes = 0;
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            uint64_t begin = seed >> 24, end = begin + (seed >> 16 & 31);
            items[i] = (struct arena_item){.bytes = 64 * (1 + (seed >> 12 & 7)), .begin = begin, .end = end};
            items[i].wide_begin = round % 2 ? begin : begin & ~15ull;
            items[i].wide_end = round % 2 ? end : end | 15;
            all += items[i].bytes;
        }
        assert_true(arena_place(items, n, &bytes));
        assert_true(bytes <= all);
        check(items, n, bytes);
    }
}

static void test_what_shares(void **state)
{
    (void)state;
    size_t bytes;
    struct arena_item chain[100];
    for (uint64_t i = 0; i < 100; i++) /* each lives until the next has been made */
        chain[i] = (struct arena_item){
            .bytes = 640, .begin = i, .end = i + 1, .wide_begin = i & ~9ull, .wide_end = (i + 1) | 9};
    assert_true(arena_place(chain, 100, &bytes));
    assert_int_equal(bytes, 1280);
    struct arena_item unequal[2] = {{.bytes = 64, .begin = 1, .end = 1, .wide_end = 9},
                                    {.bytes = 128, .begin = 2, .end = 2, .wide_end = 9}};
    assert_true(arena_place(unequal, 2, &bytes));
    assert_int_equal(bytes, 192); /* other threads are elsewhere in the phase */
    assert_true(arena_place(NULL, 0, &bytes));
    assert_int_equal(bytes, 0);
}

static void test_too_much(void **state)
{
    (void)state;
    size_t bytes = 7;
    struct arena_item huge[2] = {{.bytes = SIZE_MAX / 2 - 127}, {.bytes = SIZE_MAX / 2 + 129}};
    assert_false(arena_place(huge, 2, &bytes));
    size_t n = ARENA_ITEMS_MAX + 1;
    struct arena_item *many = calloc(n, sizeof *many);
    assert_non_null(many);
    for (size_t i = 0; i < n; i++) many[i].bytes = 64;
    assert_true(arena_place(many, n, &bytes));
    assert_int_equal(bytes, 64 * n);
    assert_int_equal(many[n - 1].offset, 64 * (n - 1));
    free(many);
#ifdef BRAMBLE_FAULT_INJECTION
    for (size_t fault = 1; fault <= 2; fault++) {
        struct arena_item item = {.bytes = 64};
        mem_fail_at(fault, 0);
        bool placed = arena_place(&item, 1, &bytes);
        mem_fail_at(0, 0);
        assert_false(placed);
    }
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_lives),
        cmocka_unit_test(test_what_shares),
        cmocka_unit_test(test_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
