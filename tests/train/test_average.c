/* Means over members: exact sums, 8 bits a number and what they lose, members without a share, and what is
 * not part of an average. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "threads_exchange.h"
#include "train/average.h"
#include "train/int8.h"

enum { NUMBERS = 1031, ROUNDS = 40 };

/* --- int8 --- */

static float number_of(uint32_t member, size_t i)
{
    uint32_t x = (uint32_t)i * 2654435761u + member * 40503u + 7;
    x = (x ^ x >> 15) * 2246822519u;
    return ((float)(x >> 8) / (1 << 24) - 0.5f) * (i < 300 ? 1 : 1e-3f);
}

static void test_rounding_is_to_the_nearest(void **state)
{
    (void)state;
    float numbers[NUMBERS], lost[NUMBERS] = {0}, back[NUMBERS];
    uint8_t *packed = malloc(int8_bytes(NUMBERS));
    for (size_t i = 0; i < NUMBERS; i++) numbers[i] = number_of(0, i);
    int8_pack(packed, numbers, lost, NUMBERS);
    assert_true(int8_unpack(back, NUMBERS, packed, int8_bytes(NUMBERS)));
    for (size_t i = 0; i < NUMBERS; i++) {
        float half = 0.51f / 127 * (i < 512 ? 0.5f : 0.5e-3f); /* of a step, in a block with so large ones */
        assert_true(fabsf(back[i] - numbers[i]) <= half);
        assert_true(lost[i] == numbers[i] - back[i]);
    }
    assert_int_equal(int8_bytes(0), 0);
    assert_int_equal(int8_bytes(256), 260);
    assert_int_equal(int8_bytes(257), 265);
    free(packed);
}

/* What is lost in one round comes in later ones: the sum of all is off by one rounding, not by all of them.
 */
static void test_what_is_lost_is_sent_later(void **state)
{
    (void)state;
    enum { N = 5 };
    const float numbers[N] = {1, 0.001f, -0.003f, 0.0049f, 0};
    float lost[N] = {0}, back[N];
    double sums[N] = {0};
    uint8_t packed[64];
    for (int round = 0; round < 1000; round++) {
        int8_pack(packed, numbers, lost, N);
        assert_true(int8_unpack(back, N, packed, int8_bytes(N)));
        for (int i = 0; i < N; i++) sums[i] += back[i];
    }
    for (int i = 0; i < N; i++) assert_true(fabs(sums[i] - 1000 * (double)numbers[i]) < 0.01);
}

static void test_what_is_not_finite_stays_so(void **state)
{
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t b = 0; b < 3; b++) {
        float numbers[300] = {1, 2, 3}, lost[300] = {0}, back[300];
        uint8_t packed[400];
        numbers[7] = bad[b];
        numbers[270] = 0.5f;
        int8_pack(packed, numbers, lost, 300);
        assert_true(int8_unpack(back, 300, packed, int8_bytes(300)));
        for (size_t i = 0; i < 256; i++) assert_true(isnan(back[i]) && lost[i] == 0);
        assert_true(fabsf(back[270] - 0.5f) < 0.01f);
    }
    float tiny[3] = {1e-44f, -1e-45f, 0}, lost[3] = {0}, back[3];
    uint8_t packed[16];
    int8_pack(packed, tiny, lost, 3);
    assert_true(int8_unpack(back, 3, packed, int8_bytes(3)));
    for (size_t i = 0; i < 3; i++) assert_true(back[i] + lost[i] == tiny[i]);
    for (size_t length = 0; length < 16; length++)
        assert_int_equal(int8_unpack(back, 3, packed, length), length == int8_bytes(3));
}

/* --- averages --- */

struct member {
    struct seat seat;
    bool int8;
    double share;
    float numbers[NUMBERS];
    double sums[NUMBERS]; /* of all rounds */
    bramble_status status;
    bramble_error error;
    pthread_t thread;
};

static void *run_member(void *context)
{
    struct member *member = context;
    struct exchange exchange = exchange_of(&member->seat);
    struct average *average;
    member->status = average_new(&average, &exchange, NUMBERS, member->int8, &member->error);
    for (uint32_t round = 0; round < ROUNDS && !member->status; round++) {
        for (size_t i = 0; i < NUMBERS; i++) member->numbers[i] = number_of(member->seat.rank, i);
        member->status = average_take(average, member->numbers, member->share, &member->error);
        for (size_t i = 0; i < NUMBERS; i++) member->sums[i] += member->numbers[i];
    }
    if (member->status) meeting_drop(member->seat.meeting);
    average_free(average);
    return NULL;
}

/* Member m has m parts of all: the first one has none. */
static void play(struct member *members, uint32_t n, bool int8, const struct fault *fault)
{
    struct meeting meeting;
    meeting_init(&meeting, n);
    if (fault) meeting.fault = *fault;
    for (uint32_t m = 0; m < n; m++) {
        members[m] = (struct member){.seat = {&meeting, m, 0}, .int8 = int8};
        members[m].share = n == 1 ? 1 : m / (n * (n - 1) / 2.0);
        assert_int_equal(pthread_create(&members[m].thread, NULL, run_member, &members[m]), 0);
    }
    for (uint32_t m = 0; m < n; m++) pthread_join(members[m].thread, NULL);
    meeting_fini(&meeting);
}

static void test_all_have_the_mean(void **state)
{
    (void)state;
    struct member *members = calloc(MEMBERS_MAX, sizeof *members);
    for (uint32_t n = 1; n <= MEMBERS_MAX; n++)
        for (int int8 = 0; int8 < 2; int8++) {
            play(members, n, int8, NULL);
            for (size_t i = 0; i < NUMBERS; i++) {
                double mean = 0, off = int8 ? 0.01 : 1e-7;
                for (uint32_t m = 0; m < n; m++) mean += members[m].share * (double)number_of(m, i);
                assert_true(fabs(members[0].numbers[i] - mean) <= off);
                assert_true(fabs(members[0].sums[i] / ROUNDS - mean) <= off / (int8 ? ROUNDS / 4 : 1));
            }
            for (uint32_t m = 0; m < n; m++) {
                assert_int_equal(members[m].status, BRAMBLE_OK);
                assert_memory_equal(members[m].numbers, members[0].numbers, sizeof members[0].numbers);
            }
        }
    free(members);
}

static void test_other_lengths_are_refused(void **state)
{
    (void)state;
    static const int longer[] = {1, 4, -1, -4};
    struct member *members = calloc(3, sizeof *members);
    for (uint32_t i = 0; i < 16; i++) {
        const struct fault fault = {.round = 1 + i % 2, .member = i % 3, .longer = longer[i / 4]};
        play(members, 3, i / 2 % 2, &fault);
        uint32_t n_named = 0;
        for (uint32_t m = 0; m < 3; m++) {
            assert_int_not_equal(members[m].status, BRAMBLE_OK);
            n_named += strstr(members[m].error.message, "sent what is no part of an average") != NULL;
        }
        assert_true(n_named > 0);
    }
    free(members);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounding_is_to_the_nearest),  cmocka_unit_test(test_what_is_lost_is_sent_later),
        cmocka_unit_test(test_what_is_not_finite_stays_so), cmocka_unit_test(test_all_have_the_mean),
        cmocka_unit_test(test_other_lengths_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
