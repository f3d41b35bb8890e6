/* Teams: every task once, what tasks write is seen, any number of threads and of runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/team.h"

enum { TASKS = 1000 };

struct tally {
    uint32_t threads;
    unsigned done[TASKS];
    atomic_uint odd; /* thread numbers that are out of range */
};

static void count(void *context, uint32_t thread, uint64_t i)
{
    struct tally *tally = context;
    tally->done[i]++;
    if (thread >= tally->threads) atomic_fetch_add(&tally->odd, 1);
}

static void test_every_task_once(void **state)
{
    (void)state;
    const uint32_t threads[] = {1, 2, 3, 8, 0};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        struct team *team = team_new(threads[t]);
        assert_non_null(team);
        struct tally tally = {.threads = team_size(team)};
        if (threads[t]) assert_int_equal(team_size(team), threads[t]);
        uint64_t expected[TASKS] = {0};
        for (uint64_t run = 0; run < 300; run++) {
            uint64_t n = run * 7 % 40 == 0 ? TASKS : run * 7 % 40;
            team_run(team, n, count, &tally);
            for (uint64_t i = 0; i < n; i++) expected[i]++;
        }
        team_run(team, 0, count, &tally);
        for (size_t i = 0; i < TASKS; i++) assert_int_equal(tally.done[i], expected[i]);
        assert_int_equal(atomic_load(&tally.odd), 0);
        team_free(team);
    }
    team_free(NULL);
}

/* Each phase reads what the one before has written, without atomics: ThreadSanitizer would object. */
struct relay {
    uint64_t from[64], to[64];
};

static void pass_on(void *context, uint32_t thread, uint64_t i)
{
    struct relay *relay = context;
    (void)thread;
    relay->to[i] = relay->from[(i + 1) % 64] + 1;
}

static void test_phases_see_each_other(void **state)
{
    (void)state;
    struct team *team = team_new(4);
    assert_non_null(team);
    struct relay relay = {0};
    for (int run = 0; run < 2000; run++) {
        team_run(team, 64, pass_on, &relay);
        for (int i = 0; i < 64; i++) relay.from[i] = relay.to[i];
    }
    for (int i = 0; i < 64; i++) assert_int_equal(relay.to[i], 2000);
    team_free(team);
}

/* The first task takes a while, and there is nothing for the others to do meanwhile: they must not burn time.
 */
static void wait_a_while(void *context, uint32_t thread, uint64_t i)
{
    (void)context;
    (void)thread;
    struct timespec time = {.tv_nsec = 300000000};
    if (i == 0) nanosleep(&time, NULL);
}

static void test_nobody_spins(void **state)
{
    (void)state;
    struct rusage before, after;
    struct team *team = team_new(4);
    assert_non_null(team);
    getrusage(RUSAGE_SELF, &before);
    team_run(team, 8, wait_a_while, NULL);
    struct timespec time = {.tv_nsec = 300000000};
    nanosleep(&time, NULL);
    getrusage(RUSAGE_SELF, &after);
    double used = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
                  1e-6 * (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec);
    assert_true(used < 0.2); /* processor time; a single spinner would have used 0.6 s */
    team_free(team);
}

static void test_without_memory(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    mem_fail_at(1, 1);
    struct team *team = team_new(3);
    mem_fail_at(0, 0);
    assert_null(team);
}

/* Threads that cannot be started are done without. */
static void test_without_threads(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* they need room themselves */
#endif
    struct rlimit old, tight;
    assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
    tight = old;
    tight.rlim_cur = 1 << 20; /* no room for a stack */
    assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
    struct team *team = team_new(8);
    assert_int_equal(setrlimit(RLIMIT_AS, &old), 0);
    if (!team) skip();
    struct tally tally = {.threads = 8};
    team_run(team, TASKS, count, &tally);
    for (size_t i = 0; i < TASKS; i++) assert_int_equal(tally.done[i], 1);
    team_free(team);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_once), cmocka_unit_test(test_phases_see_each_other),
        cmocka_unit_test(test_nobody_spins),    cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_without_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
